/**
 * A pull of N records of about 1 KB, ours beside what one would write by hand for exactly this stream: fetch a page, map it
 * with the same JSONata, write the same two tables in one batch and one transaction. The hand-written loop validates
 * nothing, encrypts nothing, has no tenant isolation, no resume and no fence; the ratio is what those cost.
 */
import { createHash } from "node:crypto";
import jsonata from "jsonata";
import pg from "pg";
import { createTransport } from "../../engine/components/transport/http.ts";
import { read, type SourceTree } from "../../engine/manifest/index.ts";
import { resolvePlan, type TenantPlan } from "../../engine/plan/index.ts";
import { createMemoryBuckets } from "../../engine/run/memory-buckets.ts";
import { runFlow } from "../../engine/run/run-flow.ts";
import { createKeyring, createRun, openDatabase, runStore, saveRevision, type Database, type Keyring } from "../../engine/store/index.ts";

export const FIELDS = {
  full_name: 'first_name & " " & last_name',
  email: "$lowercase(email)",
  phone: "phone",
  status: "status.name",
  employer: "employer.name",
  size: '$number(employer.size) < 250 ? "sme" : "large"',
  hours: "hours",
  progress: "progress",
  started_on: "$substring(started_on, 0, 10)",
  note: "note",
};

const files = (port: number, size: number): Record<string, string> => ({
  "workspace.yaml": "name: bench\negress: { allow_private: true }\n",
  "connectors/bench/connector.yaml": `connector: bench
title: Bench
category: other
http: { base_url: "http://127.0.0.1:${port}" }
streams:
  records:
    key: id
    get: /records
    query: { offset: "=page.offset", limit: "=page.size" }
    records: records
    pagination: { type: offset, size: ${size} }
    cursor: { field: updated_at }
`,
  "mappings/bench/person.yaml": `mapping: bench/person\nfrom: bench.records\nto: person\nfields:\n${Object.entries(FIELDS).map(([field, expression]) => `  ${field}: ${JSON.stringify(expression)}`).join("\n")}\n`,
  "schemas/entities/person.schema.json": JSON.stringify({
    $schema: "https://json-schema.org/draft/2020-12/schema", $id: "person", title: "Person", type: "object", additionalProperties: false, required: ["full_name"],
    properties: { ...Object.fromEntries(Object.keys(FIELDS).map((field) => [field, { type: field === "hours" || field === "progress" ? "number" : "string" }])), custom: { type: "object" } },
  }),
  "tenants/bench.yaml": "tenant: bench\ntitle: Bench\nsubdomain: bench\nconnections: { bench: { connector: bench } }\nflows: { people: { from: { stream: bench.records }, map: bench/person, to: person } }\n",
});

export function benchPlan(port: number, size: number): TenantPlan {
  const tree: SourceTree = { layer: "workspace", label: "", files: new Map(Object.entries(files(port, size))) };
  const workspace = read([tree]);
  const { plan, problems } = resolvePlan(workspace, "bench");
  const errors = [...workspace.problems, ...problems].filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(`the benchmark's own configuration is wrong: ${JSON.stringify(errors[0])}`);
  return plan;
}

export interface Ours { readonly db: Database; readonly keyring: Keyring; readonly plan: TenantPlan; readonly revision: string }

/** @param key of the tenant's rows; processes that share a database share it. */
export async function openOurs(url: string, plan: TenantPlan, key: string): Promise<Ours> {
  const db = await openDatabase({ url, max: 6, applicationName: "plugboard bench" });
  const keyring = await createKeyring({ value: key });
  const revision = createHash("sha256").update(JSON.stringify(plan)).digest("hex");
  await saveRevision(db, { id: revision, plans: [plan] });
  return { db, keyring, plan, revision };
}

/** Seconds. */
export async function pullOurs({ db, keyring, plan, revision }: Ours, records: number): Promise<number> {
  const flow = plan.flows["people"]!;
  const { run } = await createRun(db, { tenant: "bench", flow: "people", connection: "bench", trigger: "manual", revision });
  if (!run) throw new Error("no run was made");
  const transport = createTransport({ allowPrivate: true });
  const store = runStore(db, keyring, {
    tenant: "bench", flow: { tenant: "bench", connection: "bench", flow: "people" }, stream: flow.stream, entity: flow.to.entity, entityPlan: plan.entities[flow.to.entity]!,
    labels: flow.labels, run: run.id, revision, owner: "bench", leaseSeconds: 30,
  });
  const begun = performance.now();
  const result = await runFlow({ run: run.id, attempt: 1, plan, flow: "people", connection: { config: {} }, mode: "full", signal: new AbortController().signal }, {
    store, transport, buckets: createMemoryBuckets(Date.now),
    clock: { now: Date.now, sleep: (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); }) },
    token: () => ({ read: async () => undefined, write: async () => undefined, clear: async () => undefined }),
    log: () => undefined, progress: () => undefined,
  });
  const seconds = (performance.now() - begun) / 1000;
  await transport.close();
  if (result.status !== "succeeded" || result.counters.created !== records) throw new Error(`our pull went wrong: ${JSON.stringify({ status: result.status, counters: result.counters, error: result.error })}`);
  return seconds;
}

const INSERT = `with page as (select * from jsonb_to_recordset($2) as p (key text, row_id uuid, version numeric, hash text, data jsonb, raw text)),
  rows as (insert into entity_rows (tenant_id, entity, id, data, labels, links, created_at, updated_at)
    select $1, 'person', row_id, data, '{}', jsonb_build_object('bench', key), now(), now() from page
    on conflict (tenant_id, entity, id) do update set data = excluded.data, updated_at = excluded.updated_at)
  insert into contributions as c (tenant_id, connection, stream, entity, key, row_id, data, labels, version, data_hash, record_hash, raw, run_id, created_at, updated_at)
    select $1, 'bench', 'records', 'person', key, row_id, data, '{}', version, hash, hash, convert_to(raw, 'UTF8'), $3, now(), now() from page
    on conflict (tenant_id, connection, stream, entity, key) do update set data = excluded.data, version = excluded.version, data_hash = excluded.data_hash, record_hash = excluded.record_hash, raw = excluded.raw, updated_at = excluded.updated_at`;

/** What one would write by hand. Seconds. */
export async function pullByHand(url: string, tenantId: string, port: number, size: number, records: number): Promise<number> {
  const client = new pg.Client({ connectionString: url, options: "-c search_path=plugboard" });
  await client.connect();
  const expression = jsonata(`{ ${Object.entries(FIELDS).map(([field, text]) => `"${field}": ${text}`).join(", ")} }`);
  const run = (await client.query<{ id: string }>("select gen_random_uuid() as id")).rows[0]!.id;
  const begun = performance.now();
  let stored = 0;
  for (let offset = 0; ; offset += size) {
    const answer = await fetch(`http://127.0.0.1:${port}/records?offset=${offset}&limit=${size}`);
    const page = ((await answer.json()) as { records: { id: number; updated_at: string }[] }).records;
    if (page.length === 0) break;
    const rows = [];
    for (const record of page) {
      const data = await expression.evaluate(record);
      const text = JSON.stringify(data);
      const hash = createHash("sha256").update(text).digest("base64url").slice(0, 22);
      const id = `00000000-0000-4000-8000-${record.id.toString(16).padStart(12, "0")}`;
      rows.push({ key: String(record.id), row_id: id, version: Date.parse(record.updated_at) / 1000, hash, data, raw: JSON.stringify(record) });
    }
    await client.query("begin");
    await client.query(INSERT, [tenantId, JSON.stringify(rows), run]);
    await client.query("update plugboard.checkpoints set checkpoint = $2 where tenant_id = $1", [tenantId, JSON.stringify({ page: { offset } })]);
    await client.query("commit");
    stored += page.length;
  }
  const seconds = (performance.now() - begun) / 1000;
  await client.end();
  if (stored !== records) throw new Error(`the hand-written loop stored ${stored} of ${records}`);
  return seconds;
}

/** Empties what a round wrote, so that every round begins alike. */
export async function empty(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, options: "-c search_path=plugboard" });
  await client.connect();
  await client.query("truncate contributions, entity_rows, match_values, checkpoints, sweep_seen, runs cascade");
  await client.query("vacuum (analyze) contributions, entity_rows");
  await client.end();
}

export async function tenantIdOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url, options: "-c search_path=plugboard" });
  await client.connect();
  const { rows } = await client.query<{ id: string }>("select id from tenants where slug = 'bench'");
  await client.end();
  return rows[0]!.id;
}
