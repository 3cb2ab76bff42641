/** Drafts: what somebody is about to propose, saved as they type. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { problemJson } from "../../engine/errors/render.ts";
import { placeOf } from "../../engine/manifest/places.ts";
import type { Json } from "../../engine/manifest/types.ts";
import { createChange, dropDraft, getChange, moveChange, PLATFORM, withTenant, type Actor, type StoredChange } from "../../engine/store/index.ts";
import { changedFiles, type FileEdit } from "./edits.ts";
import { dataEffect, type DataEffect } from "./data-effect.ts";
import { audit, wrongStatus } from "./log.ts";
import { InvalidChange, planChange, planOnce, plansOf, type ChangePlan } from "./plan.ts";
import { remoteOf, withdraw } from "./pull-request.ts";
import { filesOf, withFiles, type Review } from "./workspace.ts";

export interface NewDraft { readonly author: Actor; readonly title: string; readonly description?: string; readonly edits: readonly FileEdit[] }

/** @throws PlugboardError CHANGE_EDIT, CHANGE_PATH */
export async function createDraft({ db, workspace }: Review, { author, title, description, edits }: NewDraft): Promise<StoredChange> {
  const { commit, trees } = await workspace.main();
  const changed = changedFiles(filesOf(trees), edits);
  const tenant = onlyTenant(changed.keys());
  return withTenant(db, PLATFORM, async (tx) => {
    const change = await createChange(tx, { title, author, edits: edits as unknown as Json, base: commit, ...(description === undefined ? {} : { description }), ...(tenant === undefined ? {} : { tenant }) });
    await audit(tx, author, "change.drafted", change);
    return change;
  });
}

/**
 * @param version that the caller saw last: what was saved since, in another window, is not written over.
 * @throws PlugboardError CHANGE_STATUS
 */
export async function saveDraft({ db, workspace }: Review, id: string, version: number, { title, description, edits }: { readonly title?: string; readonly description?: string; readonly edits?: readonly FileEdit[] }): Promise<StoredChange> {
  const { commit, trees } = await workspace.main();
  const changed = edits && changedFiles(filesOf(trees), edits);
  const saved = await moveChange(db, id, {
    from: ["draft"], version,
    set: {
      ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }),
      ...(edits && changed ? { edits: JSON.stringify(edits), base_commit: commit, only_tenant: onlyTenant(changed.keys()) ?? null } : {}),
    },
  });
  if (saved) return saved;
  const now = await getChange(db, id);
  throw now?.status === "draft" ? new PlugboardError("CHANGE_STATUS", { id, status: "saved elsewhere since", verb: "saved over", suggestion: `Load it again: it is at version ${now.version}.` }) : wrongStatus(id, now, "edited");
}

/** @throws PlugboardError CHANGE_STATUS, and where its proposal was cut short at a forge CHANGE_FORGE_* */
export async function discardDraft(review: Review, id: string, actor: Actor): Promise<void> {
  const { db } = review;
  const begun = await getChange(db, id);
  // A branch that a draft has is of a proposal that did not come through.
  const remote = begun?.status === "draft" && begun.branch !== undefined ? await remoteOf(review) : undefined;
  if (remote) await withdraw(remote, begun!, undefined);
  await withTenant(db, PLATFORM, async (tx) => {
    const change = await getChange(tx, id);
    if (!change || !(await dropDraft(tx, id))) throw wrongStatus(id, change, "discarded");
    await audit(tx, actor, "change.discarded", change);
  });
}

/** What a draft does on top of main as it is now, or everything that is wrong with it. */
export async function planOf({ workspace }: Review, change: StoredChange): Promise<{ readonly plan?: ChangePlan; readonly problems: readonly ReturnType<typeof problemJson>[] }> {
  const { trees } = await workspace.main();
  try {
    return { plan: planChange(trees, withFiles(trees, changedFiles(filesOf(trees), editsOf(change)))), problems: [] };
  } catch (thrown) {
    if (thrown instanceof InvalidChange) return { problems: thrown.problems.map(problemJson) };
    // An edit that fits no longer: main has moved on.
    if (thrown instanceof PlugboardError) return { problems: [problemJson({ code: thrown.code, severity: "error", params: thrown.params, ...(thrown.at === undefined ? {} : { at: thrown.at }) })] };
    throw thrown;
  }
}

/** What a change does to the records that were read last. */
export async function effectOfChange(review: Review, change: StoredChange): Promise<DataEffect> {
  const { workspace } = review;
  const before = change.commit === undefined ? await workspace.readTrees() : await workspace.treesOf(change.base);
  const after = change.commit === undefined ? withFiles(before, changedFiles(filesOf(before), editsOf(change))) : await workspace.treesOf(change.commit);
  return dataEffect(review, plansOf(planOnce(before)), plansOf(planOnce(after)));
}

export const editsOf = (change: StoredChange): readonly FileEdit[] => change.edits as unknown as readonly FileEdit[];

/** The tenant whose file is the only one that is touched. */
export function onlyTenant(files: Iterable<string>): string | undefined {
  const found = new Set([...files].map((file) => { const place = placeOf(file); return place?.kind === "tenant" ? place.id : undefined; }));
  return found.size === 1 ? [...found][0] : undefined;
}
