/** Looking for what a first try did, reading one record, and the write that is only shown. */
import { describe, expect, test } from "vitest";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import type { ActionPlan, StreamPlan } from "../../../engine/plan/types.ts";
import { findEffect } from "../../../engine/run/find-effect.ts";
import { readOne } from "../../../engine/run/read-one.ts";
import { renderAction } from "../../../engine/run/render-action.ts";
import { actionBench, actionPlan, actionRequest, connectorOf, SECRET } from "../../support/action.ts";
import { providerDouble, type GivenAnswer, type Respond } from "../../support/provider-double.ts";

const answers = (...given: GivenAnswer[]): Respond => (_request, count) => given[Math.min(count, given.length) - 1];

describe("what a first try did", () => {
  const find = { request: { method: "GET", path: "/notes", query: { ref: "{{delivery.key}}", text: "=input.text" }, empty: "status = 404", errors: {} }, records: "items", key: ["id"] } as const;
  const look = async (respond: Respond, lastSentAt = "2026-03-01T08:58:00Z", once: Partial<ActionPlan["once"]> = {}) => {
    const provider = providerDouble(respond);
    const found = await findEffect(actionBench(provider).ports, actionRequest(connectorOf({ once: { is: "guarded", find, settle_seconds: 60, ...once } as ActionPlan["once"] })), lastSentAt);
    return { found, requests: provider.requests };
  };

  test("is found by what the first try was told apart by", async () => {
    const { found, requests } = await look(answers({ json: { items: [{ id: 7 }] } }));
    expect(found).toEqual({ is: "found", key: "7", body: { id: 7 } });
    expect(requests).toMatchObject([{ method: "GET", path: "/v1/notes", query: { ref: "k-1", text: "hello" } }]);
  });

  test("is not there", async () => {
    expect((await look(answers({ json: { items: [] } }))).found).toEqual({ is: "absent" });
    expect((await look(answers({ status: 404 }))).found).toEqual({ is: "absent" });
  });

  test("is not looked for before it has settled: an index that lags would make a duplicate", async () => {
    const { found, requests } = await look(answers(), "2026-03-01T08:59:30Z");
    expect(found).toMatchObject({ is: "later", after: 30_000 });
    expect(requests).toEqual([]);
  });

  test("cannot be told yet, or not at all; never taken for absent", async () => {
    expect((await look(answers({ status: 503 }))).found).toMatchObject({ is: "later" });
    expect((await look(() => { throw new PlugboardError("RUN_TIMEOUT", { request: "GET /notes", limit: "headers", seconds: 30 }); })).found).toMatchObject({ is: "later" });
    expect((await look(answers({ status: 401 }))).found).toMatchObject({ is: "auth" });
    expect((await look(answers({ json: { other: [] } }))).found).toMatchObject({ is: "cannot" });
    expect((await look(answers({ status: 400 }))).found).toMatchObject({ is: "cannot" });
    expect((await look(answers(), undefined, { find: undefined } as never)).found).toMatchObject({ is: "cannot" });
  });
});

describe("one record", () => {
  const stream = (one: Partial<NonNullable<StreamPlan["one"]>>): StreamPlan => ({ with: { path: "people" }, key: ["id"], types: {}, errors: {}, one: { request: { method: "GET", path: "/{{with.path}}/{{key}}", query: { fields: "=$join(select, ',')" }, errors: {} }, ...one } });
  const read = async (respond: Respond, one: Partial<NonNullable<StreamPlan["one"]>> = {}) => {
    const provider = providerDouble(respond);
    const connector = connectorOf({}, {}, { people: stream(one), listed: { ...stream({}), one: undefined } as never });
    return { one: await readOne(actionBench(provider).ports, actionRequest(connector), "people", "a 7", ["name", "email"]), requests: provider.requests, connector };
  };

  test("is asked for by its key, with the fields that are read", async () => {
    const { one, requests } = await read(answers({ json: { id: "a 7" } }));
    expect(one).toEqual({ is: "record", record: { id: "a 7" } });
    expect(requests).toMatchObject([{ path: "/v1/people/a%207", query: { fields: "name,email" } }]);
  });

  test("lies somewhere in the answer, perhaps among others", async () => {
    expect((await read(answers({ json: { data: { id: 1 } } }), { records: "data" })).one).toEqual({ is: "record", record: { id: 1 } });
    expect((await read(answers({ json: [{ id: "b" }, { id: "a 7", name: "Ann" }] }))).one).toEqual({ is: "record", record: { id: "a 7", name: "Ann" } });
  });

  test("is gone when the manifest says so, and only then", async () => {
    expect((await read(answers({ status: 404 }), { gone: "status = 404" })).one).toEqual({ is: "gone" });
    expect((await read(answers({ json: { archived: true } }), { gone: "body.archived" })).one).toEqual({ is: "gone" });
    expect((await read(answers({ status: 204 }), { request: { method: "GET", path: "/x", empty: "status = 204", errors: {} } })).one).toEqual({ is: "gone" });
    expect((await read(answers({ status: 404 }))).one).toMatchObject({ is: "failed", error: { code: "RUN_HTTP_STATUS" } });
    expect((await read(answers({ json: [] }))).one).toEqual({ is: "absent" });
    expect((await read(answers({ json: [{ id: "b" }, { id: "c" }] }))).one).toEqual({ is: "absent" });
  });

  test("is asked for again later, or not before somebody signs in", async () => {
    expect((await read(answers({ status: 429, headers: { "retry-after": "7" } }))).one).toMatchObject({ is: "retry", after: 7000 });
    expect((await read(() => { throw new PlugboardError("RUN_TIMEOUT", { request: "GET /x", limit: "headers", seconds: 30 }); })).one).toMatchObject({ is: "retry" });
    expect((await read(answers({ status: 401 }))).one).toMatchObject({ is: "auth" });
    expect((await read(answers({ status: 403 }))).one).toMatchObject({ is: "failed" });
  });

  test("cannot be read of a stream that has no door for it", async () => {
    const { connector } = await read(answers({ json: {} }));
    await expect(readOne(actionBench(providerDouble(answers())).ports, actionRequest(connector), "listed", "7")).rejects.toMatchObject({ code: "RUN_REQUEST" });
  });
});

describe("a write that is only shown", () => {
  const render = (action: Partial<ActionPlan>, http = {}, parts = {}) => renderAction({ ...actionRequest(connectorOf(action, http)), values: { config: {} }, ...parts }, Date.parse("2026-03-01T09:00:00Z"));

  test("is the exact request, without a credential and without its value", async () => {
    const { request, problem, notes } = await render({ request: { ...actionPlan().request, headers: { "Idempotency-Key": "{{delivery.key}}" } } });
    expect({ problem, notes }).toEqual({ problem: undefined, notes: [] });
    expect(request).toEqual({ method: "POST", url: "https://api.example.com/v1/notes", headers: { accept: "application/json", authorization: "Bearer ***", "content-type": "application/json", "idempotency-key": "k-1" }, body: { body: "hello" } });
  });

  test("shows none of the secrets that a connection has, in no encoding", async () => {
    const shown = await render({ request: { ...actionPlan().request, query: { t: "{{config.token}}" } } }, { auth: { named: { default: { type: "basic", username: "u", password: "{{config.token}}" } } } }, { values: { config: { token: SECRET } } });
    expect(shown.request!.url).toBe("https://api.example.com/v1/notes?t=***");
    expect(JSON.stringify(shown)).not.toContain(SECRET);
    expect(Buffer.from(String(shown.request!.headers["authorization"]).replace("Basic ", ""), "base64").toString()).not.toContain(SECRET);
  });

  test("signs in nowhere: a token stands for itself", async () => {
    const oauth = { auth: { named: { default: { type: "oauth2_client_credentials", token_url: "https://api.example.com/token", client_id: "id", client_secret: "{{config.token}}", client_auth: "basic" } } } };
    expect((await render({}, oauth)).request!.headers["authorization"]).toBe("Bearer ***");
  });

  test("says what cannot be built, and what would be asked around it", async () => {
    const poll = { request: { method: "GET", path: "/x", errors: {} } } as const;
    expect(await render({ before: { upload: poll }, after: { done: poll }, request: { method: "PUT", path: "/files/{{upload.body.id}}", errors: {} } })).toEqual({
      problem: expect.stringMatching(/'upload\.body\.id' in path is absent/) as string, notes: ["before.upload is asked first; what it answers is not known here", "after.done follows"],
    });
    expect(await render({}, {}, { inputs: [{ text: 3 }] })).toMatchObject({ problem: expect.stringMatching(/'text' must be string/) as string });
  });
});
