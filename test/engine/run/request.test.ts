import { describe, expect, test } from "vitest";
import type { RequestPlan } from "../../../engine/plan/types.ts";
import { bench } from "../../support/run.ts";
import { HOST, planOf, type PlanParts } from "../../support/plan.ts";
import { providerDouble, type GivenAnswer, type SeenRequest } from "../../support/provider-double.ts";

const EMPTY: GivenAnswer = { json: { items: [] } };
async function sent(parts: PlanParts, config: Record<string, string> = {}): Promise<SeenRequest> {
  const provider = providerDouble(() => EMPTY);
  const result = await bench().run(planOf(parts), provider, { connection: { config, account: { id: "A-1" } } });
  expect(result.error).toBeUndefined();
  return provider.requests[0]!;
}
const withRequest = (request: Partial<RequestPlan>, parts: PlanParts = {}): PlanParts => ({ ...parts, request });

describe("a request is what the manifest says, and absent members are left out", () => {
  test("query: defaults under its own, lists repeat, absent and null are gone, keys may be templates", async () => {
    const { url } = await sent(withRequest({ query: { "{{with.field}}": "gte|{{cursor.from}}", since: "{{cursor.from}}", id: [1, 2], own: "mine", empty: null, text: "a b+c&d=é", number: "=1 + 1", literal: "==x", account: "{{account.id}}", tenant: "=tenant.id" } },
      { http: { query: { minor: 75, own: "default" } }, stream: { with: { field: "updated_at" } } }));
    expect(url.search).toBe("?minor=75&own=mine&id=1&id=2&text=a%20b%2Bc%26d%3D%C3%A9&number=2&literal=%3Dx&account=A-1&tenant=acme");
  });

  test("a whole map may be one expression, and absent", async () => {
    expect((await sent(withRequest({ query: '=$merge([{ "format": "json" }, { "a": 1 }])' }))).url.search).toBe("?format=json&a=1");
    expect((await sent(withRequest({ query: "=cursor.nothing" }))).url.search).toBe("");
  });

  test("path values cannot leave their segment", async () => {
    expect((await sent(withRequest({ path: "/people/{{config.id}}/notes" }), { id: "a/../b?x=1#y" })).url.pathname).toBe("/v1/people/a%2F..%2Fb%3Fx%3D1%23y/notes");
  });

  test.each([["absent", {}, "config.id"], ["climbing", { id: ".." }, ".."], ["empty", { id: "" }, ""]])("a path value that is %s is an error that names it", async (_name, config: Record<string, string>, named) => {
    const provider = providerDouble(() => EMPTY);
    const result = await bench().run(planOf(withRequest({ path: "/people/{{config.id}}" })), provider, { connection: { config } });
    expect(result).toMatchObject({ status: "failed", error: { code: "RUN_REQUEST", message: expect.stringContaining(named) } });
    expect(provider.requests).toHaveLength(0);
  });

  test("json keeps types and structure, form is encoded, text is text", async () => {
    expect((await sent(withRequest({ method: "POST", body: { encoding: "json", value: { n: "=1", list: ["=nothing", "x", { a: "{{cursor.from}}" }], empty: {}, none: null } } }))).body).toEqual({ n: 1, list: ["x", {}], empty: {}, none: null });
    const form = await sent(withRequest({ method: "POST", body: { encoding: "form", value: { a: "x y", b: "=1" } } }));
    expect([form.body, form.headers["content-type"]]).toEqual(["a=x%20y&b=1", "application/x-www-form-urlencoded"]);
    expect((await sent(withRequest({ method: "POST", headers: { "content-type": "text/csv" }, body: { encoding: "text", value: "id;{{account.id}}" } }))).body).toBe("id;A-1");
  });

  test("headers: the request's over the connector's, and a line break in a value is refused without being shown", async () => {
    const { headers } = await sent(withRequest({ headers: { "x-a": "{{account.id}}", "x-none": "{{cursor.from}}" } }, { http: { headers: { "X-A": "default", "X-B": "=1" } } }));
    expect([headers["x-a"], headers["x-b"], headers["x-none"], headers["accept"]]).toEqual(["A-1", "1", undefined, "application/json"]);
    const result = await bench().run(planOf(withRequest({ headers: { "x-a": "{{config.id}}" } })), providerDouble(() => EMPTY), { connection: { config: { id: "canary\r\nx: 1" } } });
    expect(result.error!.code).toBe("RUN_REQUEST");
    expect(JSON.stringify(result)).not.toContain("canary");
  });

  test("config: entered over the tree's over the default, except where locked", async () => {
    const plan = planOf({ request: { query: { a: "{{config.a}}", b: "{{config.b}}", c: "{{config.c}}" } }, config: { a: { title: "A", default: "default" }, b: { title: "B", default: "default" }, c: { title: "C" } }, connectionConfig: { b: "tree", c: "tree" }, locks: ["c"] });
    const provider = providerDouble(() => EMPTY);
    await bench().run(plan, provider, { connection: { config: { b: "entered", c: "entered" } } });
    expect(provider.requests[0]!.query).toEqual({ a: "default", b: "entered", c: "tree" });
  });
});

describe("hosts", () => {
  const failing = async (parts: PlanParts, config: Record<string, string> = {}, answer: GivenAnswer = EMPTY) => {
    const provider = providerDouble(() => answer);
    return { result: await bench().run(planOf(parts), provider, { connection: { config } }), provider };
  };

  test("a customer's host must fit the connector's patterns, after templating", async () => {
    const parts: PlanParts = { http: { base_url: "https://{{config.host}}/odata", hosts: ["*.example.com"] } };
    expect((await failing(parts, { host: "acme.example.com" })).result.status).toBe("succeeded");
    for (const host of ["evil.org", "example.com", "acme.example.com.evil.org", "evil.org#.example.com", "evil.org/.example.com", "a@evil.org"]) {
      const { result, provider } = await failing(parts, { host });
      expect(["AUTH_HOST_NOT_ALLOWED", "RUN_REQUEST"], host).toContain(result.error?.code);
      expect(provider.requests).toHaveLength(0);
    }
  });

  test.each([["https://evil.org/next"], [`http://${HOST}/v1/next`], [`https://${HOST}:8443/next`], ["//evil.org/next"]])("a link to the next page that leaves the origin is not followed: %s", async (next) => {
    const { result, provider } = await failing({ pagination: { type: "next_url", next: "body.next" } }, {}, { json: { items: [{ id: 1 }], next } });
    expect(result).toMatchObject({ status: "failed", error: { code: "AUTH_HOST_NOT_ALLOWED" }, counters: { read: 1 } });
    expect(provider.requests).toHaveLength(1);
  });

  test("a full URL in a path stays under the same rule", async () => {
    expect((await failing({ request: { path: "https://evil.org/people" } })).result.error?.code).toBe("AUTH_HOST_NOT_ALLOWED");
    expect((await failing({ request: { path: `https://${HOST}/v2/people` } })).result.status).toBe("succeeded");
  });
});
