/** The way to the page of the sources. A link carries no key: with one, the page is fetched and shown in a tab of its own. */

import type { MouseEvent } from "react";

import { keyHeader } from "./key";

const PATH = "/sources";

export function SourcesLink() {
  return (
    <a className="sources" href={PATH} target="_blank" rel="noopener" onClick={open}>
      Sources
    </a>
  );
}

function open(event: MouseEvent): void {
  if (!keyHeader().authorization) return;
  const tab = window.open("", "_blank");
  if (!tab) return; // the browser opens none: the link does
  event.preventDefault();
  void show(tab.document);
}

/** Show the page; its own link back to itself shows it anew. */
async function show(page: Document): Promise<void> {
  const text = await read();
  page.open();
  page.write(text);
  page.close();
  page.querySelector(`a[href="${PATH}"]`)?.addEventListener("click", (event) => {
    event.preventDefault();
    void show(page);
  });
}

async function read(): Promise<string> {
  try {
    return await (await fetch(PATH, { headers: { ...keyHeader(), accept: "text/html" } })).text();
  } catch {
    return '<!doctype html><html lang="en"><title>Sources</title><p>The gateway could not be reached.</p></html>';
  }
}
