/** What GET /api/overview says, as far as it is shown. */
interface Counts { readonly succeeded: number; readonly with_quarantine: number; readonly failed: number; readonly cancelled: number; readonly under_way: number; readonly stored: number; readonly quarantined: number }

export interface Overview {
  readonly since: string; readonly step: "hour" | "day"; readonly organisations: { readonly shown: number; readonly all: number }; readonly truncated: boolean; readonly totals: Counts;
  readonly history: readonly (Counts & { readonly at: string; readonly seconds: number | null; readonly longest: number | null })[];
  readonly providers: readonly { readonly connector: string; readonly title: string; readonly succeeded: number; readonly failed: number; readonly stored: number; readonly last_failed_at: string | null; readonly codes: readonly { readonly code: string; readonly count: number }[] }[];
  readonly connections: readonly { readonly tenant: string; readonly organisation: string; readonly connection: string; readonly title: string; readonly code: string | null; readonly message: string | null; readonly since: string | null }[];
  readonly waiting: { readonly holds: number; readonly events: number; readonly sweeps: number; readonly quarantine: number; readonly requests: number; readonly changes: number };
  readonly tenants: readonly (Counts & { readonly tenant: string; readonly title: string; readonly waiting: number })[];
}
