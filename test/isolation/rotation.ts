/**
 * Credentials are sealed again while they are read and refreshed: every tenant's data key, then the key-encryption key, as an
 * operator does it (both accepted for a while, then the new one alone). One read that fails, or gives another value than was
 * stored, is a failure; afterwards nothing may be left under an old key, and the old keys may open nothing.
 */
import { createKeyring, ensureTenant, generateKey, keyStatus, openDatabase, readConnectionValues, rotateDataKey, rotateKeyEncryptionKey, setConnection, tokenStore, type Database, type Keyring } from "../../engine/store/index.ts";
import type { ConnectorPlan } from "../../engine/plan/types.ts";
import { asAdmin, testDatabase } from "../support/postgres.ts";

const FIELDS = 20;
const TENANTS = 4;
const READERS = 3;

export interface RotationReport {
  readonly secrets: number;
  readonly reads: number;
  readonly refreshes: number;
  readonly writes: number;
  /** Of any of them. */
  readonly failures: readonly string[];
  readonly reencrypted: number;
  readonly remaining: number;
  /** Data keys that were destroyed, and wrapped keys that stand under the new key-encryption key. */
  readonly destroyed: number;
  readonly rewrapped: number;
  /** Read once more with the new key alone, from an empty cache, after the old keys were destroyed. */
  readonly verified: number;
  readonly milliseconds: number;
}

const field = (n: number): string => `f${n}`;
const connector: ConnectorPlan = { id: "c", title: "C", streams: {}, config: Object.fromEntries(Array.from({ length: FIELDS }, (_, n) => [field(n), { title: field(n), secret: true }])) };

export async function rotateUnderLoad({ secrets }: { secrets: number }): Promise<RotationReport> {
  const at = await testDatabase();
  const [first, second] = [generateKey(), generateKey()];
  const connections = Math.ceil(secrets / FIELDS / TENANTS);
  const tenants = Array.from({ length: TENANTS }, (_, n) => `customer${n}`);
  const failures: string[] = [];
  let [reads, refreshes, writes, reencrypted, destroyed, over] = [0, 0, 0, 0, 0, false];
  const round = new Map<string, number>();
  const valueOf = (tenant: string, connection: number, f: number, of: number): string => `value ${tenant}/${connection}/${f} of round ${of}`;
  const secretsOf = (tenant: string, connection: number, of: number) => Object.fromEntries(Array.from({ length: FIELDS }, (_, f) => [field(f), valueOf(tenant, connection, f, of)]));

  // Every loop is a process of its own: its cache of keys, its connections, and from time to time a restart with other keys.
  let keysNow: readonly [{ value: string }, { value: string }?] = [{ value: first }];
  const open: { db: Database; keys: Keyring }[] = [];
  const start = async (): Promise<{ db: Database; keys: Keyring }> => {
    const made = { db: await openDatabase({ url: at.runtimeUrl, max: 2 }), keys: await createKeyring(...keysNow) };
    open.push(made);
    await made.keys.check(made.db);                         // as every process does when it starts
    return made;
  };
  const failed = (what: string) => (thrown: unknown): void => void failures.push(`${what}: ${thrown instanceof Error ? thrown.message : JSON.stringify(thrown)}`);

  const main = await start();
  for (const tenant of tenants) {
    await ensureTenant(main.db, { slug: tenant, title: tenant });
    for (let c = 0; c < connections; c++) {
      await setConnection(main.db, main.keys, tenant, `c${c}`, { connector: "c", config: {}, secrets: secretsOf(tenant, c, 0) });
      await tokenStore(main.db, main.keys, tenant, `c${c}`)("default").write({ value: "token 0" });
    }
  }

  const restarts = new Set<() => void>();
  const loop = async (work: (here: { db: Database; keys: Keyring }, turn: number) => Promise<void>): Promise<void> => {
    let here = await start();
    let stale = false;
    restarts.add(() => { stale = true; });
    for (let turn = 0; !over; turn++) {
      if (stale) { stale = false; here = await start(); }
      await work(here, turn);
    }
  };
  const begun = performance.now();
  const loops = [
    ...Array.from({ length: READERS }, (_, seed) => loop(async ({ db, keys }, turn) => {
      const [tenant, c] = [tenants[(turn + seed) % TENANTS]!, (turn * 37 + seed * 11) % connections];
      await readConnectionValues(db, keys, tenant, `c${c}`, connector).then(({ config }) => {
        reads += FIELDS;
        for (let f = 0; f < FIELDS; f++) if (!String(config[field(f)]).startsWith(`value ${tenant}/${c}/${f} of round `)) failures.push(`${tenant}/c${c}/${field(f)} gave something else`);
      }, failed("read"));
    })),
    loop(async ({ db, keys }, turn) => {
      const token = tokenStore(db, keys, tenants[turn % TENANTS]!, `c${(turn * 13) % connections}`)("default");
      await token.read().then((value) => { reads++; if (value === undefined) failures.push("a token is gone"); }, failed("token read"));
      await token.write({ value: `token ${turn}` }).then(() => { refreshes++; }, failed("token refresh"));
    }),
    loop(async ({ db, keys }, turn) => {
      const [tenant, c] = [tenants[turn % TENANTS]!, (turn * 7) % connections];
      await setConnection(db, keys, tenant, `c${c}`, { connector: "c", config: {}, secrets: secretsOf(tenant, c, turn + 1) }).then(() => { writes++; round.set(`${tenant}/${c}`, turn + 1); }, failed("write"));
    }),
  ];

  for (const tenant of tenants) {
    const rotated = await rotateDataKey(main.db, main.keys, tenant);
    reencrypted += rotated.reencrypted;
    destroyed += rotated.destroyed.length;
  }
  const restartAll = async (next: typeof keysNow): Promise<void> => {
    keysNow = next;
    const before = reads;
    for (const restart of restarts) restart();
    while (reads < before + FIELDS * READERS * 4 && failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  await restartAll([{ value: second }, { value: first }]);
  const both = await start();
  const { rewrapped } = await rotateKeyEncryptionKey(both.db, both.keys);
  await restartAll([{ value: second }]);
  over = true;
  await Promise.all(loops);
  const milliseconds = performance.now() - begun;

  let [remaining, verified] = [0, 0];
  const alone = await start();
  for (const tenant of tenants) {
    const status = await keyStatus(alone.db, alone.keys, tenant);
    remaining += status.remaining;
    if (status.wrapped_by !== "current" || status.rotating) failures.push(`${tenant}: keys are wrapped by ${status.wrapped_by}${status.rotating ? ", and a rotation is open" : ""}`);
    for (let c = 0; c < connections; c++) {
      await readConnectionValues(alone.db, alone.keys, tenant, `c${c}`, connector).then(({ config }) => {
        for (let f = 0; f < FIELDS; f++) if (config[field(f)] === valueOf(tenant, c, f, round.get(`${tenant}/${c}`) ?? 0)) verified++; else failures.push(`${tenant}/c${c}/${field(f)} is not what was stored last`);
      }, failed("read afterwards"));
    }
  }
  // The old key opens nothing any more, and neither does a destroyed data key.
  await (await createKeyring({ value: first })).check(alone.db).then(() => failures.push("the old key-encryption key still starts"), () => undefined);
  const [kept] = await asAdmin<{ n: number }>(at.url, "select count(*)::int as n from tenant_keys where retired_at is not null and wrapped is not null");
  if (kept!.n > 0) failures.push(`${kept!.n} retired data keys are kept`);
  for (const { db, keys } of open) { keys.close(); await db.close(); }
  await at.close();
  return { secrets: connections * FIELDS * TENANTS, reads, refreshes, writes, failures, reencrypted, remaining, destroyed, rewrapped, verified, milliseconds };
}
