/** A tenant with flows over a provider on loopback, a database, and as many workers as a test wants. */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createTransport } from "../../../engine/components/transport/http.ts";
import { openJobs, startWorker, triggerRun, type Jobs, type Worker, type WorkerOptions } from "../../../engine/jobs/index.ts";
import type { FlowPlan, TenantPlan } from "../../../engine/plan/types.ts";
import { createKeyring, generateKey, getRun, openDatabase, saveRevision, type Database, type Keyring, type Run } from "../../../engine/store/index.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

const SECRET = "canary-token";

export interface Rig {
  readonly database: TestDatabase;
  readonly keyring: Keyring;
  readonly provider: Provider;
  readonly jobs: Jobs;
  readonly errors: Error[];
  /** Puts the tenants in force, each with the same flows. */
  apply(tenants: readonly string[], flows: Readonly<Record<string, Partial<FlowPlan>>>): Promise<void>;
  worker(options?: Partial<WorkerOptions>): Promise<Worker>;
  trigger(tenant: string, flow?: string, mode?: "full" | "incremental"): Promise<string>;
  /** The run once it is over. */
  ended(tenant: string, run: string): Promise<Run>;
  close(): Promise<void>;
}

export async function rig(): Promise<Rig> {
  const database = await testDatabase();
  const keyring = await createKeyring({ value: generateKey() });
  const provider = await startProvider();
  const errors: Error[] = [];
  const onError = (cause: Error): void => void errors.push(cause);
  const jobs = await openJobs({ db: database.db, works: true, onError });
  const closers: (() => Promise<unknown>)[] = [];
  return {
    database, keyring, provider, jobs, errors,
    async apply(tenants, flows) {
      await saveRevision(database.db, { id: randomBytes(8).toString("hex"), commit: "c0ffee", plans: tenants.map((tenant) => planOf(tenant, provider.url, flows)) });
    },
    async worker(options = {}) {
      // A pool and a queue of its own, as another process would have.
      const db: Database = options.jobs?.db ?? await openDatabase({ url: database.url, max: 6, applicationName: "plugboard test worker", onError });
      const own = options.jobs ?? await openJobs({ db, works: true, onError });
      const transport = createTransport({ allowPrivate: true });
      const worker = startWorker({ jobs: own, keyring, transport, onError, schedules: false, ...options });
      closers.unshift(async () => {
        await worker.stop(5000);
        await transport.close();
        if (options.jobs === undefined) {
          await own.close();
          await db.close();
        }
      });
      return worker;
    },
    async trigger(tenant, flow = "people", mode) {
      const created = await triggerRun(jobs.queue, database.db, tenant, { flow, connection: "crm", trigger: "api", requestedBy: "test", ...(mode === undefined ? {} : { mode }) });
      return created!.run!.id;
    },
    async ended(tenant, run) {
      for (const end = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 10))) {
        // A test may cut our own connection too.
        const found = await getRun(database.db, tenant, run).catch((thrown: unknown) => { if ((thrown as { code?: string }).code !== "STORE_UNREACHABLE") throw thrown; return undefined; });
        if (found?.finished_at !== undefined) return found;
        if (Date.now() > end) throw new Error(`run ${run} is still ${found?.status}`);
      }
    },
    async close() {
      for (const close of closers) await close();
      await jobs.close();
      provider.close();
      keyring.close();
      await database.close();
    },
  };
}

// ── the provider ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface Provider {
  readonly url: string;
  /** When the last request arrived: `performance.now()`. */
  lastRequestAt: number;
  requests: number;
  /** Records per tenant, in pages of 2. */
  records: number;
  /** Answers a request instead of the usual page; return false to let it be answered as usual. */
  instead: ((request: IncomingMessage, response: ServerResponse, page: number) => boolean | Promise<boolean>) | undefined;
  close(): void;
}

const PAGE = 2;

async function startProvider(): Promise<Provider> {
  const server = createServer((request, response) => void answer(request, response));
  const provider: Provider = { url: "", lastRequestAt: 0, requests: 0, records: 6, instead: undefined, close: () => { server.closeAllConnections(); server.close(); } };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    provider.lastRequestAt = performance.now();
    provider.requests++;
    const page = Number(new URL(request.url!, provider.url).searchParams.get("page"));
    if (await provider.instead?.(request, response, page)) return;
    const [tenant] = request.url!.split("/").filter(Boolean);
    if (request.headers.authorization !== `Bearer ${SECRET}`) return void response.writeHead(401).end("{}");
    const first = (page - 1) * PAGE;
    const items = Array.from({ length: Math.max(0, Math.min(PAGE, provider.records - first)) }, (_, i) => ({ id: first + i + 1, name: `${tenant} person ${first + i + 1}` }));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ items }));
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  Object.assign(provider, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  return provider;
}

// ── the plan ────────────────────────────────────────────────────────────────────────────────────────────────────────

function planOf(tenant: string, url: string, flows: Readonly<Record<string, Partial<FlowPlan>>>): TenantPlan {
  const flowOf = (name: string, more: Partial<FlowPlan>): FlowPlan => ({
    name, enabled: true, connection: "crm", connector: "crm", stream: "people", map: { fields: { name: { expression: "name" } } }, to: { entity: "person" },
    select: [], labels: {}, caps: {}, quarantine: { share: 0.1, count: 1000 }, ...more,
  });
  return {
    tenant: { id: tenant, title: tenant }, inputs: {}, labels: {}, reports: {}, policy: {}, limits: {}, origins: {},
    connections: { crm: { connector: "crm", enabled: true, labels: {}, config: { token: SECRET }, locks: ["token"] } },
    connectors: {
      crm: {
        id: "crm", title: "CRM", config: { token: { title: "Token" } },
        http: { base_url: `${url}/${tenant}`, hosts: ["127.0.0.1"], headers: {}, query: {}, auth: { named: { default: { type: "bearer", token: "{{config.token}}" } } }, limits: {}, errors: {}, timeouts: {} },
        streams: {
          people: {
            with: {}, key: ["id"], types: {}, errors: {},
            list: { request: { method: "GET", path: "/people", query: { page: "=page.number" }, errors: {} }, records: "items", pagination: { type: "page", start: 1, size: PAGE } },
          },
        },
      },
    },
    entities: { person: { schema: { type: "object", properties: { name: { type: "string" } } }, match: [], prefer: [], custom: [] } },
    flows: Object.fromEntries(Object.entries(flows).map(([name, more]) => [name, flowOf(name, more)])),
  };
}
