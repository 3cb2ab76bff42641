/**
 * From a request to its answer. In this order, and each step only when the one before let it pass:
 *
 *   flood → address → body within its limits → proof on the raw bytes → JSON → answer of a handshake → items, routed → commit → 200
 *
 * Nothing that is answered with 2xx and holds items is anywhere but on disk. An address that does not exist and a proof that
 * fails are answered alike, after alike work.
 */
import type { IncomingRequest, Verdict } from "../../engine/components/kinds.ts";
import { hintOf, messageOf, PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { Json } from "../../engine/manifest/types.ts";
import type { FeedItem, FeedReply, SeenRequest } from "../../engine/run/feed.ts";
import { PLATFORM, type ArrivedItem, type Database } from "../../engine/store/index.ts";
import { inTenant } from "../../engine/store/database.ts";
import type { Commits } from "./group-commit.ts";
import type { Flood } from "./flood.ts";
import type { Refusals } from "./refusals.ts";
import { parseStrictly } from "./strict-json.ts";
import type { Target } from "./targets.ts";

/** Where a request may lead to. */
export interface Address {
  /** Tells addresses apart, for the limit of each. */
  readonly name: string;
  /** @param fresh what is known is looked up again. */
  find(fresh: boolean): Promise<Target | undefined>;
}

export interface Arriving {
  readonly method: string;
  /** As the sender addressed it: scheme, host, path and query. */
  readonly url: string;
  readonly headers: IncomingRequest["headers"];
  /** @throws PlugboardError SERVER_TOO_LARGE, SERVER_ENCODED, SERVER_SLOW */
  body(limit: number): Promise<Buffer>;
}

export interface Answered { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }

export interface Received { readonly items: number; readonly duplicates: number }

export interface IntakeOptions {
  readonly db: Database;
  readonly commits: Commits;
  readonly flood: Flood;
  readonly refusals: Refusals;
  owners(connector: string, account: string): Promise<readonly { readonly tenant: string; readonly tenantId: string; readonly connection: string }[]>;
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
  /** What became of every request, for metrics. */
  seen?(outcome: "accepted" | "handshake" | "refused" | "malformed" | "flood" | "unavailable", received?: Received): void;
}

const DEFAULT_BODY_BYTES = 1 << 20;
const MOST_BODY_BYTES = 10 << 20;
const EMPTY: Answered = { status: 200, headers: {}, body: "" };

export interface Intake { receive(address: Address, arriving: Arriving): Promise<Answered> }

export function createIntake(options: IntakeOptions): Intake {
  const { db, commits, flood, refusals, owners } = options;
  const now = options.now ?? Date.now;
  const seen = options.seen ?? (() => undefined);
  let platformId: Promise<string> | undefined;
  const ofPlatform = (): Promise<string> => (platformId ??= inTenant(db, PLATFORM, async ({ tenantId }) => tenantId).catch((thrown: unknown) => { platformId = undefined; throw thrown; }));

  async function receive(address: Address, arriving: Arriving): Promise<Answered> {
    const wait = flood.admit(address.name, now());
    if (wait !== undefined) {
      seen("flood");
      throw new PlugboardError("SERVER_TOO_MANY", {}, { retryAfterSeconds: wait });
    }
    try {
      let target = await address.find(false);
      const limit = Math.min(target?.plan.max_body_bytes ?? DEFAULT_BODY_BYTES, MOST_BODY_BYTES);
      const body = arriving.method === "GET" || arriving.method === "HEAD" ? Buffer.alloc(0) : await arriving.body(limit);
      const incoming: IncomingRequest = { method: arriving.method, url: arriving.url, headers: arriving.headers, body };
      let verdict = await prove(target, incoming);
      if (!verdict.accepted) {
        target = await address.find(true);                 // perhaps what was known is old
        verdict = await prove(target, incoming);
      }
      if (target === undefined || !verdict.accepted) return await refuse(target, incoming, verdict);
      return await accept(target, incoming, verdict);
    } catch (thrown) {
      const code = thrown instanceof PlugboardError ? thrown.code : "";
      if (code !== "SERVER_WEBHOOK_REFUSED") seen(code.startsWith("STORE_") || code === "" ? "unavailable" : "malformed");
      throw thrown;
    }
  }

  async function prove(target: Target | undefined, incoming: IncomingRequest): Promise<Verdict> {
    if (target === undefined) return { accepted: false, reason: "there is no such address" };
    return target.verifier.verify(incoming, target.sets, now());
  }

  /** A handshake that its provider does not sign is answered all the same: it says nothing that the sender has not said. */
  async function refuse(target: Target | undefined, incoming: IncomingRequest, verdict: Verdict): Promise<Answered> {
    if (target !== undefined) {
      const reply = await target.feed.reply(seenRequest(incoming, readQuietly(incoming.body)), target.variables, true).catch(() => undefined);
      if (reply !== undefined) {
        seen("handshake");
        return answerOf(reply);
      }
      refusals.note(target.endpoint, verdict.accepted ? "" : verdict.reason, now());
    }
    seen("refused");
    throw new PlugboardError("SERVER_WEBHOOK_REFUSED", {});
  }

  async function accept(target: Target, incoming: IncomingRequest, verdict: Extract<Verdict, { accepted: true }>): Promise<Answered> {
    const variables = { ...target.variables, ...verdict.variables, ...(verdict.timestamp === undefined ? {} : { timestamp: verdict.timestamp }) };
    const decoded = verdict.body === undefined ? decode(incoming, target.plan.encoding) : { value: verdict.body, isBody: false };
    const request = seenRequest(incoming, decoded.value);
    const reply = await target.feed.reply(request, variables, false);
    if (reply?.handshake === true) {
      seen("handshake");
      return answerOf(reply);
    }
    const received = incoming.method === "GET" || incoming.method === "HEAD" ? { items: 0, duplicates: 0 } : await store(target, incoming, decoded, await target.feed.split(request, variables));
    seen("accepted", received);
    return reply === undefined ? EMPTY : answerOf(reply);
  }

  /** Commits what the request brings to each connection; all of it before anything is answered. */
  async function store(target: Target, incoming: IncomingRequest, decoded: Decoded, items: readonly FeedItem[]): Promise<Received> {
    if (items.length === 0) return { items: 0, duplicates: 0 };
    const { endpoint, connector } = target;
    const { method, url, headers, body } = incoming;
    const common = { connector, feed: endpoint.feed, door: "webhook" as const };
    /** The body as an item of its own: where it is no JSON (a form, a token's claims), and where the request is shared. */
    const whole = (item: FeedItem): FeedItem => (target.plan.each !== undefined || item.item !== undefined ? item : { ...item, item: (decoded.value ?? null) as Json });
    if (endpoint.connection !== undefined) {
      return commits.add(endpoint.tenant, endpoint.tenantId, { ...common, connection: endpoint.connection, bytes: body.length, request: { method, url, headers, body }, items: (decoded.isBody ? items : items.map(whole)).map(arrived) });
    }
    // One address for all customers: each gets its own items, the operator keeps the request.
    const routed = new Map<string, { tenant: string; tenantId: string; connection: string; items: ArrivedItem[] }>();
    const nobodys: ArrivedItem[] = [];
    for (const each of items.map(whole)) {
      const found = each.account === undefined ? [] : await owners(connector, each.account);
      if (found.length === 0) nobodys.push(each.problem === undefined ? unrouted(each, connector) : arrived(each));
      for (const owner of found) {
        const name = JSON.stringify([owner.tenantId, owner.connection]);
        let line = routed.get(name);
        if (line === undefined) routed.set(name, line = { ...owner, items: [] });
        line.items.push(arrived(each));
      }
    }
    const request = { method, url, headers };
    const stored = await Promise.all([
      ...[...routed.values()].map((line) => commits.add(line.tenant, line.tenantId, { ...common, connection: line.connection, bytes: body.length, request, items: line.items })),
      commits.add(PLATFORM, await ofPlatform(), { ...common, connection: "", bytes: body.length, request: { ...request, body }, items: nobodys, keep: true }),
    ]);
    return stored.reduce((sum, each) => ({ items: sum.items + each.items, duplicates: sum.duplicates + each.duplicates }));
  }

  return { receive };
}

const answerOf = ({ status, headers, body }: FeedReply): Answered => ({ status, headers, body });

/** `isBody`: the value can be read from the body alone. */
interface Decoded { readonly value: unknown; readonly isBody: boolean }

/** As the feed says, whatever the request says about itself. @throws PlugboardError EVENT_BODY */
function decode({ body }: IncomingRequest, encoding: Target["plan"]["encoding"]): Decoded {
  if (body.length === 0) return { value: undefined, isBody: true };
  return encoding === "form" ? { value: formOf(body), isBody: false } : { value: parseStrictly(body), isBody: true };
}

const MOST_FORM_FIELDS = 1000;

function formOf(body: Uint8Array): Record<string, string> {
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(Buffer.from(body).toString("utf8"))) {
    if (name === "__proto__" || name === "constructor" || form.has(name)) throw new PlugboardError("EVENT_BODY", { detail: `it has the field '${name.slice(0, 60)}' twice, or no field may be called so`, suggestion: "" });
    form.set(name, value);
    if (form.size > MOST_FORM_FIELDS) throw new PlugboardError("EVENT_BODY", { detail: `it has more than ${MOST_FORM_FIELDS} fields`, suggestion: "" });
  }
  return Object.fromEntries(form);
}

/** Of a request that is not proven: for the `when` of a handshake. */
function readQuietly(body: Uint8Array): unknown {
  try {
    return body.length === 0 || body.length > 64 * 1024 ? undefined : parseStrictly(body);
  } catch {
    return undefined;
  }
}

const seenRequest = ({ method, url, headers, body }: IncomingRequest, decoded: unknown): SeenRequest => ({ method, url, headers, body: decoded, text: () => Buffer.from(body).toString("utf8") });

function arrived({ problem, ...item }: FeedItem): ArrivedItem {
  return problem === undefined ? item : { ...item, end: { status: "failed", code: problem.code, reason: problem.message } };
}

function unrouted(item: FeedItem, connector: string): ArrivedItem {
  const params = { account: item.account ?? "(none)", connector };
  return { ...arrived(item), end: { status: "unrouted", code: "EVENT_UNROUTED", reason: `${messageOf("EVENT_UNROUTED", params)} ${hintOf("EVENT_UNROUTED", params) ?? ""}`.trim() } };
}
