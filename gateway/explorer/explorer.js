// The explorer: write a query, see its answer byte for byte, read the schema. No library, nothing leaves this origin.

const find = (id) => document.getElementById(id);
const query = find("query"), variables = find("variables"), headers = find("headers");
const run = find("run"), status = find("status"), answer = find("answer"), notice = find("notice"), copy = find("copy");
const docs = find("docs"), docsToggle = find("docs-toggle"), docsBody = find("docs-body"), search = find("docs-search");

/** Make an element; children are nodes or text, so that nothing is ever read as HTML. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity));
  return made;
}

// ---- storage: what was written last stays in this browser, the caller's key in this tab

function recall(storage, name) {
  try { return window[storage].getItem(`explorer.${name}`) ?? ""; } catch { return ""; }
}

function remember(storage, name, value) {
  try { window[storage].setItem(`explorer.${name}`, value); } catch { /* storage is switched off: nothing to restore later */ }
}

// ---- colours: every named group of a pattern is a CSS class

const STRING = /"[^"\\\n]*(?:\\.[^"\\\n]*)*"/.source;
const JSON_WORDS = new RegExp(`(?<key>${STRING}(?=\\s*:))|(?<string>${STRING}?)|(?<number>-?\\d[\\d.eE+-]*)|(?<word>\\b(?:true|false|null)\\b)`, "g");
const GRAPHQL_WORDS = new RegExp(
  `(?<comment>#[^\\n]*)|(?<string>"""[^]*?(?:"""|$)|${STRING}?)|(?<variable>\\$\\w+|@\\w+)|(?<number>-?\\b\\d[\\d.eE+-]*)`
  + `|(?<word>\\b(?:query|mutation|subscription|fragment|on|true|false|null)\\b(?!\\s*:))|(?<key>\\b[a-z_]\\w*(?=\\s*:))`, "g");
const MOST_TO_PAINT = 400_000; // characters; more would make the page slow, and stays plain

function paint(target, text, pattern) {
  if (text.length > MOST_TO_PAINT) return target.replaceChildren(text);
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
    parts.push(text.slice(end, match.index), make("span", { class: kind }, match[0]));
    end = match.index + match[0].length;
  }
  const painted = document.createDocumentFragment();
  for (const part of [...parts, text.slice(end)]) painted.append(part);
  target.replaceChildren(painted);
}

/** Indent JSON without reading its values: `5.00` and a number of twenty digits stay as they came. */
function indent(text) {
  const out = [];
  let depth = 0, previous = "";
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    const opened = previous === "{" || previous === "[";
    const closes = token === "}" || token === "]";
    if (closes) depth -= 1;
    if (closes ? !opened : opened || previous === ",") out.push("\n", "  ".repeat(depth));
    out.push(token === ":" ? ": " : token);
    if (token === "{" || token === "[") depth += 1;
    previous = token;
  }
  return out.join("");
}

// ---- editors

function setUpEditor(area, pattern, changed) {
  const editor = area.closest(".editor");
  const painted = editor.querySelector(".paint"), gutter = editor.querySelector(".gutter");
  let leaves = false;
  const refresh = () => {
    if (painted) paint(painted, area.value, pattern);
    if (gutter) gutter.textContent = area.value.split("\n").map((_, line) => line + 1).join("\n");
    changed();
  };
  area.addEventListener("input", refresh);
  area.addEventListener("scroll", () => {
    if (painted) painted.style.transform = `translate(${-area.scrollLeft}px, ${-area.scrollTop}px)`;
    if (gutter) gutter.scrollTop = area.scrollTop;
  });
  if (painted) {
    area.addEventListener("keydown", (event) => {
      const plain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
      if (plain && event.key === "Tab" && !leaves) type(event, area, "  ");
      if (plain && event.key === "Enter") type(event, area, "\n" + indentAt(area));
      leaves = event.key === "Escape";
    });
  }
  refresh();
}

/** Put text at the caret as if it were typed, so that undo takes it back. */
function type(event, area, text) {
  event?.preventDefault();
  if (document.execCommand("insertText", false, text)) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input"));
}

function indentAt(area) {
  const before = area.value.slice(0, area.selectionStart);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  return line.match(/^[ \t]*/)[0] + (/[{([]\s*$/.test(line) ? "  " : "");
}

function fill(area, text) {
  area.focus({ preventScroll: true });
  area.select();
  type(null, area, text);
  area.setSelectionRange(0, 0);
  area.scrollTo(0, 0);
}

function selectTab(name, focus) {
  for (const each of ["variables", "headers"]) {
    const tab = find(`${each}-tab`), isOpen = each === name;
    tab.setAttribute("aria-selected", String(isOpen));
    tab.tabIndex = isOpen ? 0 : -1;
    find(`${each}-panel`).hidden = !isOpen;
    if (isOpen && focus) tab.focus();
  }
}

// ---- asking

/** Read `Name: value` lines. Throws with one clear line. */
function callersHeaders() {
  const read = new Headers();
  for (const line of headers.value.split("\n").map((each) => each.trim()).filter(Boolean)) {
    const colon = line.indexOf(":");
    try {
      read.append(line.slice(0, Math.max(colon, 0)).trim(), line.slice(colon + 1).trim());
    } catch {
      throw new Error("Headers: write one a line, as Name: value.");
    }
  }
  return read;
}

/** Say which operation runs when the document has several: the one that the caret is in. */
function operationAtCaret() {
  const bare = query.value.replace(/#[^\n]*|"""[^]*?"""|"(?:[^"\\\n]|\\.)*"/g, (text) => " ".repeat(text.length));
  const found = [...bare.matchAll(/\b(?:query|mutation|subscription)\s+([A-Za-z_]\w*)\s*[({@]/g)];
  if (found.length < 2) return undefined;
  return (found.filter((each) => each.index <= query.selectionStart).at(-1) ?? found[0])[1];
}

/** Write the body; the text of the variables goes as it was written, so that no number loses a digit. */
function bodyOf(queryText, variablesText, operationName) {
  const text = variablesText.trim() || "{}";
  let value;
  try { value = JSON.parse(text); } catch (error) { throw new Error(`Variables are not JSON: ${error.message}`); }
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("Variables must be a JSON object: { … }");
  const name = operationName ? `,"operationName":${JSON.stringify(operationName)}` : "";
  return `{"query":${JSON.stringify(queryText)},"variables":${text}${name}}`;
}

async function send(body, signal) {
  const sent = callersHeaders();
  sent.set("content-type", "application/json");
  sent.set("accept", "application/json");
  const started = performance.now();
  try {
    const response = await fetch("/graphql", { method: "POST", headers: sent, body, signal });
    return { response, text: await response.text(), milliseconds: performance.now() - started };
  } catch {
    throw new Error(signal?.aborted ? "Stopped waiting. The gateway may still have carried it out."
      : "The gateway could not be reached, or the connection was lost.");
  }
}

let waiting = null; // the AbortController of the request on its way

async function ask() {
  if (waiting) return;
  waiting = new AbortController();
  showWaiting();
  try {
    show(await send(bodyOf(query.value, variables.value, operationAtCaret()), waiting.signal));
  } catch (error) {
    say(error.message, "Failed");
  }
  waiting = null;
  showWaiting();
  if (status.getBoundingClientRect().top > innerHeight - 120) find("answer-title").parentElement.scrollIntoView();
}

function showWaiting() {
  run.textContent = waiting ? "Stop" : "Run";
  run.classList.toggle("stops", Boolean(waiting));
  document.querySelector(".ask").setAttribute("aria-busy", String(Boolean(waiting)));
  if (waiting) status.textContent = "Waiting…";
}

/** Read JSON; undefined when it is none. */
function parsed(text) {
  try { return JSON.parse(text); } catch { return undefined; }
}

function show({ response, text, milliseconds }) {
  const value = parsed(text);
  const errors = Array.isArray(value?.errors) ? value.errors.length : 0;
  const facts = [duration(milliseconds), size(new Blob([text]).size)];
  if (errors) facts.unshift(errors === 1 ? "1 error" : `${errors} errors`);
  status.className = response.ok && !errors ? "" : "bad";
  status.replaceChildren(make("b", {}, `${response.status} ${response.statusText}`.trim()), ` · ${facts.join(" · ")}`);
  notice.textContent = "";
  answer.hidden = false;
  if (value === undefined) answer.replaceChildren(text);
  else paint(answer, indent(text), JSON_WORDS);
  answer.scrollTo(0, 0);
  copy.hidden = !navigator.clipboard;
}

/** Say one line in the place of an answer. */
function say(text, state = "") {
  status.className = notice.className = state ? "bad" : "";
  status.replaceChildren(make("b", {}, state));
  notice.textContent = text;
  answer.hidden = copy.hidden = true;
}

const duration = (milliseconds) => (milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`);
const size = (bytes) => (bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`);

// ---- examples

async function loadJourneys() {
  try {
    const response = await fetch("/explorer/journeys.json");
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const journeys = await response.json();
    find("journeys").replaceChildren(...journeys.map(journeyItem));
    if (!query.value.trim() && journeys.length) find("journeys").querySelector("button").click();
  } catch {
    find("journeys-note").hidden = false;
  }
}

function journeyItem(journey) {
  const button = make("button", { type: "button", click: () => choose(journey, button) },
    make("strong", {}, journey.title), make("span", {}, journey.description));
  return make("li", {}, button);
}

function choose(journey, button) {
  const focused = document.activeElement;
  const hasVariables = Object.keys(journey.variables ?? {}).length > 0;
  selectTab("variables", false);
  fill(query, journey.query.trim());
  fill(variables, hasVariables ? JSON.stringify(journey.variables, null, 2) : "");
  document.activeElement.blur();
  if (focused !== document.body) focused.focus({ preventScroll: true });
  for (const each of find("journeys").querySelectorAll("button")) each.setAttribute("aria-current", String(each === button));
  say(`“${journey.title}” is ready. Press Run to send it.`);
}

// ---- documentation

const TYPE = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";
const INPUT = `name description defaultValue type { ${TYPE} }`;
const INTROSPECTION = `query Documentation { __schema { queryType { name } mutationType { name } subscriptionType { name } types {
  kind name description isOneOf specifiedByURL
  fields(includeDeprecated: true) { name description isDeprecated deprecationReason args { ${INPUT} } type { ${TYPE} } }
  inputFields { ${INPUT} } interfaces { name } possibleTypes { name }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } } } }`;
const KINDS = { OBJECT: "type", INTERFACE: "interface", UNION: "union", ENUM: "enum", INPUT_OBJECT: "input", SCALAR: "scalar" };

let types = null; // by name, sorted; null until they were read
let roots = [];
let trail = []; // names of the types that were opened, the one shown last

async function openDocs() {
  docs.hidden = false;
  docsToggle.setAttribute("aria-expanded", "true");
  search.focus();
  if (types) return;
  docsBody.replaceChildren(make("p", {}, "Reading the schema…"));
  try {
    readSchema(await send(bodyOf(INTROSPECTION, "")));
    showDocs();
  } catch (error) {
    const retry = make("button", { type: "button", click: openDocs }, "Try again");
    docsBody.replaceChildren(make("p", { role: "alert" }, `The schema could not be read. ${error.message}`), retry);
  }
}

function closeDocs() {
  docs.hidden = true;
  docsToggle.setAttribute("aria-expanded", "false");
  docsToggle.focus();
}

function readSchema({ response, text }) {
  const value = parsed(text), schema = value?.data?.__schema;
  if (!schema) throw new Error(value?.errors?.[0]?.message ?? `The answer was HTTP ${response.status}.`);
  const named = schema.types.filter((each) => !each.name.startsWith("__")).sort((a, b) => a.name.localeCompare(b.name));
  types = new Map(named.map((each) => [each.name, each]));
  roots = [schema.queryType, schema.mutationType, schema.subscriptionType].filter(Boolean).map((each) => each.name);
}

function visit(name) {
  trail.push(name);
  search.value = "";
  showDocs();
  find("docs-title").tabIndex = -1;
  find("docs-title").focus();
}

function goBack() {
  trail.pop();
  showDocs();
  (trail.length ? find("docs-back") : search).focus();
}

function showDocs() {
  if (!types) return;
  const wanted = search.value.trim().toLowerCase(), shown = trail.at(-1);
  find("docs-back").hidden = !shown || Boolean(wanted);
  find("docs-back-to").textContent = trail.at(-2) ?? "All types";
  find("docs-title").textContent = wanted ? "Search" : shown ?? "Documentation";
  find("docs-count").textContent = "";
  docsBody.replaceChildren(...(wanted ? searchPage(wanted) : shown ? typePage(types.get(shown)) : startPage()).filter(Boolean));
  docsBody.scrollTo(0, 0);
}

const link = (name, label = name) => make("button", { type: "button", click: () => visit(name) }, label);
const deprecation = (item) => (item.isDeprecated ? prose(`Deprecated. ${item.deprecationReason ?? ""}`) : []);
const tag = (text) => make("span", { class: "tag" }, text);
const list = (title, items) => (items.length ? make("section", {}, make("h3", {}, title), make("ul", {}, items)) : null);

/** Show a description; what is between backticks is code. */
function prose(text, className = "") {
  if (!text) return [];
  return make("p", { class: className }, text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part)));
}

function typeLink(type) {
  if (type.kind === "NON_NULL") return [typeLink(type.ofType), "!"];
  if (type.kind === "LIST") return ["[", typeLink(type.ofType), "]"];
  return types.has(type.name) ? link(type.name) : type.name;
}

function signature(value) {
  return make("code", {}, make("b", {}, value.name), ": ", typeLink(value.type),
    value.defaultValue && value.defaultValue !== "null" ? ` = ${value.defaultValue}` : "");
}

function fieldItem(field) {
  const args = (field.args ?? []).map((each) => make("li", {}, signature(each), prose(each.description)));
  return make("li", {}, signature(field), prose(field.description), deprecation(field), args.length ? make("ul", { "aria-label": "Arguments" }, args) : []);
}

function typePage(type) {
  const linked = (items) => (items ?? []).map((each) => make("li", {}, make("code", {}, link(each.name))));
  const values = (type.enumValues ?? []).map((each) => make("li", {}, make("code", {}, each.name), prose(each.description), deprecation(each)));
  return [
    make("p", {}, tag(type.isOneOf ? "input, exactly one of its fields" : KINDS[type.kind])), ...[prose(type.description, "lead")].flat(),
    list("Fields", [...(type.fields ?? []), ...(type.inputFields ?? [])].map(fieldItem)), list("Values", values),
    list("Implements", linked(type.interfaces)), list(type.kind === "UNION" ? "One of" : "Implemented by", linked(type.possibleTypes)),
  ];
}

function startPage() {
  const item = (name) => make("li", {}, make("code", {}, link(name)), tag(KINDS[types.get(name).kind]));
  return [list("Start here", roots.map(item)), list("All types", [...types.keys()].filter((name) => !roots.includes(name)).map(item))];
}

const MOST_FOUND = 80;

function searchPage(wanted) {
  const has = (each) => each.name.toLowerCase().includes(wanted);
  const found = [];
  for (const type of types.values()) {
    if (has(type)) found.push([type.name, type.name, KINDS[type.kind]]);
    for (const field of [...(type.fields ?? []), ...(type.inputFields ?? [])]) {
      if (has(field)) found.push([type.name, `${type.name}.${field.name}`, "field"]);
      for (const argument of (field.args ?? []).filter(has)) found.push([type.name, `${type.name}.${field.name}(${argument.name})`, "argument"]);
    }
    for (const value of (type.enumValues ?? []).filter(has)) found.push([type.name, `${type.name}.${value.name}`, "value"]);
  }
  found.sort((a, b) => (a[0] !== a[1]) - (b[0] !== b[1])); // types before what is in them
  const title = found.length > MOST_FOUND ? `${MOST_FOUND} of ${found.length} found` : `${found.length} found`;
  find("docs-count").textContent = title;
  const items = found.slice(0, MOST_FOUND).map(([name, label, kind]) => make("li", {}, make("code", {}, link(name, label)), tag(kind)));
  return [list(title, items) ?? make("p", {}, "Nothing has that in its name.")];
}

// ---- start

function start() {
  if (/Mac|iPhone|iPad/.test(navigator.platform)) find("run-keys").textContent = "⌘ Enter";
  query.value = recall("localStorage", "query");
  variables.value = recall("localStorage", "variables");
  headers.value = recall("sessionStorage", "headers");
  setUpEditor(query, GRAPHQL_WORDS, () => remember("localStorage", "query", query.value));
  setUpEditor(variables, JSON_WORDS, () => remember("localStorage", "variables", variables.value));
  setUpEditor(headers, null, () => {
    remember("sessionStorage", "headers", headers.value);
    const count = headers.value.split("\n").filter((line) => line.trim()).length;
    find("headers-tab").textContent = count ? `Headers (${count})` : "Headers";
  });
  run.addEventListener("click", () => (waiting ? waiting.abort() : ask()));
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(answer.textContent);
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  for (const [name, other] of [["variables", "headers"], ["headers", "variables"]]) {
    find(`${name}-tab`).addEventListener("click", () => selectTab(name, true));
    find(`${name}-tab`).addEventListener("keydown", (event) => { if (/^Arrow(Left|Right)$/.test(event.key)) selectTab(other, true); });
  }
  docsToggle.addEventListener("click", () => (docs.hidden ? openDocs() : closeDocs()));
  find("docs-close").addEventListener("click", closeDocs);
  find("docs-back").addEventListener("click", goBack);
  search.addEventListener("input", showDocs);
  docs.addEventListener("keydown", (event) => { if (event.key === "Escape" && !search.value) closeDocs(); });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    ask();
  });
  say("The answer will be shown here.");
  loadJourneys();
}

start();
