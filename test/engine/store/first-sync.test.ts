import { afterAll, beforeAll, expect, test } from "vitest";
import { type Keyring, withTenant } from "../../../engine/store/index.ts";
import { selectExisting, selectOfRows, selectShared } from "../../../engine/store/sql/contributions.ts";
import { selectMatches } from "../../../engine/store/sql/match-values.ts";
import type { Statement } from "../../../engine/store/database.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { beginFlow, keyring, learner, page, record } from "./rig.ts";

let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => { at = await testDatabase(); keys = await keyring(); });
afterAll(() => at.close());

/** Names of the indexes and sequential scans a statement would use. */
async function scans(tenant: string, statement: Statement): Promise<string[]> {
  const { rows } = await withTenant(at.db, tenant, (tx) => tx.query(`explain (format json) ${statement.text}`, statement.values));
  const found: string[] = [];
  JSON.stringify(rows, (name, value: unknown) => {
    if (name === "Index Name") found.push(String(value));
    if (name === "Node Type" && value === "Seq Scan") found.push("sequential");
    return value;
  });
  return found;
}

test("during a first sync, while the tables have no statistics, every page looks its keys up by index", async () => {
  for (const table of ["contributions", "entity_rows", "match_values"]) await asAdmin(at.url, `alter table ${table} set (autovacuum_enabled = false)`);
  const entity = { ...learner, match: ["email"], prefer: ["aptem"] };
  const flow = await beginFlow(at.db, keys, "acme", { entity });
  const { tenantId } = await withTenant(at.db, "acme", async ({ tenantId }) => ({ tenantId }));
  const stream = { tenantId, connection: "aptem", stream: "users", entity: "learner" };
  const some = Array.from({ length: 500 }, (_, index) => String(index));
  const ids = some.map((n) => `00000000-0000-7000-8000-${n.padStart(12, "0")}`);
  for (let n = 0; n < 24; n++) {
    await flow.commit(page(Array.from({ length: 500 }, (_, index) => record(String(n * 500 + index), { email: `${n * 500 + index}@y.z`, note: "x".repeat(300) }))));
    if (n === 0 || n % 4 !== 3) continue;                           // the size of a table changes what looks cheap
    expect(await scans("acme", selectExisting(stream, some))).toEqual(["contributions_pkey"]);
    expect(await scans("acme", selectMatches(tenantId, "learner", some.map((key) => `email=${key}@y.z`)))).toEqual(["match_values_pkey", "contributions_pkey"]);
    expect(await scans("acme", selectOfRows(tenantId, "learner", ids))).toEqual(["contributions_of_row"]);
    expect(await scans("acme", selectShared(stream, ids, some))).toEqual(["contributions_of_row"]);
  }
}, 120_000);
