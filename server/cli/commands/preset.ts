import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { messageOf, PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import type { Workspace } from "../../../engine/manifest/index.ts";
import { cutRelease, diffPresets, listPresets, type MovePlan, type PlanChange } from "../../../engine/plan/index.ts";
import { headOfMain } from "../../organisations/configuration.ts";
import { behindOf, planMoves, proposeMoves } from "../../organisations/move.ts";
import { proposeEdits } from "../../organisations/propose.ts";
import { findWorkspace } from "../../workspace/read-tree.ts";
import { commandActor, openReview, type ReviewOptions } from "../open-review.ts";
import { print, printJson } from "../output.ts";
import { openWorkspace } from "./validate.ts";

interface Options { readonly workspace?: string; readonly json?: boolean }

export function registerPreset(program: Command): void {
  const preset = program.command("preset").description("list, show and compare presets, and freeze one as a release");
  const command = (usage: string, description: string): Command =>
    preset.command(usage).description(description)
      .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml)")
      .option("--json", "print one JSON document");

  command("list", "presets with their releases, and the tenants on each").action((options: Options) => {
    const workspace = openWorkspace(options.workspace)?.workspace;
    if (!workspace) return;
    const presets = listPresets(workspace);
    if (options.json) return printJson({ presets });
    for (const { id, title, releases, tenants } of presets) {
      print(`${pc.bold(id)}  ${title}`);
      print(`  ${releases.length === 0 ? "no release: tenants are on its head" : `releases ${releases.join(", ")}`}${tenants.length === 0 ? "" : `; tenants: ${tenants.map((tenant) => `${tenant.id} (${tenant.release})`).join(", ")}`}`);
    }
  });

  command("show <preset>", "the text of a preset: its head, or with @n a release").action((asked: string, options: Options) => {
    const workspace = openWorkspace(options.workspace)?.workspace;
    if (!workspace) return;
    const manifests = manifestsOf(workspace, asked);
    if (options.json) return printJson({ preset: asked, files: manifests.map(({ file, value }) => ({ file, value })) });
    for (const { file, text } of manifests) {
      print(pc.dim(`# ${file}`));
      print(text.trimEnd());
    }
  });

  command("diff <before> <after>", "what a tenant moved from one release to another would see: acme@1 acme@2, or without @n the head").action((before: string, after: string, options: Options) => {
    const workspace = openWorkspace(options.workspace)?.workspace;
    if (!workspace) return;
    const changes = diffPresets(workspace, before, after);
    if (options.json) return printJson({ before, after, changes });
    for (const change of changes) print(lineOf(change));
    if (changes.length === 0) print("No differences.");
  });

  command("release <preset>", "freeze the preset and its mappings as the next release of this workspace").option("--propose", "as a change for review, instead of a file for you to commit").action(async (id: string, options: Options & ReviewOptions & { propose?: boolean }) => {
    if (options.propose === true) return proposeRelease(id, options);
    const workspace = openWorkspace(options.workspace)?.workspace;
    if (!workspace) return;
    const folder = options.workspace ?? findWorkspace(process.cwd());
    if (folder === undefined) throw new PlugboardError("CLI_USAGE", { detail: "There is no workspace here: releases are cut in the workspace of a deployment.", suggestion: "Run it inside a workspace, or name one with --workspace." });
    const { number, file, text } = cutRelease(workspace, id);
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text, { flag: "wx" });
    if (options.json) return printJson({ preset: id, release: number, file });
    print(`Wrote ${file}. Review and commit it; tenants move to it with \`preset: ${id}@${number}\`.`);
  });

  command("upgrade <preset> [tenants...]", "propose that tenants move to another release, or with --to to another preset; without tenants, all that are behind. What gets in the way comes first")
    .option("--to <preset>", "a release or preset: aptem@4, aptem (default: the newest release)")
    .option("--accept", "although overrides hide what changes").option("--drop-gone", "take out overrides of parts that are no longer there").option("--dry-run", "only show what would happen")
    .action(upgrade);
}

async function proposeRelease(id: string, options: Options & ReviewOptions): Promise<void> {
  const { review, close } = await openReview(options);
  try {
    const { number, file, text } = cutRelease((await headOfMain(review)).workspace, id);
    const change = await proposeEdits(review, commandActor(), `${id}: release ${number}`, [{ file, text }]);
    if (options.json) return printJson({ preset: id, release: number, file, change: change ?? null });
    print(`Proposed release ${number} of ${id} as change ${change!.id}.`);
  } finally {
    await close();
  }
}

async function upgrade(preset: string, named: readonly string[], options: Options & ReviewOptions & { to?: string; accept?: boolean; dropGone?: boolean; dryRun?: boolean }): Promise<void> {
  const { review, close } = await openReview(options);
  try {
    const tenants = named.length > 0 ? named : await behindOf(review, preset);
    const wanted = { preset: options.to ?? preset, accept: options.accept === true, drop_gone: options.dropGone === true };
    const moves = await planMoves(review, tenants, wanted);
    if (!options.json) for (const move of moves) showMove(move);
    const { change } = options.dryRun === true ? { change: null } : await proposeMoves(review, commandActor(), tenants, wanted);
    if (options.json) return printJson({ moves, change });
    if (change !== null) print(`Proposed "${change.title}" as change ${change.id}.`);
    else if (options.dryRun !== true) print("Nothing to move.");
  } finally {
    await close();
  }
}

function showMove({ tenant, from, to, conflicts, stops, starts, connect }: MovePlan): void {
  print(`${pc.bold(tenant)}  ${from ?? "no preset"} → ${to}`);
  for (const { kind, path: where, before, after, problem } of conflicts) print(`  ${pc.yellow("!")} ${kind.padEnd(8)} ${where}${problem ? `  ${messageOf(problem.code, problem.params)}` : before === undefined ? "" : `  ${JSON.stringify(before)} → ${JSON.stringify(after)}, the tenant keeps its own`}`);
  for (const [sign, flows] of [["stops", stops], ["starts", starts], ["to be connected", connect]] as const) if (flows.length > 0) print(`  ${sign}: ${flows.join(", ")}`);
}

function manifestsOf(workspace: Workspace, asked: string): readonly { readonly file: string; readonly text: string; readonly value: object }[] {
  const [id = "", release] = asked.split("@");
  const found = release === undefined ? workspace.presets.get(id) : workspace.releases.get(id)?.get(Number(release));
  if (!found) throw new PlugboardError("MANIFEST_UNKNOWN_REFERENCE", { kind: release === undefined ? "Preset" : "Release", name: asked, suggestion: suggest(asked, listPresets(workspace).flatMap((preset) => [preset.id, ...preset.releases.map((number) => `${preset.id}@${number}`)])) });
  return Array.isArray(found) ? found : [found as { file: string; text: string; value: object }];
}

function lineOf({ kind, change, path: where, before, after, from, to }: PlanChange): string {
  const sign = { added: pc.green("+"), removed: pc.red("-"), changed: pc.yellow("~") }[change];
  const values = [before, after].filter((value) => value !== undefined).map((value) => JSON.stringify(value)).join(" → ");
  const place = to ?? from;
  return `${sign} ${kind}  ${pc.bold(where)}  ${values}${place ? pc.dim(`  ${place.file}:${place.line}`) : ""}`;
}
