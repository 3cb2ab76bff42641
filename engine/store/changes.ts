/** Changes on their way through review. They stand under the operator's tenant, whichever tenants they touch. */
import type { Json } from "../manifest/types.ts";
import { type Actor, PLATFORM } from "./audit.ts";
import { type Database, inTenant, type TenantTransaction } from "./database.ts";
import { newRowId } from "./row-id.ts";
import type { Page } from "./runs.ts";
import { type ChangePatch, type ChangeRow, deleteDraft, insertChange, selectChange, selectChanges, selectUnderReview, updateChange, updatePullRequest } from "./sql/changes.ts";

export type ChangeStatus = ChangeRow["status"];
export type { ChangePatch };

/** A change's pull request at a forge, as it was seen last. */
export interface StoredPullRequest {
  /** `owner/name`: another repository's number means nothing here. */
  readonly repository: string;
  readonly number: number;
  /** For people. */
  readonly url: string;
  readonly state: "open" | "closed" | "merged";
  /** The commit that its branch is at. */
  readonly head: string;
  /** What it was merged as. */
  readonly merged?: string;
  /** What its reviewers say of `head`. */
  readonly review?: "approved" | "changes_requested" | "waiting";
  /** Logins of those who approve, or ask for changes. */
  readonly reviewers?: readonly string[];
  /** Why a review there does not count, or what keeps it from being merged. */
  readonly note?: string;
  /** The change is approved by its reviews, not here: it is no longer when they are taken back. */
  readonly decides?: boolean;
  /** What `plugboard/plan` says of `head` now. */
  readonly check?: "success" | "failure";
}

export interface StoredChange {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly status: ChangeStatus;
  /** The one tenant it touches; absent: several, or none. */
  readonly tenant?: string;
  readonly author: Pick<Actor, "kind" | "id" | "name">;
  readonly edits: Json;
  /** Counts what was saved. */
  readonly version: number;
  /** Main's commit it begins at; its branch and commit once it is proposed. */
  readonly base: string;
  readonly branch?: string;
  readonly commit?: string;
  readonly plan?: Json;
  readonly plan_hash?: string;
  readonly approved_hash?: string;
  readonly decided_by?: string;
  readonly decided_at?: string;
  readonly reason?: string;
  /** Main after the merge, what was in force then, and before. */
  readonly merged_commit?: string;
  readonly revision?: string;
  readonly before?: string;
  readonly applied_by?: string;
  readonly applied_at?: string;
  readonly pull_request?: StoredPullRequest;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface ChangeFilter {
  readonly status?: ChangeStatus;
  /** Only those that touch this tenant alone. */
  readonly tenant?: string;
  readonly author?: string;
  /** Whose drafts are shown. */
  readonly reader: string;
  readonly limit: number;
  readonly after?: readonly string[];
}

const inPlatform = <Result>(at: Database | TenantTransaction, work: (tx: TenantTransaction) => Promise<Result>): Promise<Result> => inTenant(at, PLATFORM, work);

export const createChange = (at: Database | TenantTransaction, change: { readonly title: string; readonly description?: string; readonly author: StoredChange["author"]; readonly edits: Json; readonly base: string; readonly tenant?: string }): Promise<StoredChange> =>
  inPlatform(at, async (tx) => changeOf((await tx.run<ChangeRow>(insertChange(tx.tenantId, {
    id: newRowId(), title: change.title, description: change.description ?? "", author: change.author, edits: JSON.stringify(change.edits), base: change.base, onlyTenant: change.tenant ?? null,
  })))[0]!));

export const getChange = (at: Database | TenantTransaction, id: string): Promise<StoredChange | undefined> => inPlatform(at, async (tx) => {
  if (!/^[0-9a-f-]{36}$/i.test(id)) return undefined;
  const [row] = await tx.run<ChangeRow>(selectChange(tx.tenantId, id));
  return row && changeOf(row);
});

/** Newest first. */
export const listChanges = (at: Database | TenantTransaction, { status, tenant, author, reader, limit, after }: ChangeFilter): Promise<Page<StoredChange>> => inPlatform(at, async (tx) => {
  const rows = await tx.run<ChangeRow>(selectChanges(tx.tenantId, { status: status ?? null, onlyTenant: tenant ?? null, author: author ?? null, reader }, after as [string, string] | undefined, limit + 1));
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(changeOf), ...(rows.length > limit && last ? { next: [last.created_at_text, last.id] } : {}) };
});

/**
 * @param from statuses it must have now; with `version`, it must not have been saved since.
 * @returns undefined: it is not like that any more.
 */
export const moveChange = (at: Database | TenantTransaction, id: string, { from, version, set }: { readonly from: readonly ChangeStatus[]; readonly version?: number; readonly set: ChangePatch }): Promise<StoredChange | undefined> => inPlatform(at, async (tx) => {
  const [row] = await tx.run<ChangeRow>(updateChange(tx.tenantId, id, from, version, set));
  return row && changeOf(row);
});

/** How its pull request was seen last. Saves nothing else, so nobody's version changes. */
export const notePullRequest = (at: Database | TenantTransaction, id: string, pullRequest: StoredPullRequest): Promise<StoredChange | undefined> => inPlatform(at, async (tx) => {
  const [row] = await tx.run<ChangeRow>(updatePullRequest(tx.tenantId, id, JSON.stringify(pullRequest)));
  return row && changeOf(row);
});

/** Proposed or approved changes with a pull request, oldest first. */
export const listUnderReview = (at: Database | TenantTransaction, limit: number): Promise<StoredChange[]> => inPlatform(at, async (tx) =>
  (await tx.run<ChangeRow>(selectUnderReview(tx.tenantId, limit))).map(changeOf));

/** @returns false: it is no draft. */
export const dropDraft = (at: Database | TenantTransaction, id: string): Promise<boolean> => inPlatform(at, async (tx) => (await tx.run(deleteDraft(tx.tenantId, id))).length > 0);

function changeOf(row: ChangeRow): StoredChange {
  const { id, title, description, status, version, created_at, updated_at } = row;
  const texts = { branch: row.branch, commit: row.commit, plan_hash: row.plan_hash, approved_hash: row.approved_hash, decided_by: row.decided_by, reason: row.reason, merged_commit: row.merged_commit, revision: row.revision, before: row.before, applied_by: row.applied_by };
  return {
    id, title, description, status, version, base: row.base_commit, edits: row.edits as Json, author: { kind: row.author_kind as Actor["kind"], id: row.author_id, name: row.author_name },
    created_at: created_at.toISOString(), updated_at: updated_at.toISOString(),
    ...(row.only_tenant === null ? {} : { tenant: row.only_tenant }), ...(row.plan === null ? {} : { plan: row.plan as Json }),
    ...(row.pull_request === null ? {} : { pull_request: row.pull_request as StoredPullRequest }),
    ...(row.decided_at === null ? {} : { decided_at: row.decided_at.toISOString() }), ...(row.applied_at === null ? {} : { applied_at: row.applied_at.toISOString() }),
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== null)),
  } as StoredChange;
}
