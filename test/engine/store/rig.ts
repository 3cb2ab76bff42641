/** A tenant with one flow in a database, and pages to commit. */
import { createKeyring, createRun, claimRun, type Database, generateKey, type Keyring, runStore, saveRevision } from "../../../engine/store/index.ts";
import type { JsonObject } from "../../../engine/manifest/types.ts";
import type { EntityPlan, TenantPlan } from "../../../engine/plan/types.ts";
import type { Begun, Checkpoint, MappedRecord, PageCommit, PageOutcome, RunStore } from "../../../engine/run/ports.ts";

export const keyring = (): Promise<Keyring> => createKeyring({ value: generateKey() });

export const learner: EntityPlan = {
  schema: { title: "Learner", type: "object", properties: { full_name: { type: "string", title: "Full name" }, email: { type: ["string", "null"] }, hours: { type: "number" },
    active: { type: "boolean" }, starts_on: { type: "string", format: "date" }, seen_at: { type: "string", format: "date-time" }, tags: { type: "array" }, custom: { type: "object" } } },
  match: [], prefer: [], custom: [],
};

export const plan = (tenant: string, change: { connections?: readonly string[]; entity?: EntityPlan; schedule?: TenantPlan["flows"][string]["schedule"]; labels?: Record<string, string> } = {}): TenantPlan => {
  const connections = change.connections ?? ["aptem"];
  const entity = change.entity ?? learner;
  return {
    tenant: { id: tenant, title: `${tenant} Ltd` }, inputs: {}, labels: {}, connectors: {}, entities: { learner: entity }, reports: {}, policy: {}, limits: {}, origins: {},
    connections: Object.fromEntries(connections.map((connection) => [connection, { connector: connection, enabled: true, labels: {}, config: {}, locks: [] }])),
    flows: Object.fromEntries(connections.map((connection) => [flowOf(connection), {
      name: flowOf(connection), enabled: true, connection, connector: connection, stream: "users", to: { entity: "learner" }, select: [], labels: change.labels ?? {}, caps: {},
      quarantine: { share: 0.1, count: 1000 }, ...(change.schedule ? { schedule: change.schedule } : {}),
    }])),
  };
};

const flowOf = (connection: string) => connection === "aptem" ? "learners" : `learners_${connection}`;

export const page = (records: readonly MappedRecord[], change: Partial<PageCommit> = {}): PageCommit =>
  ({ records, dropped: [], gone: [], quarantined: [], filtered: 0, checkpoint: {}, requests: 1, retries: 0, bytes: 100, ...change });

export const record = (key: string, data: JsonObject = {}, version?: string | number): MappedRecord =>
  ({ key, data: { full_name: `Learner ${key}`, ...data }, raw: { id: key, ...data, secret_of: key }, ...(version === undefined ? {} : { version: String(version) }) });

export const records = (from: number, to: number, data: JsonObject = {}, version?: number): MappedRecord[] =>
  Array.from({ length: to - from + 1 }, (_, index) => record(String(from + index), data, version));

export interface Flow extends Begun {
  readonly store: RunStore;
  readonly run: string;
  readonly attempt: number;
  commit(page: PageCommit): Promise<PageOutcome>;
}

/** Applies a plan, claims a run of the connection's flow and takes the flow over. */
export async function beginFlow(db: Database, keys: Keyring, tenant: string, { connection = "aptem", entity = learner, labels = {}, connections = ["aptem", "hubspot"] }: { connection?: string; entity?: EntityPlan; labels?: Record<string, string>; connections?: readonly string[] } = {}): Promise<Flow> {
  const revision = `rev-${JSON.stringify([entity.match, entity.prefer, entity.custom, labels, connections])}`;
  await saveRevision(db, { id: `${revision}-${tenant}`, plans: [plan(tenant, { connections, entity, labels })] });
  const { run } = await createRun(db, { tenant, flow: flowOf(connection), connection, trigger: "manual", revision: `${revision}-${tenant}` });
  const claimed = await claimRun(db, { tenant, run: run!.id, owner: "w1", leaseSeconds: 30 });
  return beginRun(db, keys, tenant, run!.id, claimed!.attempt, { connection, entity, labels, revision: `${revision}-${tenant}` });
}

export async function beginRun(db: Database, keys: Keyring, tenant: string, run: string, attempt: number, { connection = "aptem", entity = learner, labels = {}, revision = "r" }: { connection?: string; entity?: EntityPlan; labels?: Record<string, string>; revision?: string } = {}): Promise<Flow> {
  const store = runStore(db, keys, { tenant, flow: { tenant, connection, flow: flowOf(connection) }, stream: "users", entity: "learner", entityPlan: entity, labels, run, revision, owner: "w1", leaseSeconds: 30 });
  const begun = await store.begin();
  return { ...begun, store, run, attempt, commit: (one) => store.commitPage(one, begun.epoch) };
}

export const sweeping = (number: number, begunAt: Date, seen: readonly string[]): { sweep: { number: number; seen: readonly string[] }; checkpoint: Checkpoint } => ({
  sweep: { number, seen },
  checkpoint: { pass: { mode: "full", window: { to: begunAt.toISOString() }, door: "list", page: {}, sweep: number, complete: true, begun_at: begunAt.toISOString(), tokens: [], pages: 1 } },
});

export const balanced = (outcome: PageOutcome): boolean =>
  outcome.read === outcome.created + outcome.updated + outcome.unchanged + outcome.superseded + outcome.deleted + outcome.filtered + outcome.quarantined;
