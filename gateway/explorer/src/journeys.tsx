/** The prepared questions: one tab each at the start, and a list that brings a closed one back. */

import type { GraphiQLPlugin } from "@graphiql/react";
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";

import { ListIcon } from "./icons";
import { isWide } from "./width";

export interface Journey {
  title: string;
  description: string;
  query: string;
  variables: Record<string, unknown>;
}

/** Fetch the prepared questions; none when they cannot be had. */
export async function fetchJourneys(): Promise<Journey[]> {
  try {
    const answer = await fetch("/explorer/journeys.json");
    return answer.ok ? ((await answer.json()) as Journey[]) : [];
  } catch {
    return [];
  }
}

/** Give the variables as the editor shows them; none is null. */
export function variablesText(journey: Journey): string | null {
  return Object.keys(journey.variables).length ? JSON.stringify(journey.variables, null, 2) : null;
}

/** Make the panel that lists the journeys. */
export function journeysPlugin(journeys: Journey[]): GraphiQLPlugin {
  return { title: "Examples", icon: ListIcon, content: () => <JourneyList journeys={journeys} /> };
}

function JourneyList({ journeys }: { journeys: Journey[] }) {
  const { addTab, changeTab, setVisiblePlugin } = useGraphiQLActions();
  const { tabs, activeTabIndex, queryEditor, variableEditor } = useGraphiQL((state) => state);

  function open(journey: Journey): void {
    if (!isWide()) setVisiblePlugin(null);
    const at = tabs.findIndex((tab) => tab.query === journey.query);
    if (at >= 0) return changeTab(at);
    addTab();
    queryEditor?.setValue(journey.query);
    variableEditor?.setValue(variablesText(journey) ?? "");
  }

  return (
    <section className="panel" aria-labelledby="journeys-title">
      <h2 id="journeys-title">Examples</h2>
      <p className="quiet">Each is in a tab of its own: choose one, then run it.</p>
      <ol className="journeys">
        {journeys.map((journey) => (
          <li key={journey.title}>
            <button type="button" onClick={() => open(journey)} aria-current={tabs[activeTabIndex]?.query === journey.query}>
              <strong>{journey.title}</strong>
              <span>{journey.description}</span>
            </button>
          </li>
        ))}
      </ol>
      {journeys.length === 0 && <p>This gateway has prepared none.</p>}
    </section>
  );
}
