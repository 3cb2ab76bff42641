/** A server that receives webhooks, and tenants with a connector that sends some: signed, unsigned, thin, whole, for one and for all. */
import { createHmac, randomBytes } from "node:crypto";
import { createServer as createHttp, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { createTransport } from "../../../engine/components/transport/http.ts";
import { openJobs, startWorker, type Jobs, type Worker, type WorkerOptions } from "../../../engine/jobs/index.ts";
import type { ConnectorPlan, FlowPlan, QueuePlan, StreamPlan, TenantPlan, WebhookPlan } from "../../../engine/plan/types.ts";
import { createKeyring, generateKey, listEvents, listRecords, makeEndpoint, openDatabase, PLATFORM, saveConnectors, saveFeeds, saveRevision, setConnection, type EndpointName, type EventState, type Keyring } from "../../../engine/store/index.ts";
import { describeConnector } from "../../../engine/plan/index.ts";
import { createServer, type ServerOptions } from "../../../server/api/server.ts";
import { issueKey } from "../../../server/main.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

export const SECRET = "whk-canary";

export interface IntakeRig {
  readonly database: TestDatabase;
  readonly keyring: Keyring;
  /** What the keyring was made from, for other processes. */
  readonly kek: string;
  readonly jobs: Jobs;
  readonly errors: Error[];
  server: FastifyInstance;
  readonly provider: PeopleProvider;
  /** Operator's key. */
  readonly key: string;
  apply(tenants: readonly string[], change?: Partial<Parts>): Promise<void>;
  /** `/webhooks/crm/<token>` */
  address(tenant: string, name: Partial<EndpointName> & { feed: string }): Promise<string>;
  worker(options?: Partial<WorkerOptions>): Promise<Worker>;
  /** Signed as the feed `people` wants it. */
  send(url: string, body: unknown, more?: { headers?: Record<string, string>; secret?: string }): Promise<{ statusCode: number; body: string; headers: Record<string, unknown> }>;
  api(method: "GET" | "POST" | "DELETE", url: string, body?: unknown): Promise<{ statusCode: number; json: () => any; body: string }>;
  events(tenant: string): Promise<EventState[]>;
  names(tenant: string): Promise<string[]>;
  /** Once nothing is pending or read any more. */
  settled(tenant: string, count?: number): Promise<EventState[]>;
  close(): Promise<void>;
}

export interface Parts {
  readonly webhooks: Readonly<Record<string, WebhookPlan>>;
  readonly queues: Readonly<Record<string, QueuePlan>>;
  readonly flows: Readonly<Record<string, Partial<FlowPlan>>>;
  readonly connection: Partial<TenantPlan["connections"][string]>;
  /** Instead of the version `v`. */
  readonly stream: Partial<StreamPlan>;
}

const signed = (body: string, secret: string): string => createHmac("sha256", secret).update(body).digest("hex");

export async function intakeRig(options: Partial<ServerOptions> = {}): Promise<IntakeRig> {
  const database = await testDatabase();
  const kek = generateKey();
  const keyring = await createKeyring({ value: kek });
  const errors: Error[] = [];
  const onError = (cause: Error): void => void errors.push(cause);
  const jobs = await openJobs({ db: database.db, works: true, onError });
  const provider = await peopleProvider();
  const server = await createServer({ db: database.db, jobs, keyring, allowPrivate: true, logLevel: "silent", ...options });
  const key = await issueKey(database.db, { name: "operator", scopes: ["*"] });
  const closers: (() => Promise<unknown>)[] = [];
  const it: IntakeRig = {
    database, keyring, kek, jobs, errors, server, provider, key,
    async apply(tenants, change = {}) {
      const plans = tenants.map((tenant) => planOf(tenant, provider.url, change));
      await saveRevision(database.db, { id: randomBytes(8).toString("hex"), plans });
      const connector = plans[0]!.connectors["crm"]!;
      await saveConnectors(database.db, [describeConnector(connector)]);
      await saveFeeds(database.db, [connector]);
      for (const tenant of tenants) await setConnection(database.db, keyring, tenant, "crm", { connector: "crm", config: {}, secrets: { key: SECRET }, account: { id: `account of ${tenant}` } });
    },
    async address(tenant, { feed, connection = "crm" }) {
      const { token } = await makeEndpoint(database.db, tenant, tenant === PLATFORM ? { connector: "crm", feed } : { connector: "crm", connection, feed }, "test");
      return `/webhooks/crm/${token}`;
    },
    async worker(more = {}) {
      const db = await openDatabase({ url: database.url, max: 6, applicationName: "plugboard test worker", onError });
      const own = await openJobs({ db, works: true, onError });
      const transport = createTransport({ allowPrivate: true });
      const worker = startWorker({ jobs: own, keyring, transport, onError, schedules: false, ...more });
      closers.unshift(async () => { await worker.stop(5000); await transport.close(); await own.close(); await db.close(); });
      return worker;
    },
    async send(url, body, { headers = {}, secret = SECRET } = {}) {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return it.server.inject({ method: "POST", url, payload: text, headers: { "content-type": "application/json", "x-signature": signed(text, secret), ...headers } });
    },
    api: (method, url, body) => it.server.inject({ method, url, headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) }),
    events: async (tenant) => (await listEvents(database.db, tenant, { limit: 1000 })).items.toReversed(),
    names: async (tenant) => (await listRecords(database.db, tenant, "person", { limit: 1000 })).items.map((row) => `${row["links"] === undefined ? "" : Object.values(row["links"] as object).join()}:${String(row["name"])}`).toSorted(),
    async settled(tenant, count = 1) {
      for (const end = Date.now() + 15_000; ; await new Promise((resolve) => setTimeout(resolve, 10))) {
        const events = await it.events(tenant);
        if (events.length >= count && events.every(({ status }) => status !== "pending" && status !== "reading")) return events;
        if (Date.now() > end) throw new Error(`still: ${JSON.stringify(events.filter(({ status }) => status === "pending" || status === "reading").slice(0, 3))} (${errors.map(String).join("; ")})`);
      }
    },
    async close() {
      for (const close of closers) await close();
      await it.server.close();
      await jobs.close();
      provider.close();
      keyring.close();
      await database.close();
    },
  };
  return it;
}

// ── the provider ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface PeopleProvider {
  readonly url: string;
  /** By key; what is not here is answered with 404. */
  readonly people: Map<string, object>;
  readonly reads: string[];
  readonly acks: string[];
  /** Messages of the queue, each answered once until it is acknowledged. */
  readonly queue: { id: string; body: unknown }[];
  instead: ((path: string, response: ServerResponse) => boolean | Promise<boolean>) | undefined;
  close(): void;
}

async function peopleProvider(): Promise<PeopleProvider> {
  const server = createHttp((request, response) => void answer(request.method!, request.url!, response));
  const provider: PeopleProvider = { url: "", people: new Map(), reads: [], acks: [], queue: [], instead: undefined, close: () => { server.closeAllConnections(); server.close(); } };
  const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  const answer = async (method: string, url: string, response: ServerResponse): Promise<void> => {
    if (await provider.instead?.(url, response)) return;
    const [, kind, key] = /^\/(people|queue)\/?([^?]*)/.exec(url) ?? [];
    if (kind === "queue" && method === "GET") {
      const [message] = provider.queue;
      if (message === undefined) response.writeHead(204).end();
      else json(response, 200, message.body, { "message-id": message.id });
      return;
    }
    if (kind === "queue") {
      provider.acks.push(key!);
      const at = provider.queue.findIndex(({ id }) => id === key);
      if (at >= 0) provider.queue.splice(at, 1);
      return json(response, 200, {});
    }
    provider.reads.push(key!);
    const person = provider.people.get(key!);
    json(response, person === undefined ? 404 : 200, person ?? { error: "unknown" });
  };
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  Object.assign(provider, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  return provider;
}

// ── the plan ────────────────────────────────────────────────────────────────────────────────────────────────────────

export const hmac = { named: { default: { type: "hmac", secret: "{{config.key}}", signature: { header: "x-signature", encoding: "hex" } } } };
const nothing = { with: {}, replies: [], subscribe: {} };

/** `people`: whole records, signed, for one connection. `hints`: thin, unsigned. `app`: for all customers. */
export const webhooks: Readonly<Record<string, WebhookPlan>> = {
  people: {
    ...nothing, verify: hmac, each: "body.events", id: ["id"], at: "at", echo: 'source = "us"',
    events: {
      person: { when: "type = 'person'", stream: "people", record: "person" },
      touched: { when: "type = 'touched'", stream: "people", key: ["person.id"] },
      gone: { when: "type = 'gone'", stream: "people", key: ["person.id"], deleted: true },
      other: { when: "type = 'other'", stream: "others", key: ["person.id"], record: "person" },
    },
  },
  hints: { ...nothing, verify: { named: { default: { type: "secret_url" } } }, id: [], events: { touched: { when: "$exists(body.person)", stream: "people", key: ["body.person"] } } },
  app: { ...nothing, scope: "app", verify: hmac, each: "body", id: ["subscription", "event"], account: "$string(account)", events: { person: { stream: "people", record: "person" } } },
  asked: {
    ...nothing, verify: hmac, id: ["body.id"],
    replies: [
      { name: "challenge", when: "$exists(request.query.challenge)", unsigned: true, handshake: true, status: 200, text: "{{request.query.challenge}}" },
      { name: "ping", when: "body.type = 'PING'", handshake: true, status: 200, json: { type: "PONG" } },
      { name: "html", when: "body.type = 'HTML'", handshake: true, status: 200, headers: { "Content-Type": "text/html" }, text: "{{body.text}}" },
      { when: "true", status: 202 },
    ],
    events: { person: { stream: "people", record: "body.person" } },
  },
};

function planOf(tenant: string, url: string, change: Partial<Parts>): TenantPlan {
  const flowOf = (name: string, more: Partial<FlowPlan>): FlowPlan => ({
    name, enabled: true, connection: "crm", connector: "crm", stream: "people", map: { where: "$not(active = false)", fields: { name: { expression: "name" } } }, to: { entity: "person" },
    select: [], labels: {}, caps: {}, quarantine: { share: 0.1, count: 1000 }, ...more,
  });
  const connector: ConnectorPlan = {
    id: "crm", title: "CRM", config: { key: { title: "Key", secret: true } },
    http: { base_url: url, hosts: ["127.0.0.1"], headers: {}, query: {}, limits: {}, errors: {}, timeouts: {} },
    streams: {
      people: {
        with: {}, key: ["id"], types: {}, errors: {},
        list: { request: { method: "GET", path: "/people", errors: {} }, records: "items" },
        one: { request: { method: "GET", path: "/people/{{key}}", errors: {} }, gone: "status = 404" },
        ...(change.stream ?? { version: "v" }),
      },
      others: { with: {}, key: ["id"], types: {}, errors: {} },
    },
    webhooks: change.webhooks ?? webhooks, ...(change.queues === undefined ? {} : { queues: change.queues }),
  };
  return {
    tenant: { id: tenant, title: tenant }, inputs: {}, labels: {}, reports: {}, policy: {}, limits: {}, origins: {},
    connections: { crm: { connector: "crm", enabled: true, labels: {}, config: {}, locks: [], ...change.connection } },
    connectors: { crm: connector },
    entities: { person: { schema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] }, match: [], prefer: [], custom: [] } },
    flows: Object.fromEntries(Object.entries(change.flows ?? { people: {} }).map(([name, more]) => [name, flowOf(name, more)])),
  };
}
