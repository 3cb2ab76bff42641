/** A change of one or several tenants' files, or of a preset, on its way into review. */
import type { ChangePlan } from "../review/index.ts";
import { proposeChange, type FileEdit, type Review } from "../review/index.ts";
import type { Actor, StoredChange } from "../../engine/store/index.ts";

export interface Proposed { readonly id: string; readonly title: string; readonly status: string; readonly branch: string | null; readonly commit: string | null; readonly plan: Pick<ChangePlan, "hash" | "risk" | "tenants" | "warnings"> | null }

/** Undefined: there is nothing to change. @throws PlugboardError CHANGE_*; InvalidChange with every problem */
export async function proposeEdits(review: Review, author: Actor, title: string, edits: readonly FileEdit[], description?: string): Promise<Proposed | undefined> {
  if (edits.every((edit) => "set" in edit && edit.set.length === 0)) return undefined;
  return viewOf(await proposeChange(review, { author, title, edits, ...(description === undefined ? {} : { description }) }));
}

const viewOf = ({ id, title, status, branch, commit, plan }: StoredChange): Proposed => {
  const planned = plan as unknown as ChangePlan | undefined;
  return { id, title, status, branch: branch ?? null, commit: commit ?? null, plan: planned === undefined ? null : { hash: planned.hash, risk: planned.risk, tenants: planned.tenants, warnings: planned.warnings } };
};
