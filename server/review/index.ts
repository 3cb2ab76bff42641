/** The workspace in Git, and the review that a change of it passes: draft → proposed → approved → applied, or back. */
export { commitOf, headOf, openRepository, readTreeAt, treesAt, type Repository } from "./repository.ts";
export { commitDirect, type Author } from "./commit.ts";
export { changedFiles, type FileEdit } from "./edits.ts";
export { authorOf, filesOf, openWorkspace, reviewRule, withFiles, type Review, type ReviewedWorkspace } from "./workspace.ts";
export { planChange, comparePlans, InvalidChange, problemsFor, type ChangePlan } from "./plan.ts";
export { createDraft, discardDraft, editsOf, effectOfChange, planOf, saveDraft, type NewDraft } from "./drafts.ts";
export { approve, isAuthor, propose, proposeChange, reject } from "./propose.ts";
export { applyChange, effectOf, type AppliedChange } from "./apply.ts";
export { driftOf, lookAtForge, syncMain, type Drift, type Synced } from "./sync.ts";
export { rollBack, type RolledBack } from "./rollback.ts";
export { dataEffect, type DataEffect, type FlowEffect } from "./data-effect.ts";
export { neededFor, type Needed } from "./permission-of.ts";
export { watchMain } from "./watch.ts";
export { openForges, type Forges } from "./forge/open.ts";
export { followMain, pushMain } from "./forge/remote.ts";
export { remoteOf } from "./pull-request.ts";
