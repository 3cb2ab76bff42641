import type { FastifyInstance } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import type { Access, Caller } from "../../../server/api/access.ts";
import { createFrame } from "../../../server/api/frame.ts";
import { hashApiKey, isApiKey, makeApiKey } from "../../../server/api/keys.ts";

const operator = makeApiKey();
const ofAcme = makeApiKey();
const reader = makeApiKey();
const callers = new Map<string, Caller>([
  [hashApiKey(operator).toString("hex"), { kind: "key", id: "1", name: "operator", tenant: undefined, scopes: ["*"] }],
  [hashApiKey(ofAcme).toString("hex"), { kind: "key", id: "2", name: "acme", tenant: "acme", scopes: ["*"] }],
  [hashApiKey(reader).toString("hex"), { kind: "key", id: "3", name: "reader", tenant: undefined, scopes: ["runs:read"] }],
]);
const access: Access = {
  bearers: [(token) => isApiKey(token) ? Promise.resolve(callers.get(hashApiKey(token).toString("hex"))) : undefined],
  tenantState: async (tenant) => ["acme", "bolt"].includes(tenant) ? "active" : undefined,
};

let server: FastifyInstance;
afterEach(() => server.close());

async function frame(): Promise<FastifyInstance> {
  server = await createFrame({ access, logLevel: "silent" });
  server.get("/api/one", { config: { permission: "runs:read" } }, async (request) => ({ tenant: request.tenant }));
  server.get("/api/records", { config: { permission: "records:read" } }, async (request) => ({ tenant: request.tenant }));
  server.get("/api/all", { config: { permission: "tenants:read" } }, async () => ({ tenant: null }));
  server.get("/open", { config: { permission: "public" } }, async () => ({}));
  server.get("/broken", { config: { permission: "public" } }, async () => { throw new Error("the secret sauce"); });
  server.get("/away", { config: { permission: "public" } }, async () => { throw Object.assign(new Error("terminating connection"), { code: "57P01" }); });
  server.post("/body", {
    config: { permission: "public" },
    schema: { body: { type: "object", additionalProperties: false, required: ["mode"], properties: { mode: { enum: ["full", "incremental"] }, size: { type: "integer" } } }, querystring: { type: "object", additionalProperties: false, properties: { limit: { type: "integer", maximum: 10 } } } },
  }, async (request) => ({ got: request.body, query: request.query }));
  await server.ready();
  return server;
}
const get = async (url: string, key?: string) => (await frame()).inject({ url, headers: key === undefined ? {} : { authorization: `Bearer ${key}` } });

test("a route that declares no permission does not register", async () => {
  server = await createFrame({ access, logLevel: "silent" });
  expect(() => server.get("/api/forgotten", async () => ({}))).toThrow("/api/forgotten declares no permission");
  expect(() => server.get("/api/wrong", { config: { permission: "all:read" as never } }, async () => ({}))).toThrow("/api/wrong declares no permission");
});

describe("access", () => {
  test.each([["no key", undefined], ["a key that nobody has", makeApiKey()], ["a key of another shape", "hunter2"]])("%s is 401", async (_, key) => {
    const answer = await get("/api/one?tenant=acme", key);
    expect([answer.statusCode, answer.json().error.code]).toEqual([401, "SERVER_UNAUTHORIZED"]);
  });
  test("a key without the scope is 403 and says which one", async () => {
    const answer = await get("/api/records?tenant=acme", reader);
    expect([answer.statusCode, answer.json().error.code]).toEqual([403, "SERVER_FORBIDDEN"]);
    expect(answer.json().error.message).toContain("records:read");
  });
  test("a key with the scope passes", async () => expect((await get("/api/one?tenant=acme", reader)).json()).toEqual({ tenant: "acme" }));
  test("a request that names no tenant is 400, never a default", async () => {
    const answer = await get("/api/one", operator);
    expect([answer.statusCode, answer.json().error.code]).toEqual([400, "SERVER_TENANT_REQUIRED"]);
  });
  test("an unknown tenant is 404", async () => expect((await get("/api/one?tenant=nobody", operator)).statusCode).toBe(404));
  test("a tenant named twice is 400", async () => expect((await get("/api/one?tenant=acme&tenant=bolt", operator)).statusCode).toBe(400));
  test("the key of a tenant needs no ?tenant", async () => expect((await get("/api/one", ofAcme)).json()).toEqual({ tenant: "acme" }));
  test("to the key of a tenant another tenant looks like one that does not exist", async () => {
    const [other, none] = [await get("/api/one?tenant=bolt", ofAcme), await get("/api/one?tenant=nobody", ofAcme)];
    expect(other.statusCode).toBe(404);
    expect(other.json().error.message.replace("bolt", "nobody")).toBe(none.json().error.message);
  });
  test("the key of a tenant is never granted what spans tenants", async () => expect((await get("/api/all", ofAcme)).statusCode).toBe(403));
  test("a public route needs no key", async () => expect((await get("/open")).statusCode).toBe(200));
});

describe("errors", () => {
  test("a path that does not exist is 404 in the same shape", async () => {
    const answer = await get("/api/nothing", operator);
    expect([answer.statusCode, answer.json().error.code]).toEqual([404, "SERVER_NOT_FOUND"]);
    expect(Object.keys(answer.json())).toEqual(["error"]);
    expect(answer.json().error.docs).toBe("schemas/reference/errors.md#server_not_found");
  });
  test("a bug shows its request id and nothing else", async () => {
    const answer = await get("/broken");
    expect([answer.statusCode, answer.json().error.code]).toEqual([500, "SERVER_INTERNAL"]);
    expect(answer.body).not.toContain("sauce");
    expect(answer.body).not.toContain(".ts");
    expect(answer.json().error.message).toContain(answer.headers["x-request-id"]);
  });
  test("a database that is away is 503 with Retry-After", async () => {
    const answer = await get("/away");
    expect([answer.statusCode, answer.json().error.code, answer.headers["retry-after"]]).toEqual([503, "STORE_UNREACHABLE", "5"]);
  });
});

describe("validation", () => {
  const post = async (url: string, body: unknown, type = "application/json") => (await frame()).inject({ method: "POST", url, headers: { "content-type": type }, payload: typeof body === "string" ? body : JSON.stringify(body) });
  test.each([
    ["an unknown field", "/body", { mode: "full", modes: 1 }, "body.modes"],
    ["a missing field", "/body", {}, "body.mode"],
    ["a value that is none of the choices", "/body", { mode: "fast" }, "body.mode"],
    ["a number as text in JSON", "/body", { mode: "full", size: "7" }, "body.size"],
    ["an unknown parameter", "/body?limits=1", { mode: "full" }, "query.limits"],
    ["a parameter that is too large", "/body?limit=11", { mode: "full" }, "query.limit"],
  ])("%s is 400 and named", async (_, url, body, field) => {
    const answer = await post(url, body);
    expect([answer.statusCode, answer.json().error.code, answer.json().error.field]).toEqual([400, "SERVER_BAD_REQUEST", field]);
    expect(answer.json().error.message).toContain(field);
  });
  test("a number in the URL is a number", async () => expect((await post("/body?limit=7", { mode: "full" })).json().query).toEqual({ limit: 7 }));
  test("what is not JSON is 400", async () => expect((await post("/body", "{")).json().error.code).toBe("SERVER_BAD_REQUEST"));
  test("`__proto__` in a body is 400", async () => expect((await post("/body", '{"mode":"full","__proto__":{"x":1}}')).statusCode).toBe(400));
  test("a body that is too large is 413", async () => expect((await post("/body", { mode: "x".repeat(70_000) })).json().error.code).toBe("SERVER_TOO_LARGE"));
  test("a body of another type is 415", async () => expect((await post("/body", "mode=full", "application/x-www-form-urlencoded")).json().error.code).toBe("SERVER_MEDIA_TYPE"));
});

describe("documentation", () => {
  test("is OpenAPI 3.1 that says the permission of every route", async () => {
    const { openapi, paths } = (await get("/docs/json")).json();
    expect(openapi).toBe("3.1.0");
    expect(paths["/api/one"].get["x-permission"]).toBe("runs:read");
    expect(paths["/open"].get.security).toEqual([]);
  });
  test("is shown at /docs under a strict policy", async () => {
    const answer = await get("/docs/");
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-security-policy"]).toContain("script-src 'self'");
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(answer.body).not.toMatch(/<script(?![^>]*\bsrc=)/);                      // an inline script would not run under it
    for (const [, file] of answer.body.matchAll(/(?:src|href)="\.?\/?((?:docs\/)?static\/[^"]+)"/g)) expect((await server.inject(`/docs/${file!.replace(/^docs\//, "")}`)).statusCode, file).toBe(200);
  });
});
