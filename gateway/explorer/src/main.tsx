/** Starts the explorer: GraphiQL over this gateway, with the prepared questions in its tabs. */

import "./workers";
import "graphiql/style.css";
import "./explorer.css";

import { createRoot } from "react-dom/client";

import { Explorer } from "./Explorer";
import { fetchJourneys } from "./journeys";

const root = document.getElementById("explorer");
if (root) {
  const journeys = await fetchJourneys();
  createRoot(root).render(<Explorer journeys={journeys} />);
}
