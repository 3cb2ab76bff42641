import type { Statement } from "../database.ts";

export interface ChangeRow {
  id: string; title: string; description: string; status: "draft" | "proposed" | "approved" | "applied" | "rejected" | "rolled_back";
  only_tenant: string | null; author_kind: string; author_id: string; author_name: string; edits: unknown; version: number;
  base_commit: string; branch: string | null; commit: string | null; plan: unknown; plan_hash: string | null; approved_hash: string | null;
  decided_by: string | null; decided_at: Date | null; reason: string | null; merged_commit: string | null; revision: string | null; before: string | null;
  applied_by: string | null; applied_at: Date | null; pull_request: unknown; created_at: Date; updated_at: Date; created_at_text: string;
}

/** Columns that an update may name; JSON is given as text. */
export const CHANGEABLE = ["title", "description", "status", "only_tenant", "edits", "base_commit", "branch", "commit", "plan", "plan_hash", "approved_hash", "decided_by", "decided_at", "reason", "merged_commit", "revision", "before", "applied_by", "applied_at", "pull_request"] as const;
export type ChangePatch = { readonly [Column in (typeof CHANGEABLE)[number]]?: string | null };

const COLUMNS = `id, title, description, status, only_tenant, author_kind, author_id, author_name, edits, version, base_commit, branch, commit, plan, plan_hash, approved_hash,
  decided_by, decided_at, reason, merged_commit, revision, before, applied_by, applied_at, pull_request, created_at, updated_at, created_at::text as created_at_text`;

export const insertChange = (tenantId: string, row: { readonly id: string; readonly title: string; readonly description: string; readonly author: { readonly kind: string; readonly id: string; readonly name: string }; readonly edits: string; readonly base: string; readonly onlyTenant: string | null }): Statement => ({
  text: `insert into changes (tenant_id, id, title, description, status, author_kind, author_id, author_name, edits, base_commit, only_tenant)
         values ($1, $2, $3, $4, 'draft', $5, $6, $7, $8, $9, $10) returning ${COLUMNS}`,
  values: [tenantId, row.id, row.title, row.description, row.author.kind, row.author.id, row.author.name, row.edits, row.base, row.onlyTenant],
});

export const selectChange = (tenantId: string, id: string): Statement => ({
  text: `select ${COLUMNS} from changes where tenant_id = $1 and id = $2`,
  values: [tenantId, id],
});

/** Newest first. A draft shows in nobody's list but its author's. */
export const selectChanges = (tenantId: string, filter: { readonly status: string | null; readonly onlyTenant: string | null; readonly author: string | null; readonly reader: string }, after: readonly [string, string] | undefined, limit: number): Statement => ({
  text: `select ${COLUMNS} from changes where tenant_id = $1 and ($2::text is null or status = $2) and ($3::text is null or only_tenant = $3) and ($4::text is null or author_id = $4)
           and (status <> 'draft' or author_id = $5) and ($6::timestamptz is null or (created_at, id) < ($6, $7::uuid)) order by created_at desc, id desc limit $8`,
  values: [tenantId, filter.status, filter.onlyTenant, filter.author, filter.reader, after?.[0] ?? null, after?.[1] ?? null, limit],
});

/** 0 rows: it was no longer as the caller saw it. */
export const updateChange = (tenantId: string, id: string, from: readonly string[], version: number | undefined, patch: ChangePatch): Statement => {
  const columns = CHANGEABLE.filter((column) => column in patch);
  return {
    text: `update changes set ${columns.map((column, index) => `${column} = $${index + 5}`).join(", ")}${columns.length > 0 ? ", " : ""}version = version + 1, updated_at = clock_timestamp()
           where tenant_id = $1 and id = $2 and status = any($3) and ($4::integer is null or version = $4) returning ${COLUMNS}`,
    values: [tenantId, id, from, version ?? null, ...columns.map((column) => patch[column] ?? null)],
  };
};

/** How its pull request was seen: that is nobody's edit, so it counts as none. */
export const updatePullRequest = (tenantId: string, id: string, pullRequest: string): Statement => ({
  text: `update changes set pull_request = $3 where tenant_id = $1 and id = $2 returning ${COLUMNS}`,
  values: [tenantId, id, pullRequest],
});

/** Under review with an open pull request, or one whose end is not taken in yet; oldest first. */
export const selectUnderReview = (tenantId: string, limit: number): Statement => ({
  text: `select ${COLUMNS} from changes where tenant_id = $1 and status in ('proposed', 'approved') and pull_request is not null order by created_at, id limit $2`,
  values: [tenantId, limit],
});

export const deleteDraft = (tenantId: string, id: string): Statement => ({
  text: "delete from changes where tenant_id = $1 and id = $2 and status = 'draft' returning id",
  values: [tenantId, id],
});
