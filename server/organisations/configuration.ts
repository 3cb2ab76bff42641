/** What organisations need of the workspace: what it says now, a commit without review, and putting it in force. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { read, type SourceTree, type Workspace } from "../../engine/manifest/index.ts";
import type { Actor } from "../../engine/store/index.ts";
import { authorOf, commitDirect, followMain, pushMain, remoteOf, syncMain, withFiles, type FileEdit, type Review } from "../review/index.ts";

export interface Head {
  /** The catalogue, then the workspace. */
  readonly trees: readonly SourceTree[];
  readonly workspace: Workspace;
}

/** Read once per tree: trees are kept by their commit, and never change. */
const known = new WeakMap<readonly SourceTree[], Workspace>();

/** Main, as it is now. */
export async function headOfMain({ workspace: { main } }: Review): Promise<Head> {
  const { trees } = await main();
  const workspace = known.get(trees) ?? read(trees);
  known.set(trees, workspace);
  return { trees, workspace };
}

/** Where a forge is configured, its main has it first. @throws PlugboardError CHANGE_EMPTY, CHANGE_UNCOMMITTED, CHANGE_BUSY, CHANGE_FORGE_* */
export async function commitToMain(review: Review, files: readonly FileEdit[], message: string, actor: Actor): Promise<void> {
  const remote = await remoteOf(review);
  if (remote) await followMain(remote);
  await commitDirect(review.workspace.repository, { files, message, author: authorOf(actor) }, remote && ((before, commit) => pushMain(remote, before, commit)));
}

/** Puts main in force. @throws PlugboardError with what keeps it from that; what was in force stays */
export async function putMainInForce(review: Review, actor: Actor): Promise<void> {
  const synced = await syncMain(review, { actor });
  if (synced.status === "refused") throw new PlugboardError(synced.alarm.code as "CHANGE_BROKEN_COMMIT", { commit: synced.commit.slice(0, 7), known: "", detail: synced.alarm.message });
}

/** The workspace with a file of its own written over it, or without it. */
export const withFile = (trees: readonly SourceTree[], file: string, text: string | undefined): Workspace => read(withFiles(trees, new Map([[file, text ?? null]])));

export const textAt = (trees: readonly SourceTree[], file: string): string | undefined => trees.find(({ layer }) => layer === "workspace")?.files.get(file);

export const tenantFile = (tenant: string): string => `tenants/${tenant}.yaml`;
