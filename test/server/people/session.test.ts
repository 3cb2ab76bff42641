import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { csrfTokenOf, SESSION_COOKIE } from "../../../server/people/session-cookie.ts";
import { openStage, PASSWORD, type Stage } from "../../support/callers.ts";
import { asAdmin } from "../../support/postgres.ts";

let at: Stage;
beforeAll(async () => { at = await openStage(); });
afterAll(() => at.close());

const signIn = (email: string, password: string, headers: Record<string, string> = {}) => at.server.inject({ method: "POST", url: "/api/session", headers: { "content-type": "application/json", ...headers }, payload: JSON.stringify({ email, password }) });
const code = (answer: { json(): { error: { code: string } } }): string => answer.json().error.code;
const cookieOf = (answer: { headers: Record<string, unknown> }): { line: string; token: string } => {
  const line = String(answer.headers["set-cookie"]);
  return { line, token: /__Host-sid=([^;]*)/.exec(line)?.[1] ?? "" };
};
const as = (token: string) => ({ cookie: `${SESSION_COOKIE}=${token}`, "x-csrf-token": csrfTokenOf(token), "sec-fetch-site": "same-origin" });

describe("signing in", () => {
  test("gives a cookie that only this host gets, only scripts of nobody read, and that no database row spells", async () => {
    const answer = await signIn("Tenant_Admin@Acme.Example ", PASSWORD);
    expect(answer.statusCode, answer.body).toBe(200);
    const { line, token } = cookieOf(answer);
    expect(line.split("; ").slice(1).sort()).toEqual(["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
    expect(token).toMatch(/^[\w-]{43}$/);
    const rows = JSON.stringify(await asAdmin(at.rig.database.url, "select encode(hash, 'base64') as hash, s.* from sessions s"));
    expect(rows).not.toContain(token);
    expect((await at.server.inject({ url: "/api/session", headers: as(token) })).json()).toMatchObject({ role: "tenant_admin", tenant: "acme", user: { email: "tenant_admin@acme.example" }, csrf_token: answer.json().csrf_token, impersonation: null });
  });

  test("a wrong password, an unknown person and a person without a password get the same answer", async () => {
    await asAdmin(at.rig.database.url, "insert into users (id, email, name) values (gen_random_uuid(), 'sso@acme.example', 'S')");
    const [wrong, unknown, elsewhere, none] = [await signIn("recruiter@acme.example", "wrong password!"), await signIn("nobody@acme.example", PASSWORD), await signIn("sso@acme.example", PASSWORD), await signIn("not an address", PASSWORD)];
    for (const answer of [wrong, unknown, elsewhere, none]) expect([answer.statusCode, answer.body, answer.headers["set-cookie"]]).toEqual([401, wrong.body, undefined]);
  });

  test("from another site is refused: nobody is signed in to a stranger's account", async () => {
    for (const headers of [{ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, { origin: "https://evil.example" }, { origin: "null" }]) {
      const answer = await signIn("recruiter@acme.example", PASSWORD, headers as unknown as Record<string, string>);
      expect([answer.statusCode, code(answer)]).toEqual([403, "SERVER_FORGED"]);
    }
    const form = await at.server.inject({ method: "POST", url: "/api/session", headers: { "content-type": "text/plain" }, payload: JSON.stringify({ email: "recruiter@acme.example", password: PASSWORD }) });
    expect([form.statusCode, code(form)]).toEqual([415, "SERVER_MEDIA_TYPE"]);
  });

  test("guessing is slowed per account, whether it exists or not, however many try at once", async () => {
    for (const address of ["interviewer@bolt.example", "no.such@bolt.example"]) {
      const answers = await Promise.all(Array.from({ length: 12 }, () => signIn(address, "guess guess guess")));
      expect(answers.filter(({ statusCode }) => statusCode === 401)).toHaveLength(6);
      const slowed = answers.filter(({ statusCode }) => statusCode === 429);
      expect(slowed).toHaveLength(6);
      expect(Number(slowed[0]!.headers["retry-after"])).toBeGreaterThan(0);
      // Not even the right password is looked at before the wait is over.
      expect((await signIn(address, PASSWORD)).statusCode).toBe(429);
    }
    await asAdmin(at.rig.database.url, "update sign_in_tries set blocked_until = now()");
    expect((await signIn("interviewer@bolt.example", PASSWORD)).statusCode).toBe(200);
    expect((await asAdmin<{ n: number }>(at.rig.database.url, "select count(*)::int as n from sign_in_tries"))[0]!.n).toBeGreaterThan(0);
    await asAdmin(at.rig.database.url, "delete from sign_in_tries");
  });
});

describe("a change that comes with a cookie", () => {
  const change = (headers: Record<string, string | undefined>) => {
    const all = { ...at.as("tenant_admin").headers, "content-type": "application/json", ...headers };
    return at.server.inject({ method: "POST", url: "/api/invitations", headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, string>, payload: JSON.stringify({ email: "a@b.example", role: "recruiter" }) });
  };
  test("passes from a page of ours", async () => expect((await change({})).statusCode).toBe(201));
  test("passes from a browser that says its origin only", async () => expect((await change({ "sec-fetch-site": undefined, origin: "http://localhost:80", host: "localhost:80" })).statusCode).toBe(201));
  test.each([
    ["another site", { "sec-fetch-site": "cross-site" }], ["a neighbouring host", { "sec-fetch-site": "same-site" }], ["a link that was typed", { "sec-fetch-site": "none" }], ["another origin", { "sec-fetch-site": undefined, origin: "https://evil.example" }],
    ["an origin that is hidden", { "sec-fetch-site": undefined, origin: "null" }], ["nowhere", { "sec-fetch-site": undefined }], ["a page without the token", { "x-csrf-token": undefined }], ["a page with another token", { "x-csrf-token": "x".repeat(43) }],
  ])("is refused from %s", async (_, headers) => {
    const answer = await change(headers as Record<string, string | undefined>);
    expect([answer.statusCode, code(answer)]).toEqual([403, "SERVER_FORGED"]);
  });
  test("is refused with the token of another session of the same person", async () => {
    const other = await at.session(at.as("tenant_admin"));
    expect((await change({ "x-csrf-token": other.headers["x-csrf-token"]! })).statusCode).toBe(403);
  });
  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp"])("is refused as %s", async (type) => expect((await change({ "content-type": type })).statusCode).toBe(415));
});

describe("a session", () => {
  const opens = async (headers: Readonly<Record<string, string>>) => (await at.server.inject({ url: "/api/session", headers })).statusCode;

  test("ends with sign-out, and takes the cookie away", async () => {
    const one = await at.session(at.as("recruiter"));
    const answer = await one.call("DELETE", "/api/session");
    expect([answer.statusCode, cookieOf(answer).token, /Max-Age=0|Expires=Thu, 01 Jan 1970/.test(cookieOf(answer).line)]).toEqual([204, "", true]);
    expect(await opens(one.headers)).toBe(401);
  });
  test("ends after half an hour of silence, and after twelve hours of work", async () => {
    for (const set of ["seen_at = now() - interval '31 minutes'", "expires_at = now()"]) {
      const one = await at.session(at.as("recruiter"));
      expect(await opens(one.headers)).toBe(200);
      await asAdmin(at.rig.database.url, `update sessions set ${set} where user_id = $1`, [one.id]);
      expect(await opens(one.headers)).toBe(401);
    }
    const { hours } = (await asAdmin<{ hours: number }>(at.rig.database.url, "select extract(epoch from max(expires_at - created_at))::int / 3600 as hours from sessions"))[0]!;
    expect(hours).toBe(12);
  });
  test("of somebody else cannot be seen or ended", async () => {
    const [mine, theirs] = [await at.session(at.as("interviewer")), await at.session(at.as("tenant_admin", "bolt"))];
    const { id } = (await asAdmin<{ id: string }>(at.rig.database.url, "select id from sessions where user_id = $1", [theirs.id]))[0]!;
    expect(JSON.stringify((await mine.get("/api/sessions")).json())).not.toContain(id);
    expect((await mine.call("DELETE", `/api/sessions/${id}`)).statusCode).toBe(404);
    expect(await opens(theirs.headers)).toBe(200);
  });
  test("the others all end at once", async () => {
    const [one, two] = [await at.session(at.as("interviewer")), await at.session(at.as("interviewer"))];
    expect((await one.call("DELETE", "/api/sessions")).json().ended).toBeGreaterThan(0);
    expect([await opens(one.headers), await opens(two.headers)]).toEqual([200, 401]);
  });
  test("is not looked at when a bearer is there too, and two cookies of its name are none", async () => {
    const one = await at.session(at.as("recruiter"));
    expect(await opens({ ...one.headers, authorization: "Bearer nonsense" })).toBe(401);
    expect(await opens({ cookie: `${one.headers["cookie"]}; ${SESSION_COOKIE}=${"x".repeat(43)}` })).toBe(401);
  });
  test("is kept by no cache", async () => expect((await at.as("tenant_admin").get("/api/session")).headers["cache-control"]).toBe("no-store"));
});

describe("a new password", () => {
  test("changes the cookie, ends the other sessions, and is the only one that works", async () => {
    const one = await at.person("recruiter", "acme");
    const other = await at.session(one);
    expect((await one.call("PUT", "/api/session/password", { current: "not it at all", password: "a wholly different sentence" })).statusCode).toBe(401);
    const answer = await one.call("PUT", "/api/session/password", { current: PASSWORD, password: "a wholly different sentence" });
    expect(answer.statusCode, answer.body).toBe(200);
    expect([(await one.get("/api/session")).statusCode, (await other.get("/api/session")).statusCode]).toEqual([401, 401]);
    expect((await at.server.inject({ url: "/api/session", headers: as(cookieOf(answer).token) })).statusCode).toBe(200);
    expect([(await signIn(one.email, PASSWORD)).statusCode, (await signIn(one.email, "a wholly different sentence")).statusCode]).toEqual([401, 200]);
  });
  test.each(["short", "password1234", "Passw0rd!2026", "aaaaaaaaaaaaaaa", "123456789012", "qwertyqwerty", "abcdefghijklmn"])("that is tried first is refused: %s", async (password) => {
    const answer = await (await at.session(at.as("recruiter"))).call("PUT", "/api/session/password", { current: PASSWORD, password });
    expect([answer.statusCode, code(answer)]).toEqual([422, "SERVER_WEAK_PASSWORD"]);
  });
});
