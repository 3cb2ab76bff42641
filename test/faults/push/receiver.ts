/**
 * Where deliveries go: it fails before it does what it is asked, fails after, says nothing, hangs up, is slow, has enough. It
 * keeps what came in the order in which it came, and what it did; nobody asks the engine what it sent.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { seeded } from "../../../server/demo/data/random.ts";
import { TOKEN } from "./fixture.ts";

export interface Arrived {
  readonly what: "note" | "hook" | "create" | "update";
  /** Of the delivery: its idempotency key, its `webhook-id`; none for a save. */
  readonly id?: string;
  /** Which record, and which of its states. */
  readonly ref: string;
  readonly n: number;
}

const FAULTS = ["error", "error_done", "silent_done", "reset", "reset_done", "too_many", "slow"] as const;
export type ReceiverFault = (typeof FAULTS)[number];

export interface FlakyReceiver {
  readonly url: string;
  /** Every request that came whole, done or not. */
  readonly arrived: readonly Arrived[];
  /** Idempotency key → what was done under it. */
  readonly notes: ReadonlyMap<string, Arrived>;
  /** Records made, by id. */
  readonly members: ReadonlyMap<string, { readonly ref: string; readonly v: number }>;
  readonly hooks: readonly Arrived[];
  /** Requests that nobody may send: a wrong signature, a key that was used for something else. */
  readonly wrong: readonly string[];
  readonly faults: Readonly<Record<ReceiverFault, number>>;
  /** Lookups of what a try of unknown outcome made. */
  readonly lookups: number;
  /** What signs outgoing webhooks. */
  trust(secret: string): void;
  calm(): void;
  close(): Promise<void>;
}

/** Shorter than a worker's lease: what a dead worker sent is done before another one looks. */
const SLOW_MILLISECONDS = 300;

export async function startFlakyReceiver({ seed, faultShare }: { seed: number; faultShare: number }): Promise<FlakyReceiver> {
  const random = seeded(seed + 7);
  const faults = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<ReceiverFault, number>;
  const arrived: Arrived[] = [];
  const hooks: Arrived[] = [];
  const wrong: string[] = [];
  const notes = new Map<string, Arrived>();
  const members = new Map<string, { ref: string; v: number }>();
  let [made, lookups, calm] = [0, 0, false];
  let hooksOf: Webhook | undefined;

  const nextFault = (): ReceiverFault | undefined => {
    if (calm || !random.chance(faultShare)) return undefined;
    // Its kind goes round: a short storm has every kind, too.
    const fault = FAULTS[Object.values(faults).reduce((sum, count) => sum + count, 0) % FAULTS.length]!;
    faults[fault] += 1;
    return fault;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url!, "http://receiver.invalid");
    const reply = (status: number, body: unknown, headers: Record<string, string> = {}): void => void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    const does = understand(request, url, text);
    if (does === undefined) return reply(404, {});
    const fault = nextFault();
    if (fault === "too_many") return reply(429, {}, { "retry-after": "1" });
    if (fault === "error") return reply(503, { error: "not now" });
    if (fault === "reset") return void request.socket.destroy();
    if (fault === "slow") await new Promise((resolve) => { setTimeout(resolve, SLOW_MILLISECONDS); });
    const { status, body } = does();
    if (fault === "error_done") return reply(500, { error: "done, but who knows" });
    if (fault === "reset_done") return void request.socket.destroy();
    // An outgoing webhook is waited for 30 s: there the answer is cut off, which leaves as little knowledge.
    if (fault === "silent_done") return void (url.pathname === "/hook" ? request.socket.destroy() : undefined);
    return reply(status, body);
  };

  /** What the request would do; undefined: no such address. */
  const understand = (request: IncomingMessage, url: URL, text: string): (() => { status: number; body: unknown }) | undefined => {
    const header = (name: string): string => String(request.headers[name] ?? "");
    const body = (text === "" ? {} : JSON.parse(text)) as { ref?: string; n?: number; v?: number; data?: { ref?: string; v?: number } };
    const known = (one: Arrived): Arrived => { arrived.push(one); return one; };
    if (url.pathname === "/hook") {
      const one = known({ what: "hook", id: header("webhook-id"), ref: body.data?.ref ?? "?", n: body.data?.v ?? -1 });
      try {
        hooksOf?.verify(text, { "webhook-id": header("webhook-id"), "webhook-timestamp": header("webhook-timestamp"), "webhook-signature": header("webhook-signature") });
      } catch (thrown) {
        wrong.push(`a webhook of ${one.ref}: ${(thrown as Error).message}`);
      }
      return () => { hooks.push(one); return { status: 200, body: {} }; };
    }
    if (header("authorization") !== `Bearer ${TOKEN}`) { wrong.push(`${request.method} ${url.pathname} without the token`); return () => ({ status: 401, body: {} }); }
    if (url.pathname === "/notes") {
      const one = known({ what: "note", id: header("idempotency-key"), ref: body.ref!, n: body.n! });
      return () => {
        const before = notes.get(one.id!);
        if (before !== undefined && (before.ref !== one.ref || before.n !== one.n)) wrong.push(`the key of ${before.ref} ${before.n} came with ${one.ref} ${one.n}`);
        notes.set(one.id!, one);
        return { status: 200, body: {} };
      };
    }
    if (url.pathname === "/members" && request.method === "GET") {
      lookups += 1;
      return () => ({ status: 200, body: { items: [...members].filter(([, { ref }]) => ref === url.searchParams.get("ref")).map(([id, member]) => ({ id, ...member })) } });
    }
    if (url.pathname === "/members") {
      const one = known({ what: "create", ref: body.ref!, n: body.v! });
      return () => { const id = `m${++made}`; members.set(id, { ref: one.ref, v: one.n }); return { status: 201, body: { id } }; };
    }
    const id = /^\/members\/(.+)$/.exec(url.pathname)?.[1];
    if (id === undefined) return undefined;
    const one = known({ what: "update", ref: body.ref!, n: body.v! });
    return () => {
      if (members.get(id)?.ref !== one.ref) { wrong.push(`${id} is ${members.get(id)?.ref}, and was changed as ${one.ref}`); return { status: 404, body: {} }; }
      members.set(id, { ref: one.ref, v: one.n });
      return { status: 200, body: { id } };
    };
  };

  const server = createServer((request, response) => void answer(request, response).catch(() => request.socket.destroy()));
  server.keepAliveTimeout = 30_000;
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, arrived, notes, members, hooks, wrong, faults,
    get lookups() { return lookups; },
    trust(secret) { hooksOf = new Webhook(secret); },
    calm() { calm = true; },
    close: () => new Promise((resolve) => { server.close(() => resolve()); server.closeAllConnections(); }),
  };
}
