/** `plugboard quarantine acme` says what was refused and why; `plugboard replay acme learners` tries it again. */
import type { Command } from "commander";
import { suggest } from "../../../engine/errors/nearest.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { replayQuarantine } from "../../../engine/jobs/index.ts";
import { resolvePlan, type TenantPlan } from "../../../engine/plan/index.ts";
import { quarantineGroups } from "../../../engine/store/index.ts";
import { openInstallation, type Installation } from "../../installation.ts";
import { settingsOf } from "../../settings.ts";
import { allowPrivate, dataFolder, locateWorkspace, readWorkspace, refuseErrors, retention, type LocatedWorkspace } from "../../workspace/locate.ts";
import { applyLocated } from "../apply.ts";
import { print, printJson, say } from "../output.ts";
import { referencesOf } from "../references.ts";
import { progressBoard } from "../progress.ts";
import { succeeded, watchRuns } from "../watch-runs.ts";

interface Options { workspace?: string; data?: string; code?: string; json?: boolean }

export function registerReplay(program: Command): void {
  withOptions(program.command("replay").description("try quarantined records again, whatever configuration they failed under, then read what is new"))
    .addHelpText("after", "\nAfter a change of the configuration the next run does this by itself.\n\nExamples:\n  plugboard replay acme\n  plugboard replay acme learners --code MAPPING_INVALID")
    .action(replay);
}

export function registerQuarantine(program: Command): void {
  withOptions(program.command("quarantine").description("the reasons why records are in quarantine, how many, and the newest keys")).action(list);
}

const withOptions = (command: Command): Command => command
  .argument("<tenant>").argument("[flow]")
  .option("--code <code>", "only those refused with this code")
  .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml)")
  .option("--data <dir>", "data folder (default: <workspace>/.plugboard)")
  .option("--json", "print one JSON document");

async function replay(tenant: string, flow: string | undefined, options: Options): Promise<void> {
  const { located, plan, data } = locate(tenant, options);
  if (flow !== undefined && plan.flows[flow] === undefined) throw new PlugboardError("PLAN_UNKNOWN_FLOW", { tenant, flow, suggestion: suggest(flow, Object.keys(plan.flows)) });
  const stop = new AbortController();
  const interrupt = (): void => stop.abort(new Error("interrupted: the run goes on where it stopped when it is started again"));
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  const installation = await open(data, true);
  const board = progressBoard();
  try {
    await applyLocated(installation.db, located);
    installation.work({ allowPrivate: allowPrivate(located.workspace), retention: retention(located.workspace), references: referencesOf(located.workspace, process.env), slots: 1, schedules: false });
    const { db, jobs } = installation;
    const { runs, kept } = await replayQuarantine(jobs.queue, db, tenant, plan, { ...scopeOf(flow, options), trigger: "replay" });
    const ended = await watchRuns(jobs, runs.map((run) => ({ tenant, flow: run.flow, run: run.id })), board, stop.signal);
    board.close();
    const open = await quarantineGroups(db, tenant, scopeOf(flow, options));
    const ok = ended.every(succeeded);
    if (options.json) printJson({ tenant, runs: ended.map(({ id, flow, status, counters, error }) => ({ id, flow, status, counters, ...(error ? { error } : {}) })), kept, open, ok });
    else {
      if (runs.length === 0 && kept.length === 0) print("Nothing is in quarantine.");
      for (const { error } of ended) if (error) say(`error  ${error.code}  ${error.message}${error.hint ? `\n  hint: ${error.hint}` : ""}`);
      for (const each of kept) print(`${each.records} of ${each.flow} stay: the flow is disabled or gone.`);
      for (const group of open) print(line(group));
    }
    if (!ok) process.exitCode = 1;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
    board.close();
    await installation.close(5_000);
  }
}

async function list(tenant: string, flow: string | undefined, options: Options): Promise<void> {
  const installation = await open(locate(tenant, options).data, false);
  try {
    const open = await quarantineGroups(installation.db, tenant, scopeOf(flow, options));
    if (options.json) printJson({ tenant, open });
    else if (open.length === 0) print("Nothing is in quarantine.");
    else for (const group of open) print(line(group));
  } finally {
    await installation.close();
  }
}

function locate(tenant: string, options: Options): { located: LocatedWorkspace; plan: TenantPlan; data: string } {
  const cwd = process.cwd();
  const root = locateWorkspace(options.workspace, cwd);
  const located = readWorkspace(root, cwd);
  const { plan, problems } = resolvePlan(located.workspace, tenant);
  refuseErrors([...located.workspace.problems, ...problems]);
  return { located, plan, data: dataFolder(options.data, root, cwd) };
}

const open = (data: string, works: boolean): Promise<Installation> =>
  openInstallation({ data, databaseUrl: process.env["DATABASE_URL"], migrateUrl: process.env["DATABASE_URL_MIGRATE"] || undefined, kek: process.env["PLUGBOARD_KEK"], vault: settingsOf(process.env).vault, works, log: say, onError: (cause) => say(`  ${cause.message}`) });

const scopeOf = (flow: string | undefined, { code }: Options): { flow?: string; code?: string } => ({ ...(flow === undefined ? {} : { flow }), ...(code === undefined ? {} : { code }) });

/** `learners  MAPPING_INVALID  100 records: 100, 99, 98, 97, 96 …` */
const line = ({ flow, code, count, keys }: Awaited<ReturnType<typeof quarantineGroups>>[number]): string =>
  `${flow}  ${code}  ${count === 1 ? "1 record" : `${count.toLocaleString("en")} records`}: ${keys.map((key) => key ?? "(no key)").join(", ")}${count > keys.length ? " …" : ""}`;
