import { afterAll, beforeAll, expect, test } from "vitest";
import { openStage, type Stage } from "../../support/callers.ts";

let at: Stage;
beforeAll(async () => { at = await openStage(); });
afterAll(() => at.close());
test("text that PostgreSQL cannot keep is the request's fault, wherever it stands", async () => {
  const a = at.as("super_admin");
  const out: number[] = [];
  out.push((await a.call("POST", "/api/keys?tenant=acme", { name: "a\u0000b", scopes: ["runs:read"] })).statusCode);
  out.push((await a.call("PATCH", "/api/users/a%00b", { role: "super_admin" })).statusCode);
  out.push((await a.call("DELETE", "/api/invitations/a%00b")).statusCode);
  out.push((await a.get("/api/audit?actor=a%00b")).statusCode);
  out.push((await a.get("/api/audit?since=2026-99-99T00:00:00Z")).statusCode);
  out.push((await a.get("/api/session?tenant=a%00b")).statusCode);
  out.push((await a.call("PUT", "/api/sign-in-providers/x", { client_id: "a\u0000", client_secret: "a", issuer: "https://a" })).statusCode);
  out.push((await a.call("POST", "/api/tenants/acme/impersonations", { role: "recruiter", reason: "abcdef\u0000" })).statusCode);
  out.push((await at.server.inject({ method: "POST", url: "/api/session", headers: { "content-type": "application/json" }, payload: JSON.stringify({ email: "a\u0000", password: "a\u0000" }) })).statusCode);
  out.push((await a.get("/api/records/person/a%00b?tenant=acme")).statusCode);
  out.push((await a.get("/api/sign-in/oidc/a%00b")).statusCode);
  expect(out.every((status) => status >= 400 && status < 500), out.join(" ")).toBe(true);
});
