/** `plugboard run acme employers`: through the same queue and worker as every other run, so a running server may take it. */
import { triggerRun } from "../../engine/jobs/index.ts";
import type { TenantPlan } from "../../engine/plan/index.ts";
import type { RunMode, RunResult } from "../../engine/run/ports.ts";
import { describeConnection } from "../../engine/store/index.ts";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { openInstallation } from "../installation.ts";
import { settingsOf } from "../settings.ts";
import { allowPrivate, dataFolder, retention, type LocatedWorkspace } from "../workspace/locate.ts";
import { applyLocated } from "./apply.ts";
import { enteredValues } from "./connection-values.ts";
import { enterFromCommand } from "./enter.ts";
import { say } from "./output.ts";
import { quarantineNotes } from "./quarantine-note.ts";
import { referencesOf, withoutReferenced } from "./references.ts";
import { progressBoard } from "./progress.ts";
import { watchRuns } from "./watch-runs.ts";

export interface DatabaseRun {
  readonly located: LocatedWorkspace;
  readonly root: string;
  readonly data: string | undefined;
  readonly tenant: string;
  readonly flow: string;
  readonly plan: TenantPlan;
  readonly sets: readonly string[];
  readonly mode?: RunMode;
}

export async function runInDatabase(wanted: DatabaseRun): Promise<RunResult> {
  const { tenant, plan } = wanted;
  const flow = plan.flows[wanted.flow]!;
  if (!flow.enabled) throw new PlugboardError("CLI_USAGE", { detail: `Flow '${flow.name}' of '${tenant}' is disabled.`, suggestion: `plugboard explain ${tenant} flows.${flow.name} shows where.` });
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new Error("interrupted: the run goes on where it stopped when it is started again"));
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  const installation = await openInstallation({ data: dataFolder(wanted.data, wanted.root, process.cwd()), databaseUrl: process.env["DATABASE_URL"], migrateUrl: process.env["DATABASE_URL_MIGRATE"] || undefined, kek: process.env["PLUGBOARD_KEK"], vault: settingsOf(process.env).vault, kekOld: process.env["PLUGBOARD_KEK_OLD"] || undefined, works: true, log: say, onError: (cause) => say(`  ${cause.message}`) });
  try {
    await applyLocated(installation.db, wanted.located);
    const connector = plan.connectors[flow.connector]!;
    const values = enteredValues(connector, { id: flow.connection, plan: plan.connections[flow.connection] }, wanted.sets, process.env, environmentNames(tenant, flow.connection, connector.id), "any");
    const before = await describeConnection(installation.db, tenant, flow.connection);
    const secrets = withoutReferenced(values.secrets, wanted.sets, {}, before);
    if (Object.keys(values.config).length + Object.keys(secrets).length > 0)
      await enterFromCommand(installation, tenant, { name: flow.connection, connector, plan: plan.connections[flow.connection] }, { config: values.config, secrets }, "run");
    installation.work({ allowPrivate: allowPrivate(wanted.located.workspace), retention: retention(wanted.located.workspace), references: referencesOf(wanted.located.workspace, process.env), slots: 1, schedules: false });
    const created = await triggerRun(installation.jobs.queue, installation.db, tenant, { flow: flow.name, connection: flow.connection, trigger: "manual", ...(wanted.mode ? { mode: wanted.mode } : {}) });
    const board = progressBoard();
    try {
      const [run] = await watchRuns(installation.jobs, [{ tenant, flow: flow.name, run: created!.run!.id }], board, stop.signal);
      for (const line of await quarantineNotes(installation.db, run!)) say(line);
      const { status, mode, counters, error, sweep, checkpoint } = run!;
      if (error) say(`error  ${error.code}  ${error.message}${error.hint ? `\n  hint: ${error.hint}` : ""}${error.next ? `\n  next: ${error.next}` : ""}`);
      return { status: status as RunResult["status"], mode: mode ?? "incremental", counters, checkpoint, ...(error ? { error } : {}), ...(sweep ? { sweep } : {}) };
    } finally {
      board.close();
    }
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
    await installation.close(5_000);
  }
}

/** Prefixes of environment variables, most particular first. */
export const environmentNames = (tenant: string, connection: string, connector: string): string[] => [`PLUGBOARD_${tenant}_${connection}`, `PLUGBOARD_${connection}`, `PLUGBOARD_${connector}`];
