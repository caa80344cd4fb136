/** GraphiQL with our panels. The colours follow the system's preference unless its settings say otherwise. */

import { GraphiQL, HISTORY_PLUGIN } from "graphiql";

import { CALLS_PLUGIN, CallsFooter } from "./CallsPanel";
import { fetcher } from "./fetcher";
import { type Journey, journeysPlugin, variablesText } from "./journeys";
import { KEY_PLUGIN } from "./key";
import { SourcesLink } from "./sources";
import { isFirstVisit } from "./stored";
import { isWide } from "./width";

export function Explorer({ journeys }: { journeys: Journey[] }) {
  const tabs = journeys.map((journey) => ({ query: journey.query, variables: variablesText(journey) }));
  const examples = journeysPlugin(journeys);
  // GraphiQL fills in the query of the first tab by itself, and leaves its variables out.
  const variables = isFirstVisit() ? tabs[0]?.variables : null;
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={[examples, CALLS_PLUGIN, KEY_PLUGIN, HISTORY_PLUGIN]}
      visiblePlugin={isWide() ? examples : undefined}
      initialVariables={variables ?? undefined}
      defaultTabs={tabs.length ? tabs : undefined}
      defaultQuery="{ caller { name permissions } }"
      defaultEditorToolsVisibility={false}
      showPersistHeadersSettings={false}
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>
        <h1 className="title">
          <img src="/explorer/explorer.svg" alt="" width="22" height="22" /> Invoice gateway
        </h1>
        <SourcesLink />
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <CallsFooter />
      </GraphiQL.Footer>
    </GraphiQL>
  );
}
