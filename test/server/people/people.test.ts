import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SESSION_COOKIE } from "../../../server/people/session-cookie.ts";
import { openStage, PASSWORD, type Stage } from "../../support/callers.ts";
import { asAdmin } from "../../support/postgres.ts";

let at: Stage;
beforeAll(async () => { at = await openStage(); });
afterAll(() => at.close());

const code = (answer: { json(): { error: { code: string } } }): string => answer.json().error.code;
const post = (url: string, body: unknown) => at.server.inject({ method: "POST", url, headers: { "content-type": "application/json" }, payload: JSON.stringify(body) });
const invite = async (role: string, email: string, by = at.as("tenant_admin")) => (await by.call("POST", "/api/invitations", { email, role })).json() as { id: string; token: string; path: string };
const lines = async (tenant: string, action?: string) => (await at.bearer(at.operatorKey, "GET", `/api/audit?tenant=${tenant}&limit=1000${action === undefined ? "" : `&action=${action}`}`)).json().data as { action: string; actor: { name: string; impersonator?: string; ip?: string }; before?: object; after?: Record<string, unknown>; reason?: string; subject: { id: string } }[];

describe("an invitation", () => {
  test("lets one person in, once, with the role it was made for", async () => {
    const { token, path } = await invite("recruiter", "New.Person@Acme.Example");
    expect(path).toBe(`/invitation#${token}`);
    expect((await post("/api/invitations/look", { token })).json()).toEqual({ title: "acme", email: "new.person@acme.example", role: "recruiter" });
    const answers = await Promise.all([1, 2, 3].map(() => post("/api/invitations/accept", { token, password: "seven owls over the barn", name: "New" })));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 410, 410]);
    const cookie = /__Host-sid=([^;]+)/.exec(String(answers.find(({ statusCode }) => statusCode === 200)!.headers["set-cookie"]))![1]!;
    expect((await at.server.inject({ url: "/api/session", headers: { cookie: `${SESSION_COOKIE}=${cookie}` } })).json()).toMatchObject({ tenant: "acme", role: "recruiter", user: { name: "New" } });
    expect(JSON.stringify(await asAdmin(at.rig.database.url, "select * from invitations"))).not.toContain(token);
    expect((await lines("acme", "invitation.accepted")).map(({ after }) => after)).toEqual([{ role: "recruiter", by: "password" }]);
  });
  test("that was used, withdrawn, replaced, has expired or never was answers the same", async () => {
    const [withdrawn, expired, replaced] = [await invite("recruiter", "w@acme.example"), await invite("recruiter", "e@acme.example"), await invite("recruiter", "r@acme.example")];
    expect((await at.as("tenant_admin").call("DELETE", `/api/invitations/${withdrawn.id}`)).statusCode).toBe(204);
    await asAdmin(at.rig.database.url, "update invitations set expires_at = now() where email = 'e@acme.example'");
    await invite("recruiter", "r@acme.example");
    const bodies = [];
    for (const token of [withdrawn.token, expired.token, replaced.token, "x".repeat(43)]) {
      const answer = await post("/api/invitations/accept", { token, password: "seven owls over the barn" });
      bodies.push([answer.statusCode, answer.body]);
    }
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(bodies[0]![0]).toBe(410);
  });
  test("to somebody who is here already asks for their password, and the one who invites is told nothing of it", async () => {
    const known = await at.person("recruiter", "bolt");
    const asked = await at.as("tenant_admin").call("POST", "/api/invitations", { email: known.email, role: "interviewer" });
    const stranger = await at.as("tenant_admin").call("POST", "/api/invitations", { email: "stranger@acme.example", role: "interviewer" });
    expect([asked.statusCode, Object.keys(asked.json()).sort()]).toEqual([stranger.statusCode, Object.keys(stranger.json()).sort()]);
    expect((await post("/api/invitations/accept", { token: asked.json().token, password: "a password of my own choice" })).statusCode).toBe(401);
    const answer = await post("/api/invitations/accept", { token: asked.json().token, password: PASSWORD });
    expect(answer.statusCode).toBe(200);
    // Two tenants: which one must be said, and each has its own role.
    const both = await at.session(known);
    expect([(await both.get("/api/records/person")).statusCode, (await both.get("/api/session")).json().tenant]).toEqual([400, null]);
    expect([(await both.get("/api/session?tenant=acme")).json().role, (await both.get("/api/session?tenant=bolt")).json().role]).toEqual(["interviewer", "recruiter"]);
  });
  test("cannot make one person the operator's and a customer's", async () => {
    const { token } = await invite("recruiter", at.as("integration_engineer").email);
    const answer = await post("/api/invitations/accept", { token, password: PASSWORD });
    expect([answer.statusCode, code(answer)]).toEqual([403, "SERVER_ABOVE_ROLE"]);
  });
  test.each(["no address", "a@b", "a b@c.example", "a@b.example\nBcc: x@y.example", "@acme.example"])("needs an address: %j", async (email) => expect((await at.as("tenant_admin").call("POST", "/api/invitations", { email, role: "recruiter" })).statusCode).toBe(400));
});

describe("a role", () => {
  test.each([
    ["tenant_admin", "super_admin", 403], ["tenant_admin", "integration_engineer", 403], ["tenant_admin", "tenant_admin", 201], ["tenant_admin", "employer_admin", 201], ["employer_admin", "tenant_admin", 403], ["employer_admin", "recruiter", 201],
    ["employer_admin", "integration_engineer", 403], ["super_admin", "tenant_admin", 201], ["super_admin", "super_admin", 403],
  ] as const)("%s may give %s in a tenant: %i", async (giver, given, status) => {
    expect((await at.as(giver).call("POST", "/api/invitations?tenant=acme", { email: `${giver}.${given}@acme.example`, role: given })).statusCode).toBe(status);
  });
  test("of the operator's own is given among the operator's own", async () => {
    expect((await at.as("super_admin").call("POST", "/api/invitations", { email: "e@plugboard.example", role: "integration_engineer" })).statusCode).toBe(201);
    expect((await at.as("super_admin").call("POST", "/api/invitations", { email: "t@plugboard.example", role: "tenant_admin" })).statusCode).toBe(403);
  });
  test("is not changed by oneself, nor by somebody below", async () => {
    const admin = at.as("tenant_admin");
    expect((await admin.call("PATCH", `/api/users/${admin.id}`, { role: "employer_admin" })).statusCode).toBe(403);
    expect((await admin.call("DELETE", `/api/users/${admin.id}`)).statusCode).toBe(403);
    expect((await at.as("employer_admin").call("PATCH", `/api/users/${admin.id}`, { role: "recruiter" })).statusCode).toBe(403);
    expect((await at.as("employer_admin").call("DELETE", `/api/users/${admin.id}`)).statusCode).toBe(403);
  });
  test("that changes, or ends, ends the sessions at once", async () => {
    const [changed, ended] = [await at.person("recruiter", "acme"), await at.person("recruiter", "acme")];
    expect((await at.as("tenant_admin").call("PATCH", `/api/users/${changed.id}`, { role: "interviewer" })).json().role).toBe("interviewer");
    expect((await at.as("tenant_admin").call("DELETE", `/api/users/${ended.id}`)).statusCode).toBe(204);
    expect([(await changed.get("/api/session")).statusCode, (await ended.get("/api/session")).statusCode]).toEqual([401, 401]);
    expect((await (await at.session(changed)).get("/api/session")).json().role).toBe("interviewer");
    expect((await (await at.session(ended)).get("/api/session")).json()).toMatchObject({ role: null, memberships: [], grants: { self: "full" } });
  });
  test("of another tenant's people is not seen, and looks like nobody's", async () => {
    const other = at.as("recruiter", "bolt");
    const seen = (await at.as("tenant_admin").get("/api/users")).body;
    expect([seen.includes(at.as("recruiter").email), seen.includes(other.email)]).toEqual([true, false]);
    const [theirs, nobody] = [await at.as("tenant_admin").call("PATCH", `/api/users/${other.id}`, { role: "interviewer" }), await at.as("tenant_admin").call("PATCH", "/api/users/0199f6a2-0000-7000-8000-000000000000", { role: "interviewer" })];
    expect([theirs.statusCode, theirs.body.replace(other.id, "x")]).toEqual([404, nobody.body.replace("0199f6a2-0000-7000-8000-000000000000", "x")]);
  });
  test("of an engineer reaches the tenants assigned, from the moment they are", async () => {
    const engineer = await at.person("integration_engineer", "platform");
    expect((await engineer.get("/api/runs?tenant=bolt")).statusCode).toBe(404);
    expect((await at.as("super_admin").call("PUT", `/api/users/${engineer.id}/assignments`, { tenants: ["bolt"] })).json().assigned).toEqual(["bolt"]);
    expect([(await engineer.get("/api/runs?tenant=bolt")).statusCode, (await engineer.get("/api/runs?tenant=acme")).statusCode]).toEqual([200, 404]);
    expect((await at.as("super_admin").call("PUT", `/api/users/${engineer.id}/assignments`, { tenants: ["bolt", "nobody"] })).statusCode).toBe(404);
  });
});

test("somebody is signed out everywhere by who manages them, and by nobody else", async () => {
  const person = await at.person("recruiter", "acme");
  expect((await at.as("recruiter").call("DELETE", `/api/users/${person.id}/sessions`)).statusCode).toBe(403);
  expect((await at.as("tenant_admin", "bolt").call("DELETE", `/api/users/${person.id}/sessions`)).statusCode).toBe(404);
  expect((await person.get("/api/session")).statusCode).toBe(200);
  expect((await at.as("tenant_admin").call("DELETE", `/api/users/${person.id}/sessions`)).json().ended).toBeGreaterThan(0);
  expect((await person.get("/api/session")).statusCode).toBe(401);
  expect((await post("/api/session", { email: person.email, password: PASSWORD })).statusCode).toBe(200);
});

test("a new password by a link: made by the operator only, good once, and every session ends", async () => {
  const person = await at.person("recruiter", "acme");
  expect((await at.as("tenant_admin").call("POST", `/api/users/${person.id}/password-reset`, undefined)).statusCode).toBe(403);
  const { token } = (await at.as("super_admin").call("POST", `/api/users/${person.id}/password-reset?tenant=acme`, undefined)).json();
  expect((await post("/api/password-resets/accept", { token, password: "four grey geese at noon" })).statusCode).toBe(204);
  expect((await post("/api/password-resets/accept", { token, password: "four grey geese at noon" })).statusCode).toBe(410);
  expect((await person.get("/api/session")).statusCode).toBe(401);
  expect([(await post("/api/session", { email: person.email, password: PASSWORD })).statusCode, (await post("/api/session", { email: person.email, password: "four grey geese at noon" })).statusCode]).toEqual([401, 200]);
});

test("the people of a suspended tenant are refused at once, the operator is not", async () => {
  const [admin, key] = [at.as("tenant_admin", "bolt"), at.keys.bolt];
  expect([(await admin.get("/api/runs")).statusCode, (await at.bearer(key, "GET", "/api/runs")).statusCode]).toEqual([200, 200]);
  await asAdmin(at.rig.database.url, "update tenants set status = 'suspended' where slug = 'bolt'");
  try {
    for (const answer of [await admin.get("/api/runs"), await at.bearer(key, "GET", "/api/runs")]) expect([answer.statusCode, code(answer)]).toEqual([403, "TENANT_SUSPENDED"]);
    expect((await admin.get("/api/session")).json()).toMatchObject({ role: null, grants: {} });
    expect((await at.as("super_admin").get("/api/runs?tenant=bolt")).statusCode).toBe(200);
  } finally {
    await asAdmin(at.rig.database.url, "update tenants set status = 'active' where slug = 'bolt'");
  }
});

describe("an API key that a person made", () => {
  const make = (role: "super_admin" | "tenant_admin", body: object, tenant = "?tenant=acme") => at.as(role).call("POST", `/api/keys${tenant}`, { name: "k", ...body });
  test("is shown once, does what its scopes say, in its tenant, and no more after it was revoked", async () => {
    const made = (await make("tenant_admin", { scopes: ["runs:read"] })).json();
    expect(made).toMatchObject({ key: expect.stringMatching(/^pbk_[\w-]{43}$/), tenant: "acme", within: "tenant_admin", made_by: "tenant_admin@acme.example" });
    expect((await at.as("tenant_admin").get("/api/keys")).body).not.toContain(made.key);
    const get = async (url: string) => (await at.bearer(made.key, "GET", url)).statusCode;
    expect([await get("/api/runs"), await get("/api/runs?tenant=bolt"), await get("/api/flows"), await get("/api/keys")]).toEqual([200, 404, 403, 403]);
    expect((await at.as("tenant_admin", "bolt").call("DELETE", `/api/keys/${made.id}`)).statusCode).toBe(404);
    expect((await at.as("tenant_admin").call("DELETE", `/api/keys/${made.id}`)).statusCode).toBe(204);
    expect(await get("/api/runs")).toBe(401);
    expect((await lines("acme")).filter(({ action }) => action.startsWith("key.")).map(({ action }) => action)).toEqual(["key.revoked", "key.made"]);
  });
  test.each([[["connections:write"], 403], [["proxy:call"], 403], [["tenants:read"], 403], [["keys:write"], 400], [["*"], 400], [["runs:reed"], 400], [[], 400]] as const)("has no scope beyond its maker: %j is %i", async (scopes, status) => {
    expect((await make("tenant_admin", { scopes })).statusCode).toBe(status);
  });
  test("loses what a policy gave when the policy goes", async () => {
    await at.setPolicy("acme", { tenant_admin: { pause: "write" } });
    const { key } = (await make("tenant_admin", { scopes: ["flows:pause"] })).json();
    const open = await at.bearer(key, "POST", "/api/connections/none/disable");
    expect([open.statusCode, open.json().error.message]).toEqual([404, expect.stringContaining("'none'")]);
    await at.setPolicy("acme", {});
    const answer = await at.bearer(key, "POST", "/api/connections/none/disable");
    expect([answer.statusCode, code(answer)]).toEqual([403, "SERVER_KEY_WITHIN"]);
  });
  test("works from its networks only, and until it expires", async () => {
    const [here, elsewhere] = [(await make("tenant_admin", { scopes: ["runs:read"], networks: ["127.0.0.0/8"] })).json(), (await make("tenant_admin", { scopes: ["runs:read"], networks: ["192.0.2.0/24", "2001:db8::/32"] })).json()];
    expect([(await at.bearer(here.key, "GET", "/api/runs")).statusCode, (await at.bearer(elsewhere.key, "GET", "/api/runs")).statusCode]).toEqual([200, 401]);
    await asAdmin(at.rig.database.url, "update api_keys set expires_at = now() where id = $1", [here.id]);
    expect((await at.bearer(here.key, "GET", "/api/runs")).statusCode).toBe(401);
    for (const network of ["192.0.2.7/24", "nonsense", "192.0.2.0/33", "::1/x", "fe80::1%eth0"]) expect((await make("tenant_admin", { scopes: ["runs:read"], networks: [network] })).statusCode).toBe(400);
    expect((await make("tenant_admin", { scopes: ["runs:read"], expires_at: "2020-01-01T00:00:00Z" })).statusCode).toBe(400);
  });
  test("of the operator reaches every tenant, and its making stands in the operator's log", async () => {
    const { key, tenant, id } = (await make("super_admin", { scopes: ["runs:read"] }, "")).json();
    expect([tenant, (await at.bearer(key, "GET", "/api/runs?tenant=bolt")).statusCode, (await at.bearer(key, "GET", "/api/runs")).statusCode]).toEqual([null, 200, 400]);
    expect((await lines("platform", "key.made")).map(({ subject }) => subject.id)).toContain(id);
  });
});

describe("acting for a tenant", () => {
  const act = async (body: object) => {
    const admin = await at.person("super_admin", "platform");
    const answer = await admin.call("POST", "/api/tenants/acme/impersonations", body);
    const token = /__Host-sid=([^;]+)/.exec(String(answer.headers["set-cookie"]))?.[1] ?? "";
    const headers = { cookie: `${SESSION_COOKIE}=${token}`, "x-csrf-token": answer.json().csrf_token ?? "", "sec-fetch-site": "same-origin" };
    return { admin, answer, headers, get: (url: string) => at.server.inject({ url, headers }), call: (method: "POST" | "DELETE", url: string, body?: unknown) => at.server.inject({ method, url, headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) }) };
  };
  test("gives that role there and nothing else, under the real name, in the tenant's own log", async () => {
    const as = await act({ role: "tenant_admin", reason: "Ticket 4711: learners are missing", minutes: 5 });
    expect(as.answer.statusCode, as.answer.body).toBe(201);
    expect((await as.admin.get("/api/session")).statusCode).toBe(401);                       // another cookie: what it may do has changed
    const session = (await as.get("/api/session")).json();
    expect(session).toMatchObject({ role: "tenant_admin", tenant: "acme", impersonation: { by: as.admin.email, reason: "Ticket 4711: learners are missing" } });
    expect(session.grants).not.toHaveProperty("impersonate");
    expect([(await as.get("/api/runs")).statusCode, (await as.get("/api/runs?tenant=bolt")).statusCode, (await as.get("/api/tenants")).statusCode, (await as.get("/metrics")).statusCode]).toEqual([200, 404, 403, 403]);
    expect((await as.call("POST", "/api/tenants/bolt/impersonations", { role: "tenant_admin", reason: "one more" })).statusCode).toBe(404);
    expect((await as.call("POST", "/api/invitations", { email: "made.by@acme.example", role: "recruiter" })).statusCode).toBe(201);
    expect((await as.call("DELETE", "/api/session/impersonation")).statusCode).toBe(200);
    const told = (await lines("acme")).filter(({ actor, action }) => actor.impersonator === as.admin.email || actor.name === as.admin.email || action.startsWith("impersonation.")).slice(0, 3);
    expect(told.map(({ action, actor, reason }) => [action, actor.impersonator ?? actor.name, reason])).toEqual([
      ["impersonation.ended", as.admin.email, undefined], ["invitation.made", as.admin.email, undefined], ["impersonation.started", as.admin.email, "Ticket 4711: learners are missing"]]);
  });
  test("as a person is told apart from that person", async () => {
    const as = await act({ user: at.as("recruiter").id, reason: "looks into a ticket" });
    expect((await as.get("/api/session")).json()).toMatchObject({ role: "recruiter", user: { email: "recruiter@acme.example" }, impersonation: { by: as.admin.email, user: "recruiter@acme.example" } });
    expect((await at.server.inject({ method: "PUT", url: "/api/session/password", headers: { ...as.headers, "content-type": "application/json" }, payload: JSON.stringify({ current: PASSWORD, password: "eleven red foxes dancing" }) })).statusCode).toBe(403);
  });
  test("ends by itself, and the log says so although nobody came back", async () => {
    const as = await act({ role: "employer_admin", reason: "left for lunch" });
    await asAdmin(at.rig.database.url, "update sessions set acting_until = now() - interval '1 second' where user_id = $1", [as.admin.id]);
    const ended = (await lines("acme", "impersonation.ended"))[0]!;
    expect(ended).toMatchObject({ actor: { name: "time limit", impersonator: as.admin.email }, after: { role: "employer_admin" } });
    expect((await as.get("/api/session")).json()).toMatchObject({ role: "super_admin", impersonation: null });
  });
  test("needs a reason, one role, and an hour at most; the operator's own are not acted for", async () => {
    for (const body of [{ role: "recruiter" }, { role: "recruiter", reason: "     " }, { reason: "because of it" }, { role: "recruiter", user: "x", reason: "because of it" }, { role: "recruiter", reason: "because of it", minutes: 61 }, { role: "super_admin", reason: "because of it" }]) {
      expect((await act(body)).answer.statusCode).toBe(400);
    }
    expect((await at.as("super_admin").call("POST", "/api/tenants/platform/impersonations", { role: "recruiter", reason: "because of it" })).statusCode).toBe(403);
    expect((await at.as("super_admin").call("POST", "/api/tenants/acme/impersonations", { user: at.as("recruiter", "bolt").id, reason: "because of it" })).statusCode).toBe(404);
  });
});

describe("the audit log", () => {
  test("is read page by page, each line once, by whom it concerns", async () => {
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const answer: { data: { id: string }[]; next_cursor: string | null } = (await at.as("tenant_admin").get(`/api/audit?limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`)).json();
      seen.push(...answer.data.map(({ id }) => id));
      cursor = answer.next_cursor;
    }
    expect(seen.length).toBeGreaterThan(10);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual((await lines("acme")).map((line) => (line as unknown as { id: string }).id));
    const cursor = (await at.as("tenant_admin").get("/api/audit?limit=3")).json().next_cursor;
    expect((await at.as("tenant_admin", "bolt").get(`/api/audit?cursor=${cursor}`)).statusCode).toBe(400);
  });
  test("of the operator shows an engineer their own acts only", async () => {
    const engineer = at.as("integration_engineer");
    const found = (await engineer.get("/api/audit")).json().data as { actor: { id: string } }[];
    expect(found.every(({ actor }) => actor.id === engineer.id)).toBe(true);
    expect(found.length).toBeLessThan((await lines("platform")).length);
  });
  test("leaves as lines of JSON, and as a table in which nothing is a formula", async () => {
    await at.as("tenant_admin").call("POST", "/api/keys", { name: '=HYPERLINK("https://evil.example")', scopes: ["runs:read"] });
    const json = await at.as("tenant_admin").get("/api/audit/export");
    const parsed = json.body.trim().split("\n").map((line) => JSON.parse(line) as { action: string });
    expect(parsed.map(({ action }) => action)).toEqual((await lines("acme")).map(({ action }) => action));
    await asAdmin(at.rig.database.url, "insert into audit_log (tenant_id, id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, reason) select id, gen_random_uuid(), 'key', 'x', '=1+1', '+action', '@kind', '-1', E'\\t=cmd' from tenants where slug = 'acme'");
    const csv = await at.as("tenant_admin").get("/api/audit/export?format=csv");
    expect([csv.headers["content-type"], csv.headers["content-disposition"], csv.headers["x-content-type-options"]]).toEqual(["text/csv; charset=utf-8", 'attachment; filename="audit-acme.csv"', "nosniff"]);
    expect(csv.body).toContain(`,'=1+1,key,x,,'+action,'@kind,'-1,,,"'\t=cmd"`.replace('"\'\t=cmd"', "'\t=cmd"));
  });
});

test("rows of an entity are seen as its schema says, also through a key that somebody made", async () => {
  const { db } = at.rig.database;
  const { currentRevision, readPlan, saveRevision } = await import("../../../engine/store/index.ts");
  const plans = await Promise.all(["acme", "bolt"].map(async (tenant) => readPlan(db, tenant, (await currentRevision(db, tenant))!)));
  const hidden = { super_admin: "none", integration_engineer: "none", tenant_admin: "none", employer_admin: "all", recruiter: "all", interviewer: "assigned" };
  const see = async () => Object.fromEntries(await Promise.all((["super_admin", "integration_engineer", "tenant_admin", "employer_admin", "recruiter", "interviewer"] as const).map(async (role) => [role, (await at.as(role).get("/api/records/person?tenant=acme")).statusCode])));
  expect(await see()).toEqual({ super_admin: 200, integration_engineer: 200, tenant_admin: 200, employer_admin: 200, recruiter: 403, interviewer: 403 });
  await saveRevision(db, { id: "with-x-access", commit: "c0ffee", plans: plans.map((plan) => ({ ...plan, entities: { person: { ...plan.entities["person"]!, schema: { ...plan.entities["person"]!.schema, "x-access": hidden } } } })) });
  expect(await see()).toEqual({ super_admin: 403, integration_engineer: 403, tenant_admin: 403, employer_admin: 200, recruiter: 200, interviewer: 403 });
  const [byAdmin, byEmployer] = [(await at.as("tenant_admin").call("POST", "/api/keys", { name: "t", scopes: ["records:read"] })).json(), (await at.as("employer_admin").call("POST", "/api/keys", { name: "e", scopes: ["records:read"] })).json()];
  const get = async (key: string) => (await at.bearer(key, "GET", "/api/records/person")).statusCode;
  expect([await get(byAdmin.key), await get(byEmployer.key), await get(at.keys.acme)]).toEqual([403, 200, 200]);
});
