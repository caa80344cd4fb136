/** The icons of the panels, drawn like those of the editor. */

import type { ReactNode } from "react";

function icon(drawing: ReactNode) {
  return () => (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" aria-hidden="true">
      {drawing}
    </svg>
  );
}

export const ListIcon = icon(<path d="M3 4.5h.01M3 10h.01M3 15.5h.01M7 4.5h10M7 10h10M7 15.5h10" />);
export const CallsIcon = icon(<path d="M3 4.5h7M6 10h8M11 15.5h6M3 2v16" />);
export const KeyIcon = icon(<path d="M9 11a4 4 0 1 1-1.2-1.2L17 10M14.5 10v3M17 10v2.5" />);
