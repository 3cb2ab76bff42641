/**
 * Runs a connector's tests (`connectors/<id>/tests.yaml`) against recorded exchanges: the same interpreter, a provider that only
 * knows what was recorded, and a clock that stands still.
 */
import { isDeepStrictEqual } from "node:util";
import type { TestsTest } from "../../schemas/types.gen.ts";
import type { OutgoingRequest, RawAnswer, Transport } from "../components/kinds.ts";
import { httpDate } from "../components/shared/retry-after.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { ErrorCode } from "../errors/catalog.ts";
import type { Json, JsonObject } from "../manifest/types.ts";
import type { ConnectorPlan, TenantPlan } from "../plan/types.ts";
import { checkConnection } from "./check-connection.ts";
import { difference, parseExchanges, type RecordedExchange } from "./http-exchange.ts";
import { createMemoryBuckets } from "./memory-buckets.ts";
import { createMemoryStore, memoryRows } from "./memory-store.ts";
import { createMemoryTokens } from "./memory-tokens.ts";
import type { Checkpoint, Clock, MappedRecord, RunResult } from "./ports.ts";
import { runFlow } from "./run-flow.ts";

/** One entry of tests.yaml, as its schema (schemas/tests.schema.json) says. */
export type ConnectorTest = TestsTest;

export interface ReplayContext {
  readonly connector: ConnectorPlan;
  /** Text of a file beside tests.yaml (`exchanges/contacts-page-1.http`); `undefined` when there is none. */
  readonly read: (path: string) => string | undefined;
}

export interface ConnectorTestResult {
  readonly passed: boolean;
  /** What differs, one sentence each. */
  readonly failures: readonly string[];
  readonly requests: number;
  readonly records: number;
}

/** The clock of a test that names none and whose answers have no `Date`. */
const DEFAULT_NOW = "2026-03-01T09:00:00Z";

/** @throws PlugboardError MANIFEST_UNREADABLE for an exchange that is missing or cannot be read. */
export async function runConnectorTest(test: ConnectorTest, { connector, read }: ReplayContext): Promise<ConnectorTestResult> {
  const exchanges = test.exchanges.flatMap((path) => {
    const text = read(path);
    if (text === undefined) throw new PlugboardError("MANIFEST_UNREADABLE", { file: path, detail: "it does not exist beside tests.yaml" });
    return parseExchanges(text, path);
  });
  const clock = standingClock(test.now ?? firstDate(exchanges) ?? DEFAULT_NOW);
  const provider = replaying(exchanges);
  const outcome = test.check === true ? await runCheck(test, connector, provider.transport, clock) : await runStream(test, connector, provider.transport, clock);
  const failures = [...provider.unanswered, ...compare(test, outcome, provider.asked()), ...(test.error === undefined && outcome.error === undefined ? provider.unasked() : [])];
  return { passed: failures.length === 0, failures, requests: provider.asked(), records: outcome.records.length };
}

/** The records that a test's recorded answers hold, as the provider sent them; none where it does not get so far. */
export async function recordedRecords(test: ConnectorTest, { connector, read }: ReplayContext): Promise<readonly Json[]> {
  if (test.check === true) return [];
  const exchanges = test.exchanges.flatMap((path) => { const text = read(path); return text === undefined ? [] : parseExchanges(text, path); });
  const clock = standingClock(test.now ?? firstDate(exchanges) ?? DEFAULT_NOW);
  return (await runStream(test, connector, replaying(exchanges).transport, clock)).records.map(({ raw }) => raw);
}

/** What a test's recorded exchanges stand in for: a provider that knows nothing else, and a clock that stands still. */
export function recordedProvider({ exchanges: files, now }: Pick<ConnectorTest, "exchanges" | "now">, read: ReplayContext["read"]): { readonly transport: Transport; readonly clock: Clock } {
  const exchanges = files.flatMap((path) => { const text = read(path); return text === undefined ? [] : parseExchanges(text, path); });
  return { transport: replaying(exchanges).transport, clock: standingClock(now ?? firstDate(exchanges) ?? DEFAULT_NOW) };
}

interface Outcome {
  readonly records: readonly MappedRecord[];
  readonly pages?: number;
  readonly checkpoint?: Checkpoint | undefined;
  readonly account?: JsonObject;
  readonly quarantined?: readonly string[];
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

async function runStream(test: ConnectorTest, connector: ConnectorPlan, transport: Transport, clock: Clock): Promise<Outcome> {
  const name = test.stream ?? "";
  if (connector.streams[name] === undefined) return { records: [], error: { code: "MANIFEST_UNKNOWN_REFERENCE", message: `stream '${name}' does not exist` } };
  const records: MappedRecord[] = [];
  const rows = memoryRows(test.checkpoint as Checkpoint | undefined);
  const result: RunResult = await runFlow(
    { run: "test", attempt: 1, plan: planAround(connector, name, test.select ?? []), flow: "test", connection: { config: test.config ?? {} }, signal: new AbortController().signal, ...(test.mode === undefined ? {} : { mode: test.mode }) },
    {
      store: createMemoryStore({ rows, onPage: (page) => { records.push(...page.records); } }), transport, clock, buckets: createMemoryBuckets(() => clock.now()), token: createMemoryTokens(),
      log: () => {}, progress: () => {},
    },
  );
  return {
    records, pages: result.counters.pages, checkpoint: result.checkpoint, quarantined: rows.quarantine.map(({ reason }) => reason),
    ...(result.error === undefined ? {} : { error: result.error }),
  };
}

async function runCheck(test: ConnectorTest, connector: ConnectorPlan, transport: Transport, clock: Clock): Promise<Outcome> {
  try {
    const { account } = await checkConnection(
      { tenant: { id: "test", title: "Test" }, connection: "test", connector, values: { config: test.config ?? {} }, signal: new AbortController().signal },
      { transport, clock, buckets: createMemoryBuckets(() => clock.now()), token: createMemoryTokens(), log: () => {} },
    );
    return { records: [], ...(account === undefined ? {} : { account: { ...account } }) };
  } catch (thrown) {
    if (!(thrown instanceof PlugboardError)) throw thrown;
    return { records: [], error: { code: thrown.code, message: thrown.message } };
  }
}

/** A tenant with nothing but this stream; records are stored as they come, into an entity that takes anything. */
function planAround(connector: ConnectorPlan, stream: string, select: readonly string[]): TenantPlan {
  return {
    tenant: { id: "test", title: "Test" }, inputs: {}, labels: {}, reports: {}, policy: {}, limits: {}, origins: {}, entities: {},
    connections: { test: { connector: connector.id, enabled: true, labels: {}, config: {}, locks: [] } }, connectors: { [connector.id]: connector },
    flows: {
      test: {
        name: "test", enabled: true, connection: "test", connector: connector.id, stream, to: { entity: "record" }, select, labels: {}, caps: {},
        // A test wants to see what is wrong with a record, not that there are too many of them.
        quarantine: { share: 1, count: Number.MAX_SAFE_INTEGER },
      },
    },
  };
}

function replaying(exchanges: readonly RecordedExchange[]) {
  const left = [...exchanges];
  const unanswered: string[] = [];
  let asked = 0;
  const transport: Transport = {
    async send(request: OutgoingRequest): Promise<RawAnswer> {
      asked += 1;
      const found = left.findIndex((exchange) => difference(exchange.request, request) === undefined);
      if (found < 0) {
        const [near] = left;
        const error = new PlugboardError("RUN_NOT_RECORDED", {
          request: `${request.method} ${request.url.pathname}${request.url.search}`,
          nearest: near === undefined ? " (all recorded ones were used)" : `; the next in line, ${near.file}, differs: ${difference(near.request, request)}`,
        });
        unanswered.push(error.message);
        throw error;
      }
      const [{ answer }] = left.splice(found, 1) as [RecordedExchange];
      return { status: answer.status, headers: answer.headers, bytes: new TextEncoder().encode(answer.body), url: request.url.href };
    },
    close: async () => {},
  };
  return {
    transport, unanswered, asked: () => asked,
    unasked: () => left.map((exchange) => `${exchange.file}: the recorded request ${exchange.request.method} ${exchange.request.target} was never sent`),
  };
}

function compare(test: ConnectorTest, outcome: Outcome, requests: number): string[] {
  const failures: string[] = [];
  const differs = (what: string, actual: unknown, expected: unknown): void => { failures.push(`${what}: expected ${show(expected)}, got ${show(actual)}`); };
  if (test.error !== undefined) {
    if (outcome.error?.code !== test.error.code) differs("error", outcome.error === undefined ? "none" : `${outcome.error.code} (${outcome.error.message})`, test.error.code);
    return failures;
  }
  if (outcome.error !== undefined && outcome.error.code !== "RUN_NOT_RECORDED") failures.push(`${outcome.error.code} ${outcome.error.message}`);
  for (const reason of outcome.quarantined ?? []) failures.push(`a record was quarantined: ${reason}`);
  const { records, keys, requests: wanted, pages, checkpoint, account } = test.expect ?? {};
  if (typeof records === "number" && outcome.records.length !== records) differs("records", outcome.records.length, records);
  if (Array.isArray(records)) {
    const got = outcome.records.map(({ data }) => data);
    if (got.length !== records.length) differs("records", got.length, records.length);
    for (const [index, record] of records.entries()) if (index < got.length && !isDeepStrictEqual(got[index], record)) differs(`record ${index + 1}`, got[index], record);
  }
  const gotKeys = outcome.records.map(({ key }) => key);
  if (keys !== undefined && !isDeepStrictEqual(gotKeys, [...keys])) differs("keys", gotKeys, keys);
  if (wanted !== undefined && requests !== wanted) differs("requests", requests, wanted);
  if (pages !== undefined && outcome.pages !== pages) differs("pages", outcome.pages, pages);
  for (const [name, value] of Object.entries(checkpoint ?? {})) {
    const actual = (outcome.checkpoint as Record<string, unknown> | undefined)?.[name];
    if (!isDeepStrictEqual(actual, value)) differs(`checkpoint.${name}`, actual, value);
  }
  for (const [name, value] of Object.entries(account ?? {})) if (outcome.account?.[name] !== value) differs(`account.${name}`, outcome.account?.[name], value);
  return failures;
}

const show = (value: unknown): string => (value === undefined ? "nothing" : typeof value === "string" ? value : JSON.stringify(value).slice(0, 400));

function standingClock(start: string): Clock {
  let now = Date.parse(start);
  return { now: () => now, sleep: async (milliseconds, signal) => { signal.throwIfAborted(); now += milliseconds; await Promise.resolve(); } };
}

function firstDate(exchanges: readonly RecordedExchange[]): string | undefined {
  for (const { answer } of exchanges) {
    const date = httpDate(answer.headers["date"]);
    if (date !== undefined) return new Date(date).toISOString();
  }
  return undefined;
}
