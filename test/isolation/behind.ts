/** The doors behind HTTP: SQL as the product may send it, jobs with another tenant's run, ciphertexts that were moved. */
import { claimRun, getRun, requestCancel, withTenant, type Database, type TenantTransaction } from "../../engine/store/index.ts";
import { asScheduler, inGlobal } from "../../engine/store/database.ts";
import { SEALED_COLUMNS, type SealedRow } from "../../engine/store/sealed-columns.ts";
import { asAdmin } from "../support/postgres.ts";
import { SEEN_OVER_ALL_TENANTS } from "./catalogue.ts";
import type { Leak } from "./probes.ts";
import { A, B, CANARY, type World } from "./world.ts";

export interface Behind { readonly probes: { readonly sql: number; readonly jobs: number; readonly ciphertexts: number }; readonly leaks: readonly Leak[] }

export async function probeBehind(world: World): Promise<Behind> {
  const leaks: Leak[] = [];
  const before = await world.fingerprintOfB();
  const sql = await probeSql(world, leaks);
  const changed = async (where: string): Promise<void> => {
    for (const [table, hash] of await world.fingerprintOfB()) if (before.get(table) !== hash) leaks.push({ rule: "B's rows changed", where, detail: table });
  };
  await changed("SQL as A");
  const jobs = await probeJobs(world, leaks);
  await changed("jobs of A");
  const ciphertexts = await probeCiphertexts(world, leaks);
  return { probes: { sql, jobs, ciphertexts }, leaks };
}

/** Every table and view, read and written as A, without a tenant, and as the scheduler. */
async function probeSql(world: World, leaks: Leak[]): Promise<number> {
  const { db } = world.stage.rig.database;
  const { tenantId } = world.known[B];
  const tables = (await asAdmin<{ name: string }>(world.adminUrl, "select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped where c.relnamespace = 'plugboard'::regnamespace and c.relkind = 'r' order by 1")).map(({ name }) => name);
  const views = (await asAdmin<{ name: string }>(world.adminUrl, "select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')")).map(({ name }) => name);
  let probes = 0;
  const expectNone = async (what: string, work: Promise<{ rows: unknown[] }>): Promise<void> => {
    probes++;
    const rows = await work.then((answer) => answer.rows, () => []);
    if (rows.length > 0) leaks.push({ rule: "B's rows in SQL", where: what, detail: JSON.stringify(rows[0]).slice(0, 200) });
  };
  const asA = <Result>(work: (tx: TenantTransaction) => Promise<Result>) => withTenant(db, A, work);
  for (const name of [...tables, ...views]) {
    const ofB = (alias: string) => `to_jsonb(${alias})::text like '%${CANARY[B]}%'`;
    // In A's own rows may stand what probes of A sent.
    await expectNone(`${name} read as A`, asA((tx) => tx.query(`select * from ${name} t where ${views.includes(name) ? ofB("t") : "tenant_id <> $1"}`, views.includes(name) ? [] : [world.known[A].tenantId])));
    await expectNone(`${name} read without a tenant`, inGlobal(db, (tx) => tx.query(`select * from ${name} t limit 1`)));
    if (!Object.hasOwn(SEEN_OVER_ALL_TENANTS, name)) await expectNone(`${name} read as the scheduler`, asScheduler(db, (tx) => tx.query(`select 1 from ${name} limit 1`)));
  }
  for (const name of tables) {
    await expectNone(`${name} of B read as A`, asA((tx) => tx.query(`select 1 from ${name} where tenant_id = $1`, [tenantId])));
    await expectNone(`${name} of B updated as A`, asA((tx) => tx.query(`update ${name} set tenant_id = tenant_id where tenant_id = $1 returning 1`, [tenantId])));
    await expectNone(`${name} of A given to B`, asA((tx) => tx.query(`update ${name} set tenant_id = $1 returning 1`, [tenantId])));
    await expectNone(`${name} of B deleted as A`, asA((tx) => tx.query(`delete from ${name} where tenant_id = $1 returning 1`, [tenantId])));
    await expectNone(`${name} written for B as A`, asA((tx) => tx.query(`insert into ${name} select (jsonb_populate_record(t, jsonb_build_object('tenant_id', $1::text))).* from ${name} t limit 1 returning 1`, [tenantId])));
    await expectNone(`${name} emptied`, inGlobal(db, (tx) => tx.query(`truncate ${name} cascade`)));
  }
  return probes;
}

/** A job holds ids only, and the worker looks the run up under the job's tenant: one of A that names B's run is nobody's. */
async function probeJobs(world: World, leaks: Leak[]): Promise<number> {
  const { database: { db } } = world.stage.rig;
  const runs = await asAdmin<{ id: string }>(world.adminUrl, `select id::text from runs where tenant_id = '${world.known[B].tenantId}'`);
  let probes = 0;
  for (const { id } of runs) {
    probes += 3;
    const [claimed, found] = [await claimRun(db, { tenant: A, run: id, owner: "isolation", leaseSeconds: 30 }).catch(() => undefined), await getRun(db, A, id).catch(() => undefined)];
    if (claimed !== undefined || found !== undefined) leaks.push({ rule: "B's run in a job of A", where: "claimRun, getRun", detail: id });
    if (await cancels(db, id)) leaks.push({ rule: "B's run in a job of A", where: "requestCancel", detail: id });
  }
  return probes;
}

/** As a person of A would ask for it. */
const cancels = async (db: Database, run: string): Promise<boolean> => (await requestCancel(db, A, run, "isolation").catch(() => undefined)) !== undefined;

/** Every sealed value of B, put into A's row of the same table, and into B's own row beside it: neither opens. */
async function probeCiphertexts(world: World, leaks: Leak[]): Promise<number> {
  const { database: { db }, keyring } = world.stage.rig;
  let probes = 0;
  for (const { table, column, purpose } of SEALED_COLUMNS) {
    const rows = await asAdmin<SealedRow & { tenant_id: string; sealed: Buffer | null }>(world.adminUrl, `select *, ${column} as sealed from ${table} where ${column} is not null and tenant_id in ('${world.known[A].tenantId}', '${world.known[B].tenantId}')`);
    const [ofA, ofB] = [A, B].map((tenant) => rows.filter(({ tenant_id }) => tenant_id === world.known[tenant as typeof A].tenantId));
    const opens = async (tenant: string, row: SealedRow, sealed: Buffer): Promise<boolean> => {
      probes++;
      return withTenant(db, tenant, async (tx) => { (await keyring.of(tx)).open(purpose(row), sealed); return true; }).catch(() => false);
    };
    for (const [index, row] of ofB!.entries()) {
      if (!(await opens(B, row, row.sealed!))) leaks.push({ rule: "a value does not open where it belongs: the probe proves nothing", where: `${table}.${column}`, detail: String(index) });
      for (const other of ofA!.slice(0, 3)) if (await opens(A, other, row.sealed!)) leaks.push({ rule: "a value of B opens in a row of A", where: `${table}.${column}`, detail: String(index) });
      if (await opens(A, row, row.sealed!)) leaks.push({ rule: "a value of B opens with A's key", where: `${table}.${column}`, detail: String(index) });
      const beside = ofB!.find((each) => each !== row && JSON.stringify(purpose(each)) !== JSON.stringify(purpose(row)));
      if (beside !== undefined && await opens(B, beside, row.sealed!)) leaks.push({ rule: "a value opens in another row", where: `${table}.${column}`, detail: String(index) });
    }
  }
  return probes;
}
