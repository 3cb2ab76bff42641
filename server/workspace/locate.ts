/** Which workspace a command works on, read and checked, and where its data lives. */
import { existsSync } from "node:fs";
import path from "node:path";
import { PlugboardError, type Problem } from "../../engine/errors/plugboard-error.ts";
import type { Retention } from "../../engine/jobs/index.ts";
import { read, type SourceTree, type Workspace } from "../../engine/manifest/index.ts";
import { parseDuration } from "../../engine/plan/duration.ts";
import { findWorkspace, PRODUCT_ROOT, readTrees } from "./read-tree.ts";

export interface LocatedWorkspace {
  /** Absolute. */
  readonly root: string;
  readonly trees: readonly SourceTree[];
  readonly workspace: Workspace;
}

const DATA_FOLDER = ".plugboard";

/**
 * The folder that was named, else the nearest one upwards with a workspace.yaml, else the demo that `plugboard start` made
 * here, else the built-in catalogue.
 */
export function locateWorkspace(named: string | undefined, cwd: string): string {
  if (named !== undefined) return path.resolve(cwd, named);
  const demo = path.join(cwd, DATA_FOLDER, "workspace");
  return findWorkspace(cwd) ?? (existsSync(path.join(demo, "workspace.yaml")) ? demo : PRODUCT_ROOT);
}

/** For what only a deployment's own workspace has: a history, changes. @throws PlugboardError MANIFEST_NO_WORKSPACE where only the built-in catalogue is. */
export function ownWorkspace(named: string | undefined, cwd: string): string {
  const root = locateWorkspace(named, cwd);
  if (path.resolve(root) === path.resolve(PRODUCT_ROOT)) throw new PlugboardError("MANIFEST_NO_WORKSPACE", { folder: "This folder" });
  return root;
}

/**
 * Reads the workspace with extra files laid over it, as if they stood there.
 * @throws PlugboardError MANIFEST_UNREADABLE, or MANIFEST_NO_WORKSPACE: the catalogue alone would answer for a mistyped folder.
 */
export function readWorkspace(root: string, cwd: string, extra: Readonly<Record<string, string>> = {}): LocatedWorkspace {
  const trees = readTrees(root, path.relative(cwd, root));
  const last = trees.at(-1)!;
  if (last.files.size === 0) throw new PlugboardError("MANIFEST_NO_WORKSPACE", { folder: path.relative(cwd, root) || "This folder" });
  const overlaid: SourceTree = { ...last, files: new Map([...last.files, ...Object.entries(extra)]) };
  const all = [...trees.slice(0, -1), overlaid];
  return { root, trees: all, workspace: read(all) };
}

/** `<workspace>/.plugboard`; the catalogue's own is that of the folder the command was typed in. */
export function dataFolder(named: string | undefined, workspaceRoot: string | undefined, cwd: string): string {
  if (named !== undefined) return path.resolve(cwd, named);
  if (workspaceRoot === undefined || path.resolve(workspaceRoot) === path.resolve(PRODUCT_ROOT)) return path.join(cwd, DATA_FOLDER);
  // The demo's workspace lies inside the data folder itself.
  if (path.basename(path.dirname(workspaceRoot)) === DATA_FOLDER) return path.dirname(workspaceRoot);
  return path.join(workspaceRoot, DATA_FOLDER);
}

/** The egress rule of workspace.yaml: which private addresses its requests may reach. */
export function allowPrivate(workspace: Workspace): boolean | readonly string[] {
  const egress = workspace.settings?.value["egress"] as { allow_private?: boolean | readonly string[] } | undefined;
  return egress?.allow_private ?? false;
}

/** Days that processed events and finished deliveries are kept: `retention`. Absent: as long as the engine keeps them. */
export function retention(workspace: Workspace): Retention {
  const { events, deliveries } = (workspace.settings?.value["retention"] ?? {}) as { readonly events?: string; readonly deliveries?: string };
  const days = (written: string): number => Math.floor(parseDuration(written)! / 86_400);
  return { ...(events === undefined ? {} : { events: days(events) }), ...(deliveries === undefined ? {} : { deliveries: days(deliveries) }) };
}

/** Variables that `env:` references may read: `secrets.allow_env` (the operator's own connections) and `allow_env_of` (by tenant). */
export function allowedVariables(workspace: Workspace): { readonly allowEnv: readonly string[]; readonly allowEnvOf: Readonly<Record<string, readonly string[]>> } {
  const secrets = workspace.settings?.value["secrets"] as { allow_env?: readonly string[]; allow_env_of?: Readonly<Record<string, readonly string[]>> } | undefined;
  return { allowEnv: secrets?.allow_env ?? [], allowEnvOf: secrets?.allow_env_of ?? {} };
}

/** Origins that a connect link may lead back to: `connect.return_to`. */
export function returnOrigins(workspace: Workspace): readonly string[] {
  const connect = workspace.settings?.value["connect"] as { return_to?: readonly string[] } | undefined;
  return connect?.return_to ?? [];
}

/** @throws the first error, so that nothing runs on a configuration with one; the caller shows all of them first. */
export function refuseErrors(problems: readonly Problem[]): void {
  const errors = problems.filter((problem) => problem.severity === "error");
  const first = errors[0];
  if (first) throw new PlugboardError(first.code, first.params, { at: first.at });
}
