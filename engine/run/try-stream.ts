/**
 * Reads a stream for somebody to look at: the requests as they were sent, the answers, the records, and what a mapping makes of
 * them. Nothing is stored, no checkpoint moves, nothing is acknowledged; secrets are masked in everything that it gives.
 */
import type { Variables } from "../components/kinds.ts";
import { toIso } from "../components/shared/instant.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Json, JsonObject } from "../manifest/types.ts";
import type { EntityPlan, MappingPlan } from "../plan/types.ts";
import { beginPass } from "./checkpoint.ts";
import type { Call, Exchange } from "./exchange.ts";
import { compileCursor, compileDoor, fetchPage } from "./fetch-page.ts";
import { compileMapper, type PageMapper } from "./map-page.ts";
import { requestsAt, type ConnectionAt, type OnePorts, type SeenExchange } from "./one-request.ts";
import { readOne } from "./read-one.ts";
import { StreamSkipped, Waiting } from "./stops.ts";
import { withoutSecrets } from "./variables.ts";

/** Records that are shown of one page. */
const MOST_RECORDS = 25;

export interface TryOptions {
  /** Pages to read at most. @default 1 */
  readonly pages?: number;
  /** Read one record by its key instead of a page. */
  readonly key?: string;
  /** ISO instant: only what changed since, where the stream can be asked for that. */
  readonly since?: string;
  /** The variable `select`. */
  readonly select?: readonly string[];
  /** What the records become. */
  readonly into?: { readonly entity: string; readonly plan: EntityPlan | undefined; readonly map: MappingPlan | undefined };
  /** The stream's own requests see no secret: they were written by somebody, and reviewed by nobody. The authenticator does. */
  readonly unreviewed?: boolean;
}

export interface TriedRecord {
  readonly record: Json;
  /** Absent without `into`. */
  readonly outcome?: "kept" | "filtered" | "refused";
  readonly key?: string;
  readonly mapped?: JsonObject;
  readonly reason?: string;
}

export interface TriedPage {
  /** Of the page; `records` has the first of them. */
  readonly count: number;
  readonly records: readonly TriedRecord[];
  /** The provider has another page. */
  readonly more: boolean;
}

export interface Tried {
  readonly exchanges: readonly SeenExchange[];
  readonly pages: readonly TriedPage[];
  /** What it ended with: what was read before stands beside it. */
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** Never throws for what a manifest or a provider can do. */
export async function tryStream(ports: OnePorts, at: ConnectionAt, stream: string, options: TryOptions = {}): Promise<Tried> {
  const exchanges: SeenExchange[] = [];
  const pages: TriedPage[] = [];
  const watched: OnePorts = { ...ports, seen: (exchange) => { exchanges.push(exchange); ports.seen?.(exchange); } };
  try {
    await read(watched, at, stream, options, pages);
    return { exchanges, pages };
  } catch (thrown) {
    const error = thrown instanceof StreamSkipped ? new PlugboardError("RUN_STREAM_SKIPPED", { stream, say: thrown.reason })
      : thrown instanceof Waiting ? new PlugboardError("RUN_WAITING", { until: new Date(thrown.until).toISOString(), say: thrown.reason }) : thrown;
    if (!(error instanceof PlugboardError)) throw thrown;
    return { exchanges, pages, error: { code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) } };
  }
}

async function read(ports: OnePorts, at: ConnectionAt, stream: string, { pages: most = 1, key, since, select = [], into, unreviewed = false }: TryOptions, pages: TriedPage[]): Promise<void> {
  const { connector } = at;
  const plan = Object.hasOwn(connector.streams, stream) ? connector.streams[stream] : undefined;
  if (plan === undefined) throw new PlugboardError("MANIFEST_UNKNOWN_REFERENCE", { kind: "Stream", name: stream, suggestion: `It has: ${Object.keys(connector.streams).join(", ") || "none"}.` });
  const requests = requestsAt(at, ports, `try:${stream}`);
  const cursor = compileCursor(plan, stream);
  const map = into && compileMapper(into.entity, plan, stream, into.map, into.plan, cursor);
  const base: Variables = { ...requests.variables, with: plan.with, select: select.length === 0 ? undefined : select };
  const show = async (records: readonly unknown[], variables: Variables, more: boolean): Promise<void> => {
    const shown: TriedRecord[] = [];
    for (const record of records.slice(0, MOST_RECORDS)) shown.push(requests.redactor.data(await triedRecord(record, variables, map)));
    pages.push({ count: records.length, records: shown, more });
  };
  try {
    if (key !== undefined) {
      const found = await readOne(ports, at, stream, key, select);
      if (found.is === "failed") throw found.error;
      if (found.is === "auth" || found.is === "retry") throw new PlugboardError("RUN_REQUEST", { where: `streams.${stream}.one`, detail: found.reason, suggestion: "" });
      await show(found.is === "record" ? [found.record] : [], requests.visible(base), false);
      return;
    }
    const written = since !== undefined && plan.changes !== undefined ? "changes" : plan.list === undefined ? "changes" : "list";
    const doorPlan = plan[written];
    if (doorPlan === undefined) throw new PlugboardError("RUN_REQUEST", { where: `streams.${stream}`, detail: "it has no request to read its records with", suggestion: "Only its webhook or upload brings records." });
    const door = compileDoor(written, doorPlan, plan, stream, connector, requests.http);
    const now = ports.clock.now();
    const window = cursor === undefined ? { ...(since === undefined ? {} : { from: since }), to: toIso(now) } : await cursor.window(since, now, base);
    const pass = beginPass(undefined, since === undefined ? "full" : "incremental", window, door.name, door.pagination.first(), now);
    const exchange: Pick<Exchange, "send"> = {
      async send(call, variables) {
        const sent = await requests.send(unreviewed ? withoutSecretsInRequest(call, at) : call, variables);
        if (sent.is === "failed") throw sent.error;
        return { answer: sent.answer, label: call.request.where, empty: sent.empty, ...(sent.ignored === undefined ? {} : { ignored: sent.ignored }) };
      },
    };
    for (let token = door.pagination.first(), read = 0; read < most; read += 1) {
      const page = await fetchPage(token, pass, { door, exchange: exchange as Exchange, connector, base, cursor, beyondFirst: read > 0 });
      await show(page.records, page.variables, page.next !== undefined);
      if (page.next === undefined) return;
      token = page.next;
    }
  } catch (thrown) {
    throw thrown instanceof PlugboardError ? requests.redactor.error(thrown) : thrown;
  }
}

const withoutSecretsInRequest = (call: Call, { connector }: ConnectionAt): Call => ({ ...call, request: { where: call.request.where, build: (variables, accept) => call.request.build(withoutSecrets(connector, variables), accept) } });

async function triedRecord(record: unknown, variables: Variables, map: PageMapper | undefined): Promise<TriedRecord> {
  if (map === undefined) return { record: record as Json };
  const { records: [kept], quarantined: [refused], dropped: [dropped] } = await map([record], variables);
  if (kept !== undefined) return { record: record as Json, outcome: "kept", key: kept.key, mapped: kept.data };
  if (refused !== undefined) return { record: record as Json, outcome: "refused", reason: refused.reason, ...(refused.key === undefined ? {} : { key: refused.key }) };
  return { record: record as Json, outcome: "filtered", ...(dropped === undefined ? {} : { key: dropped }) };
}
