/**
 * Every permission of the HTTP door, once. A route declares exactly one of them, a key carries some of them as scopes; `*`
 * is all. There is no default: a route without one does not register.
 */
export const permissions = {
  public: { title: "Anyone, without a key", tenant: false },
  "status:read": { title: "Status, schedule and history of integrations", tenant: true },
  "sync:run": { title: "Start and cancel syncs", tenant: true },
  "runs:read": { title: "Runs", tenant: true },
  "logs:read": { title: "Logs of runs", tenant: true },
  "sweeps:approve": { title: "Let a held sweep delete", tenant: true },
  "records:read": { title: "Records of entities", tenant: true },
  "flows:read": { title: "Flows", tenant: true },
  "quarantine:read": { title: "Quarantined records", tenant: true },
  "quarantine:replay": { title: "Try quarantined records again", tenant: true },
  "connectors:read": { title: "Connectors and the forms of their connections", tenant: "optional" },
  "connections:read": { title: "Connections: config, status, and which secrets are set", tenant: true },
  "connections:write": { title: "Enter, check and end connections", tenant: true },
  "proxy:call": { title: "Call a provider with a connection's credential", tenant: true },
  "metrics:read": { title: "Metrics of all tenants", tenant: false },
  "tenants:read": { title: "List of tenants", tenant: false },
} as const satisfies Record<string, { readonly title: string; /** Whether the request is about one tenant; `optional`: it may be. */ readonly tenant: boolean | "optional" }>;

export type Permission = keyof typeof permissions;

export const isPermission = (value: unknown): value is Permission => typeof value === "string" && Object.hasOwn(permissions, value);

/** Whether a key's scopes grant a permission. What spans tenants is never granted to the key of one tenant. */
export function grants(key: { readonly scopes: readonly string[]; readonly tenant: string | undefined }, permission: Permission): boolean {
  if (permission === "public") return true;
  if (!permissions[permission].tenant && key.tenant !== undefined) return false;
  return key.scopes.includes("*") || key.scopes.includes(permission);
}
