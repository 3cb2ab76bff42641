import { existsSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { renderProblems } from "../../../engine/errors/render.ts";
import type { DataEffect } from "../../review/data-effect.ts";
import { InvalidChange, planChange, planOnce, plansOf, type ChangePlan, type Trees } from "../../review/plan.ts";
import { commitOf, headOf, openRepository, treesAt } from "../../review/repository.ts";
import { names, planMarkdown } from "../../review/words.ts";
import { dataFolder, ownWorkspace } from "../../workspace/locate.ts";
import { readTrees } from "../../workspace/read-tree.ts";
import { print, printJson, say } from "../output.ts";
import { showPlan } from "../show-plan.ts";

interface Options { base?: string; workspace?: string; data?: string; databaseUrl?: string; json?: boolean; markdown?: boolean; lookAtData: boolean }

export function registerPlan(program: Command): void {
  program.command("plan")
    .description("what the working copy changes, tenant by tenant: connections, flows, schedules, fields, and the records read last")
    .option("--base <ref>", "the branch or commit to compare with (default: main)")
    .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml)")
    .option("--json", "print one JSON document")
    .option("--markdown", "print it for a pull request")
    .option("--no-look-at-data", "leave the records out, also where there is a database")
    .option("--database-url <url>", "look at the records of this PostgreSQL (default: DATABASE_URL, else that of a running `plugboard start`)")
    .option("--data <dir>", "data folder (default: .plugboard of the workspace)")
    .addHelpText("after", "\nNo database is needed; with one, records read last are run through the old and the new mappings.\nExit codes: 0 no changes, 2 changes, 1 errors, or wrong usage")
    .action(plan);
}

async function plan(options: Options): Promise<void> {
  const root = ownWorkspace(options.workspace, process.cwd());
  const repository = await openRepository(root);
  const base = options.base === undefined ? await headOf(repository) : await commitOf(repository, options.base);
  const before = await treesAt(repository, base);
  const after = readTrees(root);
  let planned: ChangePlan;
  try {
    planned = planChange(before, after);
  } catch (thrown) {
    if (!(thrown instanceof InvalidChange)) throw thrown;
    const files = after.at(-1)!.files;
    if (options.json) printJson({ ok: false, problems: thrown.problems });
    else print(renderProblems(thrown.problems, { colour: pc.isColorSupported && process.stdout.isTTY === true, textOf: (file) => files.get(file) }));
    process.exitCode = 1;
    return;
  }
  const { data, drift } = options.lookAtData ? await look(options, root, before, after) : {};
  const name = `${options.base ?? repository.main} ${base.slice(0, 7)}`;
  if (options.json) printJson({ ok: true, base, ...planned, data: data ?? null, drift: drift ?? null });
  else if (options.markdown) process.stdout.write(planMarkdown(planned, { ...(data === undefined ? {} : { data }), ...(drift === undefined ? {} : { drift }) }));
  else {
    say(pc.dim(`From ${name} to the working copy.`));
    if (drift !== undefined) say(`${pc.yellow("drift")}  ${drift}`);
    showPlan(planned, { data });
  }
  if (planned.tenants.length + planned.files.length > 0) process.exitCode = 2;
}

/** What only a database knows: the records, and whether main is in force. Its drivers are loaded where there may be one. */
async function look(options: Options, root: string, before: Trees, after: Trees): Promise<{ data?: DataEffect; drift?: string }> {
  const url = options.databaseUrl ?? process.env["DATABASE_URL"];
  if (!url && !existsSync(path.join(dataFolder(options.data, root, process.cwd()), "database-url"))) return {};
  const [{ openRunning }, { dataEffect, driftOf, openWorkspace }] = await Promise.all([import("../open-review.ts"), import("../../review/index.ts")]);
  const running = await openRunning(options, root);
  if (!running) return {};
  try {
    const review = { ...running, workspace: await openWorkspace(root) };
    const data = await dataEffect(review, plansOf(planOnce(before)), plansOf(planOnce(after)));
    const drift = await driftOf(review).catch((thrown: unknown) => { if (thrown instanceof PlugboardError) return undefined; throw thrown; });
    return { data, ...(drift && drift.tenants.length > 0 ? { drift: `What is in force is not what ${review.workspace.repository.main} says, for ${names(drift.tenants.map(({ tenant }) => tenant))}: plugboard apply puts it in force.` } : {}) };
  } finally {
    await running.close();
  }
}
