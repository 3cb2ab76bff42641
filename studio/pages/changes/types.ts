/** What the API says of a change, as far as these pages show it. */
export interface Place { readonly layer: string; readonly file: string; readonly line: number }
export interface PlannedChange { readonly kind: string; readonly name: string; readonly path: string; readonly change: "added" | "removed" | "changed"; readonly before?: unknown; readonly after?: unknown; readonly from?: Place; readonly to?: Place; readonly risk: string; readonly why?: string }
export interface TenantChange { readonly tenant: string; readonly title: string; readonly change: string; readonly risk: string; readonly changes: readonly PlannedChange[] }
export interface ChangePlan { readonly hash: string; readonly risk: string; readonly tenants: readonly TenantChange[]; readonly unchanged: number; readonly files: readonly { readonly file: string; readonly change: string }[]; readonly warnings: readonly { readonly message: string }[] }
export interface Sample { readonly key: string; readonly outcome: string; readonly before?: Readonly<Record<string, unknown>>; readonly after?: Readonly<Record<string, unknown>>; readonly reason?: string }
export interface FlowEffect { readonly tenant: string; readonly flow: string; readonly stream: string; readonly entity: string; readonly looked_at: number; readonly newly_invalid: number; readonly newly_filtered: number; readonly newly_valid: number; readonly newly_kept: number; readonly changed: number; readonly fields: Readonly<Record<string, number>>; readonly reasons: readonly { readonly reason: string; readonly records: number }[]; readonly samples: readonly Sample[]; readonly note?: string }

/** Where a forge is configured. */
export interface PullRequest { readonly number: number; readonly url: string; readonly state: "open" | "closed" | "merged"; readonly review: "approved" | "changes_requested" | "waiting" | null; readonly reviewers: readonly string[]; readonly note: string | null }

export interface Change {
  readonly id: string; readonly title: string; readonly description: string; readonly status: string; readonly tenant: string | null; readonly author: { readonly name: string }; readonly own: boolean; readonly version: number;
  readonly base: string; readonly branch: string | null; readonly commit: string | null; readonly plan_hash: string | null; readonly approved: boolean; readonly decided_by: string | null; readonly decided_at: string | null; readonly reason: string | null;
  readonly pull_request: PullRequest | null; readonly merged_commit: string | null; readonly revision: string | null; readonly applied_by: string | null; readonly applied_at: string | null; readonly created_at: string; readonly updated_at: string;
}
export interface WholeChange extends Change { readonly plan: ChangePlan | null; readonly problems: readonly { readonly code: string; readonly message: string; readonly hint?: string; readonly at?: { readonly file: string; readonly line: number; readonly col: number } }[]; readonly data: { readonly flows: readonly FlowEffect[]; readonly left_out: number } | null }
