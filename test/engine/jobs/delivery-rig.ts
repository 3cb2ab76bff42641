/** A tenant whose contacts are changed page by page, a receiver on loopback that plays provider and host product, and workers that deliver. */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { createTransport } from "../../../engine/components/transport/http.ts";
import { startDeliverer, type Deliverer, type DelivererOptions } from "../../../engine/jobs/deliverer.ts";
import { PlanCache } from "../../../engine/jobs/execute-run.ts";
import type { JsonObject } from "../../../engine/manifest/types.ts";
import type { ActionPlan, ChangeFlowPlan, EntityPlan, FlowPlan, TenantPlan } from "../../../engine/plan/types.ts";
import type { Checkpoint, PageCommit, RunStore } from "../../../engine/run/ports.ts";
import { systemClock } from "../../../engine/run/system-clock.ts";
import { buckets, claimRun, createKeyring, createRun, currentRevision, type Delivery, generateKey, type Keyring, listDeliveries, runStore, saveRevision } from "../../../engine/store/index.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";

export const TOKEN = "canary-token-of-the-provider";

export interface Received { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders; readonly body: JsonObject; readonly text: string; readonly at: number }
export type Answering = (request: Received) => { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown; readonly hangUp?: boolean } | Promise<{ readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown; readonly hangUp?: boolean }>;

export interface DeliveryRig {
  readonly database: TestDatabase;
  readonly keyring: Keyring;
  readonly url: string;
  readonly received: Received[];
  readonly errors: Error[];
  /** How the receiver answers; 200 with `{ id }` until a test says otherwise. */
  answer: Answering;
  apply(change: PlanChange, tenants?: readonly string[]): Promise<void>;
  /** Commits a page of contacts of a connection, as an incremental poll unless `how` says otherwise. */
  page(records: readonly { key: string; data: JsonObject; version?: string }[], how?: { tenant?: string; connection?: string; mode?: "poll" | "first_load" | "sweep" | "resync"; gone?: readonly string[] }): Promise<void>;
  deliverer(options?: Partial<DelivererOptions>): Deliverer;
  /** Once as many deliveries of the flow are over (or in `status`) as asked for, all of its deliveries, oldest first. */
  settled(count: number, flow?: string, tenant?: string): Promise<Delivery[]>;
  deliveries(flow?: string, tenant?: string): Promise<Delivery[]>;
  /** Makes everything that waits for a later time due now. */
  hurry(): Promise<void>;
  admin<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Stops the deliverers and forgets everything a test made: cheaper than a database for each. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export interface PlanChange {
  readonly flows: Readonly<Record<string, Partial<ChangeFlowPlan> & Pick<ChangeFlowPlan, "to">>>;
  readonly actions?: Readonly<Record<string, Partial<ActionPlan>>>;
  readonly entity?: Partial<EntityPlan>;
  /** Connections that the entity is read from; `crm` and `shop`. */
  readonly inward?: Readonly<Record<string, Partial<FlowPlan>>>;
  readonly enabled?: Readonly<Record<string, boolean>>;
}

export const contact: EntityPlan = { schema: { type: "object", properties: { name: { type: "string" }, email: { type: "string" }, phone: { type: "string" }, stage: { type: "string" }, company: { type: "string" } } }, match: [], prefer: [], custom: [] };

export const posting = (path: string, more: Partial<ActionPlan> = {}): ActionPlan => ({
  input: {}, with: {}, request: { method: "POST", path, headers: { "idempotency-key": "{{delivery.key}}" }, body: { encoding: "json", value: "=input" }, errors: {} }, before: {}, after: {}, once: { is: "repeatable" }, irreversible: false, reads_current: false, ...more,
});

export const saving = (): Record<string, ActionPlan> => ({
  create: posting("/contacts", { effect: { does: "creates", stream: "contacts" }, returns: { key: ["body.id"], version: "body.version" } }),
  update: posting("/contacts/{{key}}", { effect: { does: "updates", stream: "contacts" }, request: { method: "PATCH", path: "/contacts/{{key}}", body: { encoding: "json", value: "=input" }, errors: {} }, returns: { version: "body.version" } }),
  remove: posting("/contacts/{{key}}", { effect: { does: "deletes", stream: "contacts" }, request: { method: "DELETE", path: "/contacts/{{key}}", errors: {} } }),
});

const fields = { name: { expression: "name" }, email: { expression: "email" } };

export async function deliveryRig(): Promise<DeliveryRig> {
  const database = await testDatabase();
  const keyring = await createKeyring({ value: generateKey() });
  const received: Received[] = [];
  const errors: Error[] = [];
  const closers: (() => Promise<unknown>)[] = [];
  const stores = new Map<string, { store: RunStore; epoch: number }>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void (async () => {
      const text = Buffer.concat(chunks).toString();
      const one: Received = { method: request.method!, url: request.url!, headers: request.headers, text, body: text === "" ? {} : JSON.parse(text) as JsonObject, at: performance.now() };
      received.push(one);
      const { status = 200, headers = {}, body = { id: `made-${received.length}`, version: String(received.length) }, hangUp } = await rig.answer(one);
      if (hangUp === true) return void request.socket.destroy();
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(status === 204 ? undefined : JSON.stringify(body));
    })());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const storeOf = async (tenant: string, connection: string, resync: boolean): Promise<{ store: RunStore; epoch: number }> => {
    const revision = (await currentRevision(database.db, tenant))!;
    const name = JSON.stringify([tenant, connection, revision, resync]);
    const known = stores.get(name);
    if (known !== undefined) return known;
    await asAdmin(database.url, "update runs set status = 'succeeded', finished_at = now() where status in ('queued', 'running')");
    const { run } = await createRun(database.db, { tenant, flow: `${connection}_in`, connection, trigger: "manual", revision });
    await claimRun(database.db, { tenant, run: run!.id, owner: "test", leaseSeconds: 300 });
    const entityPlan = plans.get(tenant)!.entities["contact"]!;
    const store = runStore(database.db, keyring, { tenant, flow: { tenant, connection, flow: `${connection}_in` }, stream: "contacts", entity: "contact", entityPlan, labels: {}, run: run!.id, revision, owner: "test", leaseSeconds: 300, ...(resync ? { resync } : {}) });
    const begun = await store.begin();
    stores.clear();                                        // an older epoch is fenced
    stores.set(name, { store, epoch: begun.epoch });
    return stores.get(name)!;
  };
  const plans = new Map<string, TenantPlan>();

  const rig: DeliveryRig = {
    database, keyring, url, received, errors,
    answer: () => ({}),
    async apply(change, tenants = ["acme"]) {
      const made = tenants.map((tenant) => planOf(tenant, url, change));
      for (const plan of made) plans.set(plan.tenant.id, plan);
      await saveRevision(database.db, { id: randomBytes(8).toString("hex"), commit: "c0ffee", plans: made });
    },
    async page(records, { tenant = "acme", connection = "crm", mode = "poll", gone = [] } = {}) {
      const { store, epoch } = await storeOf(tenant, connection, mode === "resync");
      const pass = { mode: mode === "poll" ? "incremental" as const : "full" as const, window: { to: "2026-03-01T09:00:00Z" }, door: "list", page: {}, complete: true, begun_at: "2026-03-01T09:00:00Z", tokens: [], pages: 0, ...(mode === "poll" ? {} : { sweep: 1 }) };
      const checkpoint: Checkpoint = { ...(mode === "first_load" ? {} : { from: "2026-02-01T00:00:00Z" }), pass };
      const page: PageCommit = { records: records.map((record) => ({ ...record, raw: { ...record.data, at: record.version ?? null } })), dropped: [], gone, quarantined: [], filtered: 0, checkpoint, requests: 1, retries: 0, bytes: 1 };
      await store.commitPage(page, epoch);
    },
    deliverer(options = {}) {
      const transport = createTransport({ allowPrivate: true });
      const deliverer = startDeliverer({
        db: database.db, keyring, plans: new PlanCache(database.db), transport, buckets: buckets(database.db), clock: systemClock, owner: `worker-${closers.length}`, pollMilliseconds: 25,
        onError: (cause) => errors.push(cause), ...options,
      });
      closers.unshift(async () => { await deliverer.stop(3000); await transport.close(); });
      return deliverer;
    },
    async settled(count, flow = "out", tenant = "acme") {
      const OVER = new Set(["delivered", "unchanged", "failed", "exhausted", "cancelled", "rejected", "superseded", "unknown", "held"]);
      for (const end = Date.now() + 15_000; ; await new Promise((resolve) => setTimeout(resolve, 10))) {
        const all = await rig.deliveries(flow, tenant);
        if (all.filter(({ status }) => OVER.has(status)).length >= count) return all;
        if (Date.now() > end) throw new Error(`waited in vain: ${JSON.stringify(all.map(({ status, code, reason }) => [status, code, reason]))} ${errors.map(String).join("; ")}`);
      }
    },
    deliveries: async (flow = "out", tenant = "acme") => (await listDeliveries(database.db, tenant, { flow, limit: 1000 })).items.toReversed(),
    async hurry() {
      await asAdmin(database.url, "update breakers set opened_until = now() where opened_until is not null");
      await asAdmin(database.url, "update deliveries set due_at = now() where status in ('queued', 'waiting')");
    },
    admin: (text, values = []) => asAdmin(database.url, text, values),
    async reset() {
      for (const close of closers.splice(0)) await close();
      await asAdmin(database.url, `truncate row_changes, unfired_changes, fired_rows, deliveries, delivery_attempts, links, breakers, outgoing_endpoints, endpoint_secrets, minted_tokens, change_flows,
        contributions, entity_rows, entity_aliases, match_values, entity_clocks, checkpoints, runs, run_log, sweep_seen, sweep_holds, quarantine, rate_buckets, connections, plans, tenant_revisions cascade`);
      await asAdmin(database.url, "update tenants set revision = null, plan_hash = null, newest_hash = null");
      stores.clear();
      received.length = errors.length = 0;
      rig.answer = () => ({});
    },
    async close() {
      for (const close of closers) await close();
      server.closeAllConnections();
      server.close();
      keyring.close();
      await database.close();
    },
  };
  return rig;
}

function planOf(tenant: string, url: string, { flows, actions = {}, entity = {}, inward = { crm: {} }, enabled = {} }: PlanChange): TenantPlan {
  const connector = (id: string) => ({
    id, title: id.toUpperCase(), config: { token: { title: "Token", secret: true } },
    http: { base_url: `${url}/${id}`, hosts: ["127.0.0.1"], headers: {}, query: {}, auth: { named: { default: { type: "bearer", token: "{{config.token}}" } } }, limits: {}, errors: {}, timeouts: { total: 2 } },
    streams: { contacts: { with: {}, key: ["id"], types: {}, errors: {} } },
    actions: Object.fromEntries(Object.entries({ ...saving(), note: posting("/notes"), ...actions }).map(([name, action]) => [name, { ...posting(`/${name}`), ...action }])),
  });
  return {
    tenant: { id: tenant, title: `${tenant} Ltd` }, inputs: {}, labels: {}, reports: {}, policy: {}, limits: {}, origins: {},
    connections: Object.fromEntries(["crm", "shop"].map((id) => [id, { connector: id, enabled: enabled[id] ?? true, labels: {}, config: { token: TOKEN }, locks: ["token"] }])),
    connectors: { crm: connector("crm"), shop: connector("shop") },
    entities: { contact: { ...contact, ...entity }, company: { schema: { type: "object" }, match: [], prefer: [], custom: [] } },
    flows: Object.fromEntries(Object.entries(inward).map(([connection, more]) => [`${connection}_in`, {
      name: `${connection}_in`, enabled: true, connection, connector: connection, stream: "contacts", map: { fields: { ...fields, phone: { expression: "phone" }, stage: { expression: "stage" }, company: { ref: "company", key: "company" } } }, to: { entity: "contact" },
      select: [], labels: {}, caps: {}, quarantine: { share: 1, count: 1e9 }, ...more,
    }])),
    change_flows: Object.fromEntries(Object.entries(flows).map(([name, flow]) => [name, { name, enabled: true, entity: "contact", map: { fields }, mint: {}, labels: {}, ...flow }])),
  };
}
