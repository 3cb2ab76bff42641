/** Flows as they are drawn: server/api/flow-graph.ts. */
export interface FlowGraph {
  readonly connections: readonly { readonly connection: string; readonly connector: string; readonly title: string; readonly enabled: boolean }[];
  readonly flows: readonly { readonly flow: string; readonly title: string | null; readonly enabled: boolean; readonly connection: string; readonly stream: string; readonly entity: string; readonly mapping: string | null; readonly fields: number; readonly where: string | null; readonly schedule: string }[];
  readonly changes: readonly { readonly flow: string; readonly title: string | null; readonly enabled: boolean; readonly entity: string; readonly when: string | null; readonly mapping: string | null; readonly hold_for: string | null; readonly to: { readonly kind: "action" | "save" | "webhook"; readonly connection: string | null; readonly name: string } }[];
  readonly entities: readonly { readonly entity: string; readonly title: string; readonly match: readonly string[] }[];
}

export interface FlowHealth { readonly run: string | null; readonly status: string | null; readonly error: string | null; readonly at: string | null; readonly read: number | null; readonly stored: number | null; readonly next_run_at: string | null; readonly paused: boolean }
export interface TenantGraph extends FlowGraph { readonly preset: string | null; readonly health: Readonly<Record<string, FlowHealth>> }
