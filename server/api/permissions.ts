/**
 * Who may do what, once. Every route of the HTTP door declares exactly one permission; a role has those its column names, a
 * key those its scopes name (`*` is all). Nothing is granted by default: a route without a permission does not register.
 *
 * How far a role reaches is the role's own: a super admin all tenants, an engineer those assigned to them, everybody else the
 * tenant of their membership.
 */

/** People's roles, and those a service token may carry. */
export const roles = ["super_admin", "integration_engineer", "tenant_admin", "employer_admin", "recruiter", "interviewer"] as const;
export type Role = (typeof roles)[number];

/** The operator's own people: members of the tenant `platform`. They reach what customers' people stored by acting as one of them only. */
export const staffRoles = ["super_admin", "integration_engineer"] as const satisfies readonly Role[];
export const isStaff = (role: Role): boolean => (staffRoles as readonly Role[]).includes(role);
export const isRole = (value: unknown): value is Role => (roles as readonly unknown[]).includes(value);

/** What a preset's (or tenant's) `policy` may open to a tenant's own roles: `policy: { tenant_admin: { credentials: write } }`. */
export const policyAreas = ["credentials", "mappings", "frequency", "pause", "connect_links", "quarantine", "deliveries", "uploads"] as const;
export type PolicyArea = (typeof policyAreas)[number];

/**
 * `full`: as the permission's title says. `narrow`: the route shows or does less, as `narrow` says. An area: only where the
 * tenant's policy says `write` for the role there.
 */
export type Grant = "full" | "narrow" | PolicyArea;

interface PermissionRow {
  readonly title: string;
  /** Whether the request is about one tenant; `optional`: it may be. */
  readonly tenant: boolean | "optional";
  readonly roles: Readonly<Partial<Record<Role, Grant>>>;
  /** What `narrow` means for this one. */
  readonly narrow?: string;
  /** The scope with which a key has it; absent: its own name. `false`: no key ever has it. */
  readonly scope?: string | false;
}

const staff = { super_admin: "full", integration_engineer: "full" } as const;
const admins = { ...staff, tenant_admin: "full", employer_admin: "full" } as const;
const narrowAdmins = { ...staff, tenant_admin: "narrow", employer_admin: "narrow" } as const;
const byPolicy = <Area extends PolicyArea>(area: Area) => ({ ...staff, tenant_admin: area, employer_admin: area }) as const;
const everyone = { ...admins, recruiter: "full", interviewer: "full" } as const;

export const permissions = {
  public: { title: "Anyone, without signing in", tenant: false, roles: {}, scope: false },
  self: { title: "One's own session, password and memberships", tenant: false, roles: everyone, scope: false },

  "tenants:read": { title: "Tenants, their status and what they are pinned to", tenant: false, roles: staff },
  "tenants:write": { title: "Create, suspend, resume, export and erase tenants", tenant: false, roles: { super_admin: "full" } },
  "users:read": { title: "People and their roles", tenant: "optional", roles: { super_admin: "full", tenant_admin: "narrow", employer_admin: "narrow" }, narrow: "of the own tenant" },
  "users:write": { title: "Invite people, change roles, end memberships", tenant: "optional", roles: { super_admin: "full", tenant_admin: "narrow", employer_admin: "narrow" }, narrow: "in the own tenant, not above the own role, never staff; an employer admin gives ATS roles only", scope: false },
  "keys:write": { title: "Make and revoke API keys", tenant: "optional", roles: { super_admin: "full", tenant_admin: "narrow", employer_admin: "narrow" }, narrow: "of the own tenant, with scopes within the own role", scope: false },
  "issuers:write": { title: "Trusted signers of service tokens, and sign-in providers", tenant: "optional", roles: { super_admin: "full" }, scope: false },
  impersonate: { title: "Act as a person of a tenant, with a reason and for a limited time", tenant: true, roles: { super_admin: "full" }, scope: false },
  "audit:read": { title: "The audit log", tenant: "optional", roles: { super_admin: "full", integration_engineer: "narrow", tenant_admin: "full", employer_admin: "full" }, narrow: "own acts, and those in assigned tenants" },

  "connectors:read": { title: "Connectors and the forms of their connections", tenant: "optional", roles: admins },
  "presets:read": { title: "Presets, their releases, and who is pinned to what", tenant: "optional", roles: narrowAdmins, narrow: "title and connections of the own tenant's preset" },
  "configuration:propose": { title: "Propose changes of connectors, presets and mappings; cut releases", tenant: false, roles: staff },
  "overrides:read": { title: "A tenant's overrides beside the defaults", tenant: true, roles: admins },
  "overrides:propose": { title: "Propose a tenant's overrides, upgrade, preset or template", tenant: true, roles: staff },
  "mappings:propose": { title: "Propose a tenant's field mappings", tenant: true, roles: byPolicy("mappings") },
  "frequency:propose": { title: "Propose how often a tenant's flows run", tenant: true, roles: byPolicy("frequency") },
  "changes:read": { title: "Proposed changes and their plans", tenant: "optional", roles: narrowAdmins, narrow: "those that touch the own tenant alone" },
  "changes:propose": { title: "Draft and propose changes, as far as what they touch may be proposed", tenant: "optional", roles: narrowAdmins, narrow: "of the own tenant, where its policy opens mappings or frequency" },
  "changes:approve": { title: "Approve, apply and roll back changes", tenant: "optional", roles: staff, scope: false },
  "requests:read": { title: "Integration requests", tenant: "optional", roles: admins },
  "requests:write": { title: "Ask for an integration", tenant: true, roles: { tenant_admin: "full", employer_admin: "full" } },
  "requests:answer": { title: "Answer integration requests", tenant: true, roles: staff },

  "overview:read": { title: "How flows did, and what waits, in numbers", tenant: "optional", roles: admins },
  "status:read": { title: "Status, schedule and history of integrations", tenant: true, roles: { ...admins, recruiter: "narrow" }, narrow: "connected or not, and when last" },
  "connections:read": { title: "Connections: config, status, and which secrets are set", tenant: true, roles: admins },
  "connections:write": { title: "Enter, check and end connections", tenant: true, roles: byPolicy("credentials") },
  "references:write": { title: "Name secrets that are kept elsewhere (env, file, vault)", tenant: true, roles: staff },
  "connect:self": { title: "Connect the one connection of a connect link", tenant: true, roles: {} },
  "connect:link": { title: "Make and revoke connect links", tenant: true, roles: byPolicy("connect_links") },
  "proxy:call": { title: "Call a provider with a connection's credential", tenant: true, roles: staff },

  "sync:run": { title: "Start syncs", tenant: true, roles: admins },
  "runs:cancel": { title: "Cancel runs", tenant: true, roles: narrowAdmins, narrow: "runs that a person started", scope: "sync:run" },
  "sync:reset": { title: "Read everything again, forget a checkpoint, delete a flow's data", tenant: true, roles: staff },
  "sweeps:approve": { title: "Let a held sweep delete", tenant: true, roles: staff },
  "flows:read": { title: "Flows", tenant: true, roles: admins },
  "flows:pause": { title: "Pause and resume flows and connections", tenant: true, roles: byPolicy("pause") },
  "runs:read": { title: "Runs", tenant: true, roles: admins },
  "logs:read": { title: "Logs of runs", tenant: true, roles: narrowAdmins, narrow: "without requests and bodies" },
  "records:read": { title: "Records of entities", tenant: true, roles: everyone },
  "raw:read": { title: "Records, events and deliveries as they were sent", tenant: true, roles: staff },
  "quarantine:read": { title: "Quarantined records", tenant: true, roles: narrowAdmins, narrow: "reason and key" },
  "quarantine:replay": { title: "Try quarantined records again", tenant: true, roles: byPolicy("quarantine") },
  "reports:read": { title: "Reports and their filters", tenant: true, roles: { ...staff, tenant_admin: "narrow", employer_admin: "narrow", recruiter: "narrow", interviewer: "narrow" }, narrow: "those that name the role" },

  "events:read": { title: "Events that providers sent", tenant: true, roles: narrowAdmins, narrow: "without bodies" },
  "events:replay": { title: "Process events again", tenant: true, roles: staff },
  "webhooks:write": { title: "Webhook addresses, and secrets of outgoing webhooks", tenant: true, roles: staff },
  "deliveries:read": { title: "Deliveries and their attempts", tenant: true, roles: narrowAdmins, narrow: "without bodies" },
  "deliveries:replay": { title: "Deliver again, resolve unknown outcomes", tenant: true, roles: byPolicy("deliveries") },
  "holds:read": { title: "Outputs that wait for a person", tenant: true, roles: { employer_admin: "full", recruiter: "narrow", interviewer: "narrow" }, narrow: "those that wait for the role" },
  "holds:decide": { title: "Approve or reject what waits for a person", tenant: true, roles: { employer_admin: "full", recruiter: "narrow", interviewer: "narrow" }, narrow: "those that wait for the role", scope: false },

  "installation:read": { title: "Which keys seal what is kept, and whether a rotation is under way", tenant: false, roles: { super_admin: "full" } },
  "installation:write": { title: "Replace the keys that seal what is kept", tenant: false, roles: { super_admin: "full" }, scope: false },
  "metrics:read": { title: "Metrics of all tenants", tenant: false, roles: { super_admin: "full" } },
} as const satisfies Record<string, PermissionRow>;

export type Permission = keyof typeof permissions;

export const isPermission = (value: unknown): value is Permission => typeof value === "string" && Object.hasOwn(permissions, value);

const rowOf = (permission: Permission): PermissionRow => permissions[permission];

/** The scopes a key may carry. */
export const scopes: readonly string[] = [...new Set((Object.keys(permissions) as Permission[]).flatMap((name) => rowOf(name).scope === false ? [] : [rowOf(name).scope as string | undefined ?? name]))];

/** What a role has; `policy` is the tenant's. Undefined: nothing. */
export function grantOf(role: Role, permission: Permission, policy: PolicyOf = () => false): "full" | "narrow" | undefined {
  const grant = rowOf(permission).roles[role];
  if (grant === undefined || grant === "full" || grant === "narrow") return grant;
  return policy(role, grant) ? "full" : undefined;
}

/** Whether a tenant's policy opens an area to a role. */
export type PolicyOf = (role: Role, area: PolicyArea) => boolean;

/** Whether a key's scopes grant a permission. What spans tenants is never granted to the key of one tenant. */
export function grants(key: { readonly scopes: readonly string[]; readonly tenant: string | undefined }, permission: Permission): boolean {
  if (permission === "public") return true;
  const { tenant, scope = permission } = rowOf(permission);
  if (scope === false || (tenant === false && key.tenant !== undefined)) return false;
  return key.scopes.includes("*") || key.scopes.includes(scope);
}
