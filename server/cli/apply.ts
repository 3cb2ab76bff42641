/** Puts the workspace of a command in force, or says everything that is wrong with it. */
import fs from "node:fs";
import git from "isomorphic-git";
import pc from "picocolors";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { renderProblems } from "../../engine/errors/render.ts";
import { resolveAll, type TenantPlan } from "../../engine/plan/index.ts";
import type { Database } from "../../engine/store/index.ts";
import { applyWorkspace } from "../workspace/apply.ts";
import { planWorkspace } from "../workspace/plan-workspace.ts";
import type { LocatedWorkspace } from "../workspace/locate.ts";
import { say } from "./output.ts";

/** @throws PlugboardError with the first error, after all of them were shown. */
export async function applyLocated(db: Database, { root, trees, workspace }: LocatedWorkspace): Promise<ReadonlyMap<string, TenantPlan>> {
  const commit = await headOf(root);
  // Under the names that files have in the workspace, wherever the command was typed: the same configuration is the same revision.
  const inside = trees.map((tree) => (tree.layer === "workspace" ? { ...tree, label: "" } : tree));
  const applied = await applyWorkspace({ db, trees: inside, ...(commit === undefined ? {} : { commit }) });
  if (!applied.applied) {
    const { problems } = planWorkspace(trees);
    say(renderProblems(problems, { colour: pc.isColorSupported && process.stderr.isTTY === true, textOf: (file) => workspace.files.get(file) }));
    const first = problems.find(({ severity }) => severity === "error")!;
    throw new PlugboardError(first.code, first.params, { at: first.at });
  }
  return resolveAll(workspace).plans;
}

/** The commit a workspace is at; undefined outside Git, and before the first commit. */
async function headOf(root: string): Promise<string | undefined> {
  try {
    return await git.resolveRef({ fs, dir: root, ref: "HEAD" });
  } catch {
    return undefined;
  }
}
