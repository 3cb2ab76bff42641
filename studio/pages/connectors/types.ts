/** What the API says of connectors, as far as these pages show it. */
export interface Connector {
  readonly id: string; readonly title: string; readonly category: string | null; readonly docs: string | null;
  readonly auth: readonly { readonly name: string; readonly type: string }[];
  readonly streams: readonly { readonly name: string; readonly doors: readonly string[]; readonly incremental: boolean }[];
  readonly actions: readonly { readonly name: string; readonly does?: string; readonly stream?: string; readonly once?: string }[];
  readonly webhooks: readonly { readonly name: string; readonly scope?: string }[];
  readonly signs_in: boolean; readonly callback: string | null; readonly check: boolean;
  readonly health: { readonly connections: number; readonly working: number; readonly share: number | null; readonly errors: readonly { readonly code: string; readonly connections: number; readonly last_at: string }[] };
  readonly required: readonly string[]; readonly missing: readonly string[]; readonly hosts: readonly string[];
  readonly limits: Readonly<Record<string, { readonly per?: string; readonly max?: number; readonly every_seconds?: number; readonly at_once?: number }>>;
}

export interface SourceFile { readonly layer: string; readonly path: string; readonly text: string }
export interface Workbench {
  readonly connector: string; readonly edit_file: string; readonly files: readonly SourceFile[];
  readonly tests: readonly { readonly name: string; readonly stream: string | null; readonly layer: string }[];
  readonly mappings: readonly { readonly id: string; readonly stream: string; readonly to: string }[];
  readonly presets: readonly { readonly preset: string; readonly title: string; readonly connection: string }[];
  readonly tenants: readonly { readonly tenant: string; readonly title: string; readonly connection: string }[];
}

export interface Half { readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
export interface Exchange { readonly at: string; readonly milliseconds: number; readonly request: Half & { readonly method: string; readonly url: string }; readonly answer?: Half & { readonly status: number }; readonly error?: string }
export interface TriedRecord { readonly record: unknown; readonly outcome?: "kept" | "filtered" | "refused"; readonly key?: string; readonly mapped?: Readonly<Record<string, unknown>>; readonly reason?: string }
export interface Tried { readonly exchanges: readonly Exchange[]; readonly pages: readonly { readonly count: number; readonly more: boolean; readonly records: readonly TriedRecord[] }[]; readonly mapping: string | null; readonly error: { readonly code: string; readonly message: string; readonly hint?: string } | null }

const CATEGORIES: Readonly<Record<string, string>> = { ats: "Applicant tracking", crm: "CRM", hris: "HR", lms: "Learning", accounting: "Accounting", website: "Websites", cms: "Websites", mail: "Mail", messaging: "Messaging" };
export const categoryName = (category: string | null): string => category === null ? "Other" : CATEGORIES[category] ?? category.slice(0, 1).toUpperCase() + category.slice(1).replaceAll("_", " ");
