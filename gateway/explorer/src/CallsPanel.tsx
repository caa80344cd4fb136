/** The upstream calls of the last operation as a waterfall: a table that a screen reader reads row by row. */

import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { Fragment, useSyncExternalStore } from "react";

import { type Batch, batches, type Call, endMs, hasFailed, isRefused, isShared, keyCount, lastTrace, onTrace, shownBytes, shownMs, totals, type Trace } from "./calls";
import { CallsIcon } from "./icons";

function CallsPanel() {
  const trace = useSyncExternalStore(onTrace, lastTrace);
  return (
    <section className="panel calls" aria-labelledby="calls-title">
      <h2 id="calls-title">Upstream calls</h2>
      {trace === null && <p className="quiet">Run an operation: the calls that it makes to the systems are drawn here.</p>}
      {trace && <p role="status">{summary(trace)}</p>}
      {trace?.calls === null && (
        <p className="quiet">
          Only callers with the <code>explorer</code> permission are told. Enter such a key under “Caller's key”.
        </p>
      )}
      {trace?.calls && trace.calls.length > 0 && <Waterfall calls={trace.calls} />}
    </section>
  );
}

/** Below the answer: what to do first, then what the operation asked of the systems. */
export function CallsFooter() {
  const trace = useSyncExternalStore(onTrace, lastTrace);
  const isFetching = useGraphiQL((state) => state.isFetching);
  const isOpen = useGraphiQL((state) => state.visiblePlugin === CALLS_PLUGIN);
  const { setVisiblePlugin } = useGraphiQLActions();
  if (isFetching) return <p className="below">Asking…</p>;
  if (trace === null) return <p className="below">Run the operation with the ▶ button or Ctrl-Enter: its answer is shown here.</p>;
  return (
    <p className="below">
      {summary(trace)}{" "}
      {!isOpen && trace.calls && trace.calls.length > 0 && (
        <button type="button" onClick={() => setVisiblePlugin(CALLS_PLUGIN)}>
          Show the calls
        </button>
      )}
    </p>
  );
}

function summary({ operation, calls, tookMs }: Trace): string {
  const name = operation || "The operation";
  if (calls === null) return `${name}: the gateway did not tell its calls.`;
  if (calls.length === 0) return `${name} asked no system; answered in ${shownMs(tookMs)}.`;
  const shared = calls.filter(isShared).length;
  const more = shared ? `, and ${shared} answered by shared reads` : "";
  return `${name}: ${plural(calls.length - shared, "call")}${more}; answered in ${shownMs(tookMs)}.`;
}

function Waterfall({ calls }: { calls: Call[] }) {
  const sources = totals(calls);
  const hues = new Map(sources.map((each, at) => [each.source, `hue-${at % 6}`]));
  const end = endMs(calls);
  return (
    <>
      <table className="totals">
        <caption>By source</caption>
        <thead>
          <tr>
            <th scope="col">Source</th>
            <th scope="col">Calls</th>
            <th scope="col">Time</th>
            <th scope="col">Size</th>
            <th scope="col">Shared</th>
            <th scope="col">Failed</th>
          </tr>
        </thead>
        <tbody>
          {sources.map((each) => (
            <tr key={each.source}>
              <th scope="row">
                <span className={`dot ${hues.get(each.source)}`} aria-hidden="true" />
                {each.source}
              </th>
              <td>{each.calls}</td>
              <td>{shownMs(each.ms)}</td>
              <td>{shownBytes(each.bytes)}</td>
              <td>{each.shared}</td>
              <td className={each.failed ? "failed" : ""}>{each.failed}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <table className="waterfall">
        <caption>In time, 0 to {shownMs(end)}</caption>
        <thead>
          <tr>
            <th scope="col">Call</th>
            <th scope="col">When</th>
            <th scope="col">Answer</th>
          </tr>
        </thead>
        {batches(calls).map((batch) => (
          <BatchRows key={batch.name ?? ""} batch={batch} end={end} hues={hues} />
        ))}
      </table>
    </>
  );
}

function BatchRows({ batch, end, hues }: { batch: Batch; end: number; hues: Map<string, string> }) {
  return (
    <tbody>
      {batch.name !== null && batch.calls.length > 1 && (
        <tr className="batch">
          <th scope="rowgroup" colSpan={3}>
            Batch {batch.name}
            {batch.keys > 0 && `, ${plural(batch.keys, "key")}`}
          </th>
        </tr>
      )}
      {batch.calls.map((call, at) => (
        <CallRow key={at} call={call} alone={batch.name !== null && batch.calls.length === 1} end={end} hue={hues.get(call.source ?? "?") ?? ""} />
      ))}
    </tbody>
  );
}

function CallRow({ call, alone, end, hue }: { call: Call; alone: boolean; end: number; hue: string }) {
  const start = call.startMs ?? 0;
  const duration = call.durationMs === null ? end - start : (call.durationMs ?? 0);
  return (
    <tr className={hasFailed(call) ? "failed" : ""}>
      <th scope="row">
        <span className={`dot ${hue}`} aria-hidden="true" />
        {call.source} <code>{call.operation}</code>
        {call.fields && call.fields.length > 0 && <small>for {call.fields.join(", ")}</small>}
        {alone && <small>batch {call.batch}</small>}
      </th>
      <td>
        <span className="track" aria-hidden="true">
          <span className={`bar ${hue}`} style={{ left: `${(100 * start) / end}%`, width: `${(100 * duration) / end}%` }} />
        </span>
        <small>{when(call)}</small>
      </td>
      <td>
        {call.status ?? ""} {call.code && <span className="code">{breakable(call.code)}</span>}
        {call.bytes !== undefined && call.bytes !== null && <small>{shownBytes(call.bytes)}</small>}
        {marks(call).map((mark) => (
          <Fragment key={mark}>
            <span className="mark">{mark}</span>{" "}
          </Fragment>
        ))}
      </td>
    </tr>
  );
}

function when(call: Call): string {
  const began = call.startMs === undefined ? [] : [`at ${shownMs(call.startMs)}`];
  if (call.durationMs === undefined) return began.join("");
  return [...began, call.durationMs === null ? "under way" : shownMs(call.durationMs)].join(", ");
}

/** Let a long code break after its words, in a narrow column. */
function breakable(code: string) {
  return code.split(/(?<=_)/).map((part) => (
    <Fragment key={part}>
      {part}
      <wbr />
    </Fragment>
  ));
}

/** Give what is out of the ordinary about a call, in words. */
function marks(call: Call): string[] {
  return [
    ...(call.cached ? ["cached"] : []),
    ...(call.coalesced ? ["coalesced"] : []),
    ...(isRefused(call) ? ["not sent"] : []),
    ...((call.attempt ?? 1) > 1 ? [`attempt ${call.attempt}`] : []),
    ...(keyCount(call) > 1 ? [plural(keyCount(call), "key")] : []),
  ];
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

export const CALLS_PLUGIN: GraphiQLPlugin = { title: "Upstream calls", icon: CallsIcon, content: CallsPanel };
