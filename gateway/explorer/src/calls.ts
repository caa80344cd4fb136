/** The upstream calls of the last operation: what the gateway says of them, and how they are put together for showing. */

/** One call, as `extensions.upstreamCalls` has it. Anything may be missing: it is left out. */
export interface Call {
  source?: string;
  operation?: string;
  startMs?: number;
  /** Null: it was still under way when the answer was complete. */
  durationMs?: number | null;
  attempt?: number;
  /** False: nothing went over the wire for it. */
  made?: boolean;
  status?: number | null;
  code?: string | null;
  bytes?: number | null;
  cached?: boolean;
  coalesced?: boolean;
  batch?: number | string | null;
  keys?: number | string[] | null;
  fields?: string[] | null;
}

export interface Trace {
  operation: string;
  /** What the whole operation took, as the browser saw it. */
  tookMs: number;
  /** Null: the gateway did not tell. */
  calls: Call[] | null;
}

export interface Batch {
  /** Null: calls that belong to none. */
  name: string | null;
  keys: number;
  calls: Call[];
}

export interface SourceTotal {
  source: string;
  calls: number;
  ms: number;
  bytes: number;
  shared: number;
  failed: number;
}

let last: Trace | null = null;
const listeners = new Set<() => void>();

/** Take down what the last operation did, and tell who shows it. */
export function traced(trace: Trace): void {
  last = trace;
  for (const listener of listeners) listener();
}

export function lastTrace(): Trace | null {
  return last;
}

export function onTrace(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Give the instant at which the last call ended, in ms from the start of the operation. */
export function endMs(calls: Call[]): number {
  return Math.max(1, ...calls.map((call) => (call.startMs ?? 0) + (call.durationMs ?? 0)));
}

/** Put calls of one batch together, in the order in which the batches began. */
export function batches(calls: Call[]): Batch[] {
  const found = new Map<string | null, Batch>();
  const ordered = [...calls].sort((one, other) => (one.startMs ?? 0) - (other.startMs ?? 0));
  for (const call of ordered) {
    const name = call.batch === undefined || call.batch === null ? null : String(call.batch);
    const batch = found.get(name) ?? { name, keys: 0, calls: [] };
    batch.calls.push(call);
    batch.keys = Math.max(batch.keys, keyCount(call));
    found.set(name, batch);
  }
  return [...found.values()];
}

/** Sum calls up by source, in the order in which the sources were first asked. */
export function totals(calls: Call[]): SourceTotal[] {
  const found = new Map<string, SourceTotal>();
  for (const call of calls) {
    const source = call.source ?? "?";
    const total = found.get(source) ?? { source, calls: 0, ms: 0, bytes: 0, shared: 0, failed: 0 };
    total.calls += 1;
    total.ms += call.durationMs ?? 0;
    total.bytes += call.bytes ?? 0;
    total.shared += isShared(call) ? 1 : 0;
    total.failed += hasFailed(call) ? 1 : 0;
    found.set(source, total);
  }
  return [...found.values()];
}

export function hasFailed(call: Call): boolean {
  return Boolean(call.code) || (call.status ?? 0) >= 400;
}

/** Say whether another read served a call, one under way or an earlier one. */
export function isShared(call: Call): boolean {
  return Boolean(call.cached || call.coalesced);
}

export function isRefused(call: Call): boolean {
  return call.made === false && !isShared(call);
}

export function keyCount(call: Call): number {
  return Array.isArray(call.keys) ? call.keys.length : (call.keys ?? 0);
}

export function shownMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

export function shownBytes(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
