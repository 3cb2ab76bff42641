/** What the API says of organisations and their connections, as far as these pages show it. */
export interface Tenant {
  readonly tenant: string; readonly title: string; readonly kind: "customer" | "platform"; readonly subdomain: string | null; readonly status: string; readonly status_at: string; readonly status_reason: string | null; readonly revision: string | null; readonly created_at: string;
  readonly preset: { readonly id: string; readonly release: number | string; readonly newest: number | null; readonly upgrade: boolean } | null;
  readonly limits: Readonly<Record<string, number>>;
  readonly connections: readonly { readonly connection: string; readonly connector: string; readonly status: string; readonly account: string | null }[];
}

export interface SecretState { readonly set: boolean; readonly fingerprint?: string; readonly updated_at?: string; readonly updated_by?: string; readonly reference?: string }

export interface Connection {
  readonly connection: string; readonly connector: string; readonly title: string; readonly enabled: boolean; readonly signed_in: boolean;
  readonly state: { readonly name: string; readonly reason: string | null; readonly since: string | null; readonly last_sync_at: string | null; readonly next_run_at: string | null };
  readonly paused: { readonly at: string; readonly by: string } | null; readonly account: { readonly id: string; readonly label?: string } | null;
  readonly config: Readonly<Record<string, unknown>>; readonly defaults: Readonly<Record<string, unknown>>; readonly locked: readonly string[]; readonly secrets: Readonly<Record<string, SecretState>>; readonly missing: readonly string[]; readonly updated_at: string | null;
}

/** One that reads the connection, or sends to it: server/api/flows.ts. */
export interface IntegrationFlow { readonly flow: string; readonly title: string | null; readonly from: "stream" | "change"; readonly entity: string; readonly enabled: boolean; readonly paused: boolean; readonly schedule: string | null; readonly waiting: number; readonly held: number; readonly failed: number; readonly last_run: { readonly id: string; readonly status: string; readonly error: { readonly message: string } | null } | null; readonly last_success_at: string | null; readonly next_run_at: string | null }

export interface FormField { readonly title?: string; readonly type?: string; readonly enum?: readonly (string | number | boolean)[]; readonly default?: unknown; readonly format?: string; readonly pattern?: string; readonly description?: string; readonly "x-secret"?: boolean; readonly "x-required"?: boolean; readonly "x-order"?: number; readonly "x-help"?: string; readonly "x-when"?: string; readonly "x-scope"?: string; readonly "x-example"?: unknown }
export interface Form { readonly title: string; readonly properties: Readonly<Record<string, FormField>>; /** `when` null: always. */ readonly "x-sign-in"?: { readonly when: string | null; readonly button: string } }

export interface Override { readonly path: string; readonly pointer: string; readonly value: unknown; readonly overridden: boolean; readonly origin: { readonly layer: string; readonly file: string; readonly line: number }; readonly default: { readonly value: unknown } | null }
