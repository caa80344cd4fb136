/** Asks this gateway, traced, and shows its answer as it was written. */

import type { Fetcher, FetcherParams, FetcherResult, Observable } from "@graphiql/toolkit";
import { Kind, parse } from "graphql";

import { type Call, traced } from "./calls";
import { keyHeader } from "./key";

const INTROSPECTION = "IntrospectionQuery";

type Answer = { extensions?: Record<string, unknown> } & Record<string, unknown>;

/** Ask; what is asked of the schema is not traced, and can be awaited, as GraphiQL wants it. */
export const fetcher: Fetcher = (params, options) => {
  const headers = { ...keyHeader(), ...lowered(options?.headers) };
  if (params.operationName === INTROSPECTION) return ask(params, headers);
  return observed((signal) => askTraced({ ...params, operationName: operationOf(params) }, headers, signal));
};

/** Give the operation to run: the editor can still name one of the tab that was open a moment ago. */
function operationOf({ query, operationName }: FetcherParams): string | null | undefined {
  try {
    const names = parse(query).definitions.flatMap((each) => (each.kind === Kind.OPERATION_DEFINITION ? [each.name?.value] : []));
    return names.includes(operationName ?? undefined) ? operationName : names[0];
  } catch {
    return operationName; // not a document: the gateway says what is wrong with it
  }
}

async function askTraced(params: FetcherParams, headers: Record<string, string>, signal: AbortSignal): Promise<FetcherResult> {
  const began = performance.now();
  const answer = await ask(params, { ...headers, "x-gateway-trace": "1" }, signal);
  const calls = answer.extensions?.upstreamCalls;
  traced({
    operation: params.operationName ?? "",
    tookMs: performance.now() - began,
    calls: Array.isArray(calls) ? counted(calls) : null,
  });
  return withoutCalls(answer) as FetcherResult;
}

async function ask(params: FetcherParams, headers: Record<string, string>, signal?: AbortSignal): Promise<Answer> {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: { accept: "application/graphql-response+json, application/json;q=0.9", "content-type": "application/json", ...headers },
    body: JSON.stringify(params),
    signal,
  });
  const text = await answer.text();
  try {
    return JSON.parse(text, asWritten as (key: string, value: unknown) => unknown) as Answer;
  } catch {
    return { errors: [{ message: `${answer.status} ${answer.statusText}: ${text.slice(0, 500) || "an empty answer"}` }] };
  }
}

/** Keep a number as the gateway wrote it (5.00, 1E+2), where the browser can. */
function asWritten(_key: string, value: unknown, context?: { source?: string }): unknown {
  const raw = (JSON as unknown as { rawJSON?: (text: string) => unknown }).rawJSON;
  const source = context?.source;
  return raw && typeof value === "number" && source !== undefined && String(value) !== source ? raw(source) : value;
}

/** Give calls whose numbers are numbers again. */
function counted(calls: unknown[]): Call[] {
  return JSON.parse(JSON.stringify(calls)) as Call[];
}

/** Leave the calls out: they have a panel of their own, and would bury the answer. */
function withoutCalls(answer: Answer): Answer {
  if (!answer.extensions || !("upstreamCalls" in answer.extensions)) return answer;
  const { upstreamCalls: _calls, ...extensions } = answer.extensions;
  const { extensions: _all, ...rest } = answer;
  return Object.keys(extensions).length ? { ...rest, extensions } : rest;
}

function lowered(headers: Record<string, unknown> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** Give what is waited for as something that can be given up, so that the stop button stops it. */
function observed(work: (signal: AbortSignal) => Promise<FetcherResult>): Observable<FetcherResult> {
  return {
    subscribe(observer: { next(value: FetcherResult): void; error(error: unknown): void; complete(): void }) {
      const giveUp = new AbortController();
      work(giveUp.signal).then(
        (result) => {
          observer.next(result);
          observer.complete();
        },
        (error: unknown) => giveUp.signal.aborted || observer.error(told(error)),
      );
      return { unsubscribe: () => giveUp.abort() };
    },
  } as Observable<FetcherResult>;
}

function told(error: unknown): unknown {
  return error instanceof TypeError ? { message: "The gateway could not be reached." } : error;
}
