/** The real engine as the rig uses it, from the outside: configuration in force, runs queued, leases let lapse. */
import { createHash } from "node:crypto";
import pg from "pg";
import { read } from "../../engine/manifest/read.ts";
import { resolvePlan } from "../../engine/plan/index.ts";
import { setConnection } from "../../engine/store/connections.ts";
import { openDatabase } from "../../engine/store/database.ts";
import { createKeyring, generateKey } from "../../engine/store/keyring.ts";
import { migrate } from "../../engine/store/migrate.ts";
import { saveRevision } from "../../engine/store/revisions.ts";
import { createRun, reapRuns } from "../../engine/store/runs.ts";
import { CONNECTION, fixtureFiles, FLOW, TENANT, TOKEN } from "./fixture.ts";

export interface RigEngine {
  /** What a worker process needs, as environment. */
  workerSettings(name: string): Record<string, string>;
  /** Whoever holds a lease is taken for dead now, not in half a minute; what it was running is queued again. */
  letLeasesLapse(): Promise<void>;
  /** The id of the run that waits for a worker; a new one of this mode when none does. */
  nextRun(mode: "full" | "incremental"): Promise<string>;
  /** Whether everything was read once. */
  hasCompletedPass(): Promise<boolean>;
  close(): Promise<void>;
}

export interface WorkerSettings {
  readonly databaseUrl: string;
  readonly name: string;
  readonly key: string;
  readonly revision: string;
  /** `127.0.0.1:41234`: the provider's address, a private one. */
  readonly providerHost: string;
}

/** Migrates an empty database and puts the rig's configuration in force. */
export async function openEngine({ databaseUrl, providerUrl, page }: { databaseUrl: string; providerUrl: string; page: number }): Promise<RigEngine> {
  await migrate({ url: databaseUrl });
  const db = await openDatabase({ url: databaseUrl, applicationName: "rig", max: 2 });
  const key = generateKey();
  const keyring = await createKeyring({ value: key });

  const workspace = read([{ layer: "workspace", label: "", files: fixtureFiles(page) }]);
  const { plan, problems } = resolvePlan(workspace, TENANT);
  if (workspace.problems.length + problems.length > 0) throw new Error(`the rig's own configuration is wrong: ${JSON.stringify([...workspace.problems, ...problems])}`);
  const revision = createHash("sha256").update(JSON.stringify(plan)).digest("hex").slice(0, 16);
  await saveRevision(db, { id: revision, plans: [plan] });
  await setConnection(db, keyring, TENANT, CONNECTION, { connector: "ledger", config: { url: providerUrl }, secrets: { token: TOKEN } });

  const admin = new pg.Client({ connectionString: databaseUrl, application_name: "rig" });
  admin.on("error", () => undefined);                    // its next query says the same, to whoever asked it
  await admin.connect();
  return {
    workerSettings: (name) => ({ FAULTS_WORKER: JSON.stringify({ databaseUrl, name, key, revision, providerHost: new URL(providerUrl).host } satisfies WorkerSettings) }),
    async letLeasesLapse() {
      // A worker that was stopped inside a transaction holds its rows; PostgreSQL ends such a session itself, after a minute.
      await admin.query("select pg_terminate_backend(pid, 1000) from pg_stat_activity where datname = current_database() and application_name like 'worker-%' and state = 'idle in transaction'");
      await admin.query("update plugboard.runs set lease_until = now() - interval '1 second' where status = 'running'");
      await reapRuns(db);
    },
    async nextRun(mode) {
      const { run } = await createRun(db, { tenant: TENANT, flow: FLOW, connection: CONNECTION, trigger: "manual", revision, mode });
      return run!.id;
    },
    async hasCompletedPass() {
      const { rows } = await admin.query("select 1 from plugboard.checkpoints where checkpoint ->> 'from' is not null");
      return rows.length > 0;
    },
    async close() {
      await admin.end();
      keyring.close();
      await db.close();
    },
  };
}
