/**
 * Every cell of the table of roles, both ways, against every route of the server: who has a permission gets to the route, who
 * has not is refused before it. The table below is written by hand from the design and not made from permissions.ts, so that a
 * slip in one of them shows. A probe stops behind the access check: no route's code runs.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { grantOf, isStaff, permissions, policyAreas, roles, type Permission, type Role } from "../../../server/api/permissions.ts";
import { issueKey } from "../../../server/api/first-key.ts";
import { openStage, type Method, type Stage } from "../../support/callers.ts";

/**
 * full, narrow, - (never), or the policy area that opens it. Then what a key needs: the scope, or - where no key ever may.
 * Columns: super_admin, integration_engineer, tenant_admin, employer_admin, recruiter, interviewer.
 */
const TABLE = `
  tenants:read            full full   -           -           -      -        tenants:read
  tenants:write           full -      -           -           -      -        tenants:write
  users:read              full -      narrow      narrow      -      -        users:read
  users:write             full -      narrow      narrow      -      -        -
  keys:write              full -      narrow      narrow      -      -        -
  issuers:write           full -      -           -           -      -        -
  impersonate             full -      -           -           -      -        -
  audit:read              full narrow full        full        -      -        audit:read
  connectors:read         full full   full        full        -      -        connectors:read
  presets:read            full full   narrow      narrow      -      -        presets:read
  configuration:propose   full full   -           -           -      -        configuration:propose
  overrides:read          full full   full        full        -      -        overrides:read
  overrides:propose       full full   -           -           -      -        overrides:propose
  mappings:propose        full full   mappings    mappings    -      -        mappings:propose
  frequency:propose       full full   frequency   frequency   -      -        frequency:propose
  changes:read            full full   narrow      narrow      -      -        changes:read
  changes:propose         full full   narrow      narrow      -      -        changes:propose
  changes:approve         full full   -           -           -      -        -
  requests:read           full full   full        full        -      -        requests:read
  requests:write          -    -      full        full        -      -        requests:write
  requests:answer         full full   -           -           -      -        requests:answer
  overview:read           full full   full        full        -      -        overview:read
  status:read             full full   full        full        narrow -        status:read
  connections:read        full full   full        full        -      -        connections:read
  connections:write       full full   credentials credentials -      -        connections:write
  references:write        full full   -           -           -      -        references:write
  connect:link            full full   connect_links connect_links - -         connect:link
  connect:self            -    -      -           -           -      -        connect:self
  proxy:call              full full   -           -           -      -        proxy:call
  sync:run                full full   full        full        -      -        sync:run
  runs:cancel             full full   narrow      narrow      -      -        sync:run
  sync:reset              full full   -           -           -      -        sync:reset
  sweeps:approve          full full   -           -           -      -        sweeps:approve
  flows:read              full full   full        full        -      -        flows:read
  flows:pause             full full   pause       pause       -      -        flows:pause
  runs:read               full full   full        full        -      -        runs:read
  logs:read               full full   narrow      narrow      -      -        logs:read
  records:read            full full   full        full        full   full     records:read
  raw:read                full full   -           -           -      -        raw:read
  quarantine:read         full full   narrow      narrow      -      -        quarantine:read
  quarantine:replay       full full   quarantine  quarantine  -      -        quarantine:replay
  reports:read            full full   narrow      narrow      narrow narrow   reports:read
  events:read             full full   narrow      narrow      -      -        events:read
  events:replay           full full   -           -           -      -        events:replay
  webhooks:write          full full   -           -           -      -        webhooks:write
  deliveries:read         full full   narrow      narrow      -      -        deliveries:read
  deliveries:replay       full full   deliveries  deliveries  -      -        deliveries:replay
  holds:read              -    -      -           full        narrow narrow   holds:read
  holds:decide            -    -      -           full        narrow narrow   -
  installation:read       full -      -           -           -      -        installation:read
  installation:write      full -      -           -           -      -        -
  metrics:read            full -      -           -           -      -        metrics:read
  self                    full full   full        full        full   full     -
`;
const COLUMNS: readonly Role[] = ["super_admin", "integration_engineer", "tenant_admin", "employer_admin", "recruiter", "interviewer"];
const rows = TABLE.trim().split("\n").map((line) => line.trim().split(/\s+/)).map(([permission, ...cells]) => ({ permission: permission as Permission, cells: cells.slice(0, 6), scope: cells[6]! }));
const cells = rows.flatMap(({ permission, cells: row }) => COLUMNS.map((role, column) => ({ permission, role, cell: row[column]! })));
const expected = (cell: string, isOpen: boolean): "full" | "narrow" | undefined => cell === "full" || cell === "narrow" ? cell : cell !== "-" && isOpen ? "full" : undefined;

interface Operation { readonly method: Method; readonly path: string; readonly permission: Permission }
/** Says what the access check found, and goes no further. */
const PROBED = 299;

let at: Stage;
let operations: Operation[];
beforeAll(async () => {
  at = await openStage();
  at.server.addHook("preValidation", async (request, reply) => { if (request.headers["x-probe"] === "yes") return reply.code(PROBED).send({ grant: request.grant, tenant: request.tenant }); });
  await at.server.ready();
  const { paths } = at.server.swagger() as unknown as { paths: Record<string, Record<string, { "x-permission": Permission }>> };
  operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase() as Method, path, permission: operation["x-permission"] })));
});
afterAll(() => at.close());

const address = ({ path, permission }: Operation, tenant = "acme"): string =>
  path.replace("{tenant}", tenant).replace(/\{[^}]*\}/g, "x") + (permissions[permission].tenant === false ? "" : `?tenant=${tenant}`);
const probe = async (role: Role, operation: Operation): Promise<{ status: number; code?: string; grant?: string; tenant?: string }> => {
  const answer = await at.as(role).call(operation.method, address(operation), undefined, { "x-probe": "yes" });
  return { status: answer.statusCode, ...(answer.statusCode === PROBED ? answer.json() : { code: answer.json().error.code }) };
};

test("the table of the design and the one of the server name the same permissions, roles and areas", () => {
  expect(rows.map(({ permission }) => permission).sort()).toEqual(Object.keys(permissions).filter((name) => name !== "public").sort());
  expect(COLUMNS).toEqual(roles);
  const areas = new Set(cells.map(({ cell }) => cell).filter((cell) => !["full", "narrow", "-"].includes(cell)));
  // Uploads have no route of their own yet.
  expect([...areas, "uploads"].sort()).toEqual([...policyAreas].sort());
});

test.each(cells)("$role, $permission: $cell", ({ role, permission, cell }) => {
  expect(grantOf(role, permission, () => false)).toBe(expected(cell, false));
  expect(grantOf(role, permission, () => true)).toBe(expected(cell, true));
  // Another area, and another role, open nothing.
  expect(grantOf(role, permission, (_, area) => area !== cell)).toBe(expected(cell, false));
  expect(grantOf(role, permission, (other) => other !== role)).toBe(expected(cell, false));
});

/** Doors of providers: a verifier proves on the raw bytes who sent it. */
const VERIFIED = /^public \w+ (?:\/webhooks\/|\/v1\/|\/api\/integrations\/\{provider\}\/webhook$)/;

/** Routes that ask for no role. Whoever adds one adds it here, and says why it needs none. */
const ROLELESS = `
  public GET /healthz
  public GET /readyz
  public POST /api/session
  public GET /api/sign-in/providers
  public GET /api/sign-in/oidc/{id}
  public POST /api/sign-in/oidc/{id}
  public GET /api/sign-in/oidc/{id}/callback
  public POST /api/invitations/look            the link's token lets in
  public POST /api/invitations/accept          the link's token lets in
  public POST /api/password-resets/accept      the link's token lets in
  public GET /oauth/callback                   state and browser are proved
  self GET /api/permissions
  self GET /api/session
  self DELETE /api/session
  self DELETE /api/session/impersonation
  self PUT /api/session/password
  self GET /api/sessions
  self DELETE /api/sessions
  self DELETE /api/sessions/{id}
`;

test("only these routes ask for no role", () => {
  const found = operations.filter(({ permission }) => permission === "public" || permission === "self").map(({ method, path, permission }) => `${permission} ${method} ${path}`).filter((route) => !VERIFIED.test(route)).sort();
  expect(found).toEqual(ROLELESS.trim().split("\n").map((line) => line.trim().split(/ {2,}/)[0]).sort());
});

describe("every route", () => {
  const all = async (isOpen: boolean): Promise<number> => {
    let probes = 0;
    for (const operation of operations) {
      if (operation.permission === "public") continue;
      const row = cells.filter(({ permission }) => permission === operation.permission);
      for (const { role, cell } of row) {
        const grant = expected(cell, isOpen);
        const wanted = grant === undefined ? { status: 403, code: "SERVER_ROLE_FORBIDDEN" } : { status: PROBED, ...(operation.permission === "self" ? {} : { grant, tenant: permissions[operation.permission].tenant === false ? "" : "acme" }) };
        expect({ role, path: operation.path, method: operation.method, ...await probe(role, operation) }).toMatchObject({ role, path: operation.path, method: operation.method, ...wanted });
        probes++;
      }
    }
    return probes;
  };
  test("lets in whom the table lets in, and nobody else, without a policy", async () => { expect(await all(false)).toBeGreaterThan(roles.length * 40); });
  test("lets in whom the policy lets in, where the tenant's policy says write for everything", async () => {
    await at.setPolicy("acme", Object.fromEntries(roles.map((role) => [role, Object.fromEntries(policyAreas.map((area) => [area, "write"]))])));
    expect(await all(true)).toBeGreaterThan(roles.length * 40);
    await at.setPolicy("acme", {});
  });
  test("is closed to nobody in particular: without a session, a key or a token", async () => {
    for (const operation of operations) {
      if (operation.permission === "public") continue;
      expect({ path: operation.path, status: (await at.bearer(undefined, operation.method, address(operation))).statusCode }).toEqual({ path: operation.path, status: 401 });
    }
  });
  test("answers another tenant's people, and an engineer who does not work for it, as if the tenant did not exist", async () => {
    for (const operation of operations) {
      if (permissions[operation.permission].tenant === false) continue;
      for (const role of roles) {
        if (role === "super_admin") continue;
        const [other, none] = [await at.as(role).call(operation.method, address(operation, "bolt"), undefined, { "x-probe": "yes" }), await at.as(role).call(operation.method, address(operation, "nobody"), undefined, { "x-probe": "yes" })];
        expect({ role, path: operation.path, status: other.statusCode, body: other.body.replaceAll("bolt", "nobody") }).toEqual({ role, path: operation.path, status: 404, body: none.body });
      }
    }
  });
});

test("the tenant `platform` exists for the operator's people only", async () => {
  const operation: Operation = { method: "GET", path: "/api/audit", permission: "audit:read" };
  for (const role of roles) expect({ role, status: (await at.as(role).get(address(operation, "platform"))).statusCode }).toEqual({ role, status: isStaff(role) ? 200 : 404 });
});

describe("a key", () => {
  const call = (key: string, { method, path, permission }: Operation) => at.server.inject({ method, url: address({ method, path, permission }), headers: { authorization: `Bearer ${key}`, "x-probe": "yes" } });
  test("has what its scope names, and nothing else; and never what people only may", async () => {
    const { db } = at.rig.database;
    const scopes = [...new Set(rows.map(({ scope }) => scope).filter((scope) => scope !== "-"))];
    const everything = await issueKey(db, { name: "everything", scopes: ["*"] });
    const one = new Map<Permission, Operation>(operations.map((operation) => [operation.permission, operation]));
    for (const { permission, scope } of rows) {
      const operation = one.get(permission);
      if (!operation) continue;
      if (scope === "-") {
        expect({ permission, status: (await call(everything, operation)).statusCode }).toEqual({ permission, status: 403 });
        continue;
      }
      const [with_, without] = [await issueKey(db, { name: "w", scopes: [scope] }), await issueKey(db, { name: "o", scopes: scopes.filter((other) => other !== scope) })];
      expect({ permission, with: (await call(with_, operation)).statusCode, without: (await call(without, operation)).statusCode }).toEqual({ permission, with: PROBED, without: 403 });
    }
  });
});
