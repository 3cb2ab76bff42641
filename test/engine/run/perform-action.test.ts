/** What an action's answer means, and what it never means: that something which may have happened has failed. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Transport } from "../../../engine/components/kinds.ts";
import { createTransport } from "../../../engine/components/transport/http.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import type { ActionPlan, HttpPlan } from "../../../engine/plan/types.ts";
import { isHarmless, performAction, type ActionRequest } from "../../../engine/run/perform-action.ts";
import { actionBench, actionPlan, actionRequest, connectorOf, SECRET } from "../../support/action.ts";
import { providerDouble, type GivenAnswer, type Respond } from "../../support/provider-double.ts";

const perform = async (respond: Respond, action: Partial<ActionPlan> = {}, request: Partial<ActionRequest> = {}, http: Partial<HttpPlan> = {}) => {
  const provider = providerDouble(respond);
  const bench = actionBench(provider);
  return { result: await performAction(bench.ports, actionRequest(connectorOf(action, http), request)), requests: provider.requests, ...bench };
};
const answers = (...given: GivenAnswer[]): Respond => (_request, count) => given[Math.min(count, given.length) - 1];
const REPEATABLE = { once: { is: "repeatable" } } as const;
const KEYED = { once: { is: "guarded", key: "delivery.key", valid_for_seconds: 86_400 } } as const;

describe("carried out", () => {
  test("sends what the manifest says, signed in, and gives key, version and body back", async () => {
    const { result, requests } = await perform(answers({ status: 201, json: { id: 7, at: "2026-03-01T09:00:00Z" } }), { returns: { key: ["body.id"], version: "body.at" } });
    expect(result).toEqual({ is: "done", results: [{ key: "7", version: "1772355600", body: { id: 7, at: "2026-03-01T09:00:00Z" } }] });
    expect(requests).toMatchObject([{ method: "POST", path: "/v1/notes", body: { body: "hello" }, headers: { authorization: `Bearer ${SECRET}` } }]);
  });

  test("the request names the row's key, the delivery and the variables it was given", async () => {
    const request = { method: "PATCH", path: "/notes/{{key}}", headers: { "Idempotency-Key": "{{delivery.key}}" }, body: { encoding: "json", value: { by: "=inputs.owner", link: "{{mint.link}}", gone: "=input.absent" } }, errors: {} } as const;
    const { requests } = await perform(answers({ json: {} }), { request, ...KEYED }, { key: "a/7", variables: { inputs: { owner: "ops" }, mint: { link: "https://x/1" } } });
    expect(requests).toMatchObject([{ path: "/v1/notes/a%2F7", headers: { "idempotency-key": "k-1" }, body: { by: "ops", link: "https://x/1" } }]);
  });

  test("an idempotency key of the manifest's own making", async () => {
    const { requests } = await perform(answers({ json: {} }), { request: { ...actionPlan().request, headers: { "Idempotency-Key": "{{delivery.key}}" } }, once: { is: "guarded", key: "$uppercase(input.text)" } });
    expect(requests[0]!.headers["idempotency-key"]).toBe("HELLO");
  });

  test("no body is an answer too", async () => {
    expect((await perform(answers({ status: 204 }))).result).toEqual({ is: "done", results: [{}] });
  });

  test("an answer that nobody needs and nobody can read", async () => {
    expect((await perform(answers({ status: 200, text: "<html>OK</html>" }))).result).toEqual({ is: "done", results: [{}] });
  });
});

describe("before anything is sent", () => {
  test.each([
    ["a field of another type", { text: 7 }, /'text' must be string/],
    ["a field that the action does not take", { text: "a", more: 1 }, /no field 'more'/],
  ])("an input is refused: %s", async (_, input, reason) => {
    const { result, requests } = await perform(answers(), {}, { inputs: [input] });
    expect(result).toMatchObject({ is: "refused", reason: expect.stringMatching(reason) as string });
    expect(requests).toEqual([]);
  });

  test("more inputs than a batch takes", async () => {
    expect((await perform(answers(), {}, { inputs: [{ text: "a" }, { text: "b" }] })).result).toMatchObject({ is: "refused" });
  });

  test("an absent value in a path", async () => {
    expect((await perform(answers(), { request: { method: "DELETE", path: "/notes/{{key}}", errors: {} } })).result).toMatchObject({ is: "refused", reason: expect.stringMatching(/'key' in path is absent/) as string });
  });

  test("a host that may not have the credential", async () => {
    expect((await perform(answers(), {}, {}, { base_url: "https://evil.example" })).result).toMatchObject({ is: "refused", reason: expect.stringMatching(/may not be sent to evil\.example/) as string });
  });

  test("no credential", async () => {
    expect((await perform(answers(), {}, { values: { config: {} } })).result).toMatchObject({ is: "auth" });
  });

  test("an action that is not there is a mistake of the caller's", async () => {
    await expect(perform(answers(), {}, { action: "akt" })).rejects.toMatchObject({ code: "RUN_REQUEST" });
  });
});

describe("an answer with status", () => {
  test.each([
    [400, REPEATABLE, "refused"], [404, REPEATABLE, "refused"], [409, KEYED, "refused"], [422, KEYED, "refused"],
    [401, REPEATABLE, "auth"], [403, REPEATABLE, "refused"],
    [408, {}, "retry"], [425, {}, "retry"], [429, {}, "retry"],
    [500, {}, "unknown"], [503, {}, "unknown"], [500, REPEATABLE, "retry"], [502, KEYED, "retry"],
    [500, { once: { is: "guarded", unique: "status = 409" } }, "retry"],
    [500, { once: { is: "guarded", find: { request: actionPlan().request, key: ["id"] } } }, "unknown"],
  ] as const)("%d, %j: %s", async (status, action, expected) => {
    expect((await perform(answers({ status, json: { message: `no, ${SECRET}` } }), action)).result.is).toBe(expected);
  });

  test("Retry-After says when, and all workers leave the provider alone until then", async () => {
    const { result, buckets, clock } = await perform(answers({ status: 429, headers: { "retry-after": "120" } }));
    expect(result).toMatchObject({ is: "retry", after: 120_000 });
    expect(await buckets.take("crm:connection:acme/crm:all", { max: 1, every_seconds: 1 }) + clock.now()).toBeGreaterThan(clock.now() + 100_000);
  });

  test("a limit that is used up for long is no try at all", async () => {
    const provider = providerDouble(answers({ json: {} }));
    const { ports, buckets, clock } = actionBench(provider);
    await buckets.block("crm:connection:acme/crm:all", clock.now() + 600_000);
    expect(await performAction(ports, actionRequest(connectorOf({})))).toMatchObject({ is: "retry", after: 600_000 });
    expect(provider.requests).toEqual([]);
  });

  test("secrets are in no reason and in nothing that is shown", async () => {
    const { result, seen } = await perform(answers({ status: 422, json: { echo: `Bearer ${SECRET}` } }));
    expect(JSON.stringify([result, seen])).not.toContain(SECRET);
    expect(seen).toMatchObject([{ request: { method: "POST", url: "https://api.example.com/v1/notes", headers: { authorization: "Bearer ***" }, body: '{"body":"hello"}' }, answer: { status: 422 } }]);
  });
});

describe("the connector's own rules come first", () => {
  const rules = { stale: { when: "body.code = 5010", do: "fail", say: "The record changed meanwhile." }, busy: { when: "body.code = 1", do: "retry" }, fine: { when: "body.code = 2", do: "ignore" } } as const;
  test.each([[500, 5010, "refused"], [400, 1, "retry"], [500, 1, "unknown"], [404, 2, "done"]] as const)("%d with code %d: %s", async (status, code, expected) => {
    const { result } = await perform(answers({ status, json: { code } }), {}, {}, { errors: rules });
    expect(result.is).toBe(expected);
    if (code === 5010) expect(result).toMatchObject({ reason: "The record changed meanwhile." });
  });

  test("a 401 asks for a fresh token once, and sends again: nothing had happened", async () => {
    const { result, requests } = await perform((request) => request.path.endsWith("/token") ? { json: { access_token: `t${Math.random()}`, expires_in: 3600 } } : requestsSoFar++ === 0 ? { status: 401 } : { json: {} }, {}, {},
      { auth: { named: { default: { type: "oauth2_client_credentials", token_url: "https://api.example.com/token", client_id: "id", client_secret: "{{config.token}}", client_auth: "basic" } } } });
    expect(result.is).toBe("done");
    expect(requests.map(({ path }) => path)).toEqual(["/token", "/v1/notes", "/token", "/v1/notes"]);
  });
  let requestsSoFar = 0;

  test("a token request that times out is not the write: nothing of it has left", async () => {
    const { result, requests } = await perform((request) => {
      if (!request.path.endsWith("/token")) return { json: {} };
      throw new PlugboardError("RUN_TIMEOUT", { request: "POST /token", limit: "headers", seconds: 30, unsent: false });
    }, {}, {}, { auth: { named: { default: { type: "oauth2_client_credentials", token_url: "https://api.example.com/token", client_id: "id", client_secret: "{{config.token}}", client_auth: "basic" } } } });
    expect(result.is).toBe("retry");
    expect(requests.every(({ path }) => path === "/token")).toBe(true);
  });
});

describe("what was refused, and what was there already", () => {
  test("an answer of 200 that is a refusal, with what it says", async () => {
    expect((await perform(answers({ json: { ok: false, error: "no_channel" } }), { refused: "$not(body.ok)", say: "Slack says {{body.error}}" })).result).toEqual({ is: "refused", reason: "Slack says no_channel" });
  });

  test("a refusal that cannot be evaluated: it was taken, and what came of it is unknown", async () => {
    expect((await perform(answers({ json: { ok: null } }), { refused: "$length(body.ok) > 0" })).result).toMatchObject({ is: "unknown" });
  });

  const unique = { effect: { does: "creates", stream: "notes" }, returns: { key: ["body.id"] }, once: { is: "guarded", unique: "status = 409", existing: "$match(body.message, /ID: ([0-9]+)/)[0].groups[0]" } } as const;
  test("a conflict is done, with the key of what is there", async () => {
    expect((await perform(answers({ status: 409, json: { message: "exists. ID: 51" } }), unique)).result).toEqual({ is: "done", results: [{ key: "51" }] });
  });

  test("a conflict that names nothing is refused; where it can be looked for, it is", async () => {
    expect((await perform(answers({ status: 409, json: { message: "exists" } }), unique)).result).toMatchObject({ is: "refused" });
    expect((await perform(answers({ status: 409, json: { message: "exists" } }), { ...unique, once: { ...unique.once, find: { request: actionPlan().request, key: ["id"] } } })).result).toMatchObject({ is: "unknown" });
  });

  test("a record that was made and is called nothing is not done: its link would be missing", async () => {
    expect((await perform(answers({ json: {} }), { effect: { does: "creates", stream: "notes" }, returns: { key: ["body.id"] } })).result).toMatchObject({ is: "unknown" });
  });

  test("a version that is none is left out, and said in the log", async () => {
    const { result, log } = await perform(answers({ json: { id: 1, v: "draft" } }), { returns: { key: ["body.id"], version: "body.v" } });
    expect(result).toMatchObject({ is: "done", results: [{ key: "1" }] });
    expect(log.some(({ event }) => event === "action")).toBe(true);
  });
});

describe("a batch", () => {
  const batch = { batch: 3, results: "body.items", refused: 'status = "ERROR"', say: "=message", returns: { key: ["id"] }, request: { ...actionPlan().request, body: { encoding: "json", value: { items: "=[inputs.text]" } } } } as const;
  const three = { inputs: [{ text: "a" }, { text: "b" }, { text: "c" }] };

  test("has a result for each input, in order", async () => {
    const { result, requests } = await perform(answers({ status: 207, json: { items: [{ id: 1 }, { status: "ERROR", message: "too long" }, { id: 3 }] } }), batch, three);
    expect(requests).toMatchObject([{ body: { items: ["a", "b", "c"] } }]);
    expect(result).toMatchObject({ is: "done", results: [{ key: "1" }, { refused: "too long" }, { key: "3" }] });
  });

  test("fewer results than inputs: the rest is unknown; more: all of it is", async () => {
    expect((await perform(answers({ json: { items: { id: 1 } } }), batch, three)).result).toMatchObject({ is: "done", results: [{ key: "1" }, { unknown: expect.any(String) as string }, { unknown: expect.any(String) as string }] });
    expect((await perform(answers({ json: { items: [1, 2, 3, 4] } }), batch, three)).result).toMatchObject({ is: "unknown" });
    expect((await perform(answers({ json: {} }), batch, three)).result).toMatchObject({ results: [{ unknown: expect.any(String) as string }, {}, {}] });
  });

  test("answered in another order, or about some only, is matched by what names an input", async () => {
    const matched = { ...batch, results: "[body.results, body.errors]", match: { result: "text", input: "text" } };
    const { result } = await perform(answers({ status: 207, json: { results: [{ id: 3, text: "c" }, { id: 1, text: "a" }], errors: [{ status: "ERROR", text: "b", message: "too long" }] } }), matched, three);
    expect(result).toMatchObject({ is: "done", results: [{ key: "1" }, { refused: "too long" }, { key: "3" }] });
    expect((await perform(answers({ json: { results: [{ id: 3, text: "c" }, { id: 9, text: "z" }, { id: 8 }] } }), matched, three)).result).toMatchObject({ is: "done", results: [{ unknown: "the answer has no result for 'a'" }, { unknown: "the answer has no result for 'b'" }, { key: "3" }] });
    expect((await perform(answers({ json: { results: [{ id: 1, text: "a" }, { id: 2, text: "a" }, { id: 3, text: "b" }] } }), matched, { inputs: [{ text: "a" }, { text: "b" }, { text: "b" }] })).result)
      .toMatchObject({ is: "done", results: [{ unknown: "the answer has 2 results for 'a'" }, { unknown: "several inputs of the request are named 'b'" }, { unknown: expect.any(String) as string }] });
    expect((await perform(answers({ json: { results: [{ id: 3, place: "2" }, { id: 1, place: 0 }] } }), { ...matched, match: { result: "place" } }, three)).result).toMatchObject({ is: "done", results: [{ key: "1" }, { unknown: "the answer has no result for '1'" }, { key: "3" }] });
  });

  test("one input is a list of one", async () => {
    const { requests } = await perform(answers({ json: { items: [{ id: 1 }] } }), batch, { inputs: [{ text: "a" }] });
    expect(requests).toMatchObject([{ body: { items: ["a"] } }]);
  });
});

describe("the record as it is", () => {
  const streams = { notes: { with: {}, key: ["id"], types: {}, errors: {}, one: { request: { method: "GET", path: "/notes/{{key}}", errors: {} }, gone: "status = 404" } } } as const;
  const reads = { reads_current: true, effect: { does: "updates", stream: "notes" }, request: { method: "PATCH", path: "/notes/{{key}}", body: { encoding: "json", value: { revision: "=current.revision" } }, errors: {} } } as const;
  const update = async (respond: Respond, request: Partial<ActionRequest> = { key: "7" }) => {
    const provider = providerDouble(respond);
    return { result: await performAction(actionBench(provider).ports, actionRequest(connectorOf(reads, {}, streams), request)), requests: provider.requests };
  };

  test("is read first where the request names it", async () => {
    const { result, requests } = await update(answers({ json: { id: 7, revision: 3 } }, { json: {} }));
    expect(result.is).toBe("done");
    expect(requests).toMatchObject([{ method: "GET", path: "/v1/notes/7" }, { method: "PATCH", body: { revision: 3 } }]);
  });

  test("is not read where it is known", async () => {
    expect((await update(answers({ json: {} }), { key: "7", current: { revision: 9 } })).requests).toMatchObject([{ method: "PATCH", body: { revision: 9 } }]);
  });

  test("is gone, or cannot be read just now: nothing is written", async () => {
    expect((await update(answers({ status: 404 }))).result).toMatchObject({ is: "refused" });
    expect((await update(answers({ status: 503 }))).result).toMatchObject({ is: "retry" });
    expect((await update(answers({ status: 404 }), {})).result).toMatchObject({ is: "refused" });
  });
});

describe("requests around it", () => {
  const request = (path: string) => ({ method: "GET", path, errors: {} }) as const;
  const before = { before: { upload: { request: request("/uploads"), until: 'body.state = "ready"', every_seconds: 2 } }, request: { ...actionPlan().request, body: { encoding: "json", value: { file: "=upload.body.id" } } } } as const;

  test("one before it is asked until it is over, and its answer is a variable", async () => {
    const { requests, clock } = await perform(answers({ json: { state: "made" } }, { json: { state: "ready", id: 5 } }, { json: {} }), before);
    expect(requests).toMatchObject([{ path: "/v1/uploads" }, { path: "/v1/uploads" }, { path: "/v1/notes", body: { file: 5 } }]);
    expect(clock.slept).toEqual([2000]);
  });

  test("one before it that is not over, or times out: nothing was written, and it is tried again", async () => {
    expect((await perform(answers({ json: { state: "made" } }), before)).result).toMatchObject({ is: "retry", after: 2000 });
    expect((await perform(() => { throw new PlugboardError("RUN_TIMEOUT", { request: "GET /uploads", limit: "headers", seconds: 30 }); }, before)).result).toMatchObject({ is: "retry" });
  });

  const after = { returns: { key: ["body.id"] }, after: { status: { request: request("/notes/{{key}}"), until: 'body.state != "ACCEPTED"', every_seconds: 60, within_seconds: 3600 } } } as const;
  test("one after it goes on later, without sending the write again", async () => {
    const provider = providerDouble(answers({ json: { id: 7 } }, { json: { state: "ACCEPTED" } }, { status: 503 }, { json: { state: "DONE" } }));
    const bench = actionBench(provider);
    const first = actionRequest(connectorOf(after));
    const accepted = await performAction(bench.ports, first);
    expect(accepted).toMatchObject({ is: "accepted", after: 60_000 });
    const resume = { ...first, delivery: { ...first.delivery, attempt: 2, accepted: JSON.parse(JSON.stringify((accepted as { accepted: unknown }).accepted)) as never } };
    expect(await performAction(bench.ports, resume)).toMatchObject({ is: "accepted" });
    expect(await performAction(bench.ports, resume)).toMatchObject({ is: "done", results: [{ key: "7" }] });
    expect(provider.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /v1/notes", "GET /v1/notes/7", "GET /v1/notes/7", "GET /v1/notes/7"]);
    bench.clock.advance(3_600_000);
    expect(await performAction({ ...bench.ports, transport: providerDouble(answers({ json: { state: "ACCEPTED" } })) }, resume)).toMatchObject({ is: "unknown" });
  });

  test("over at once, it is done with everything the answer said", async () => {
    expect((await perform(answers({ json: { id: 7 } }, { json: { state: "DONE" } }), after)).result).toEqual({ is: "done", results: [{ key: "7", body: { id: 7 } }] });
  });
});

test("when the provider has forgotten the key of a first try, a second is not made by itself", async () => {
  const late = { delivery: { id: "d-1", key: "k-1", attempt: 3, first_sent_at: "2026-02-27T09:00:00Z" } };
  const { result, requests } = await perform(answers({ json: {} }), KEYED, late);
  expect(result).toMatchObject({ is: "unknown" });
  expect(requests).toEqual([]);
  expect((await perform(answers({ json: {} }), REPEATABLE, late)).result).toMatchObject({ is: "done" });
  expect((await perform(answers({ json: {} }), KEYED, { delivery: { id: "d-1", key: "k-1", attempt: 3 } })).result).toMatchObject({ is: "done" });
});

test("whether a second try is harmless", () => {
  const now = Date.parse("2026-03-01T09:00:00Z");
  const sent = (hours: number) => ({ first_sent_at: new Date(now - hours * 3_600_000).toISOString() });
  expect([{ is: "repeatable" }, { is: "never" }, KEYED.once, { is: "guarded", unique: "true" }, { is: "guarded", find: { request: actionPlan().request, key: [] } }].map((once) => isHarmless(once as never, sent(1), now))).toEqual([true, false, true, true, false]);
  expect(isHarmless(KEYED.once, sent(25), now)).toBe(false);
});

describe("on the wire", () => {
  let server: Server;
  let port: number;
  let handle: (request: IncomingMessage, response: ServerResponse, body: string) => void;
  let applied = 0;
  const open: Transport[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => { body += chunk.toString(); }).on("end", () => { applied += 1; handle(request, response, body); });
    });
    await new Promise<void>((done) => { server.listen(0, "127.0.0.1", done); });
    port = (server.address() as AddressInfo).port;
  });
  afterEach(async () => { applied = 0; await Promise.all(open.splice(0).map((each) => each.close())); });
  afterAll(() => { server.closeAllConnections(); server.close(); });

  const wire = async (action: Partial<ActionPlan> = {}, request: Partial<ActionRequest> = {}, http: Partial<HttpPlan> = {}) => {
    const transport = createTransport({ allowPrivate: true });
    open.push(transport);
    const { ports } = actionBench(transport);
    const connector = connectorOf(action, { base_url: `http://127.0.0.1:${port}`, hosts: [`127.0.0.1:${port}`, "127.0.0.1", "nowhere.invalid"], timeouts: { connect: 1, headers: 0.2, idle: 0.2, total: 2 }, ...http });
    return performAction({ ...ports, clock: { now: () => Date.now(), sleep: async () => {} } }, actionRequest(connector, request));
  };

  test("a provider that carries it out and never answers: unknown, carried out once, whatever `once` says", async () => {
    handle = () => {};
    for (const action of [{}, REPEATABLE, KEYED]) expect(await wire(action)).toMatchObject({ is: "unknown", reason: expect.stringMatching(/took longer than its headers limit/) as string });
    expect(applied).toBe(3);
  });

  test("a connection that is reset after the request was read: unknown", async () => {
    handle = (request) => { request.socket.resetAndDestroy(); };
    expect(await wire(REPEATABLE)).toMatchObject({ is: "unknown", reason: expect.stringMatching(/closed the connection/) as string });
    expect(applied).toBe(1);
  });

  test("an answer that breaks off, or stalls: unknown", async () => {
    handle = (_request, response) => { response.writeHead(200, { "content-type": "application/json", "content-length": "100" }); response.write('{"id":'); setTimeout(() => response.destroy(), 20); };
    expect(await wire()).toMatchObject({ is: "unknown" });
    handle = (_request, response) => { response.writeHead(200, { "content-length": "100" }); response.write("{"); };
    expect(await wire()).toMatchObject({ is: "unknown" });
  });

  test("an answer of more than it may have: unknown, for it was carried out", async () => {
    handle = (_request, response) => { response.end("x".repeat(5000)); };
    expect(await wire({}, {}, { max_body_bytes: 1000 })).toMatchObject({ is: "unknown" });
  });

  test("an answer that is cut off though it says 201: what its key is cannot be known", async () => {
    handle = (_request, response) => { response.writeHead(201, { "content-type": "application/json" }).end('{"id": 7'); };
    expect(await wire({ returns: { key: ["body.id"] } })).toMatchObject({ is: "unknown" });
  });

  test("nobody listens, or the name does not exist: retry, for nothing has left", async () => {
    expect(await wire({}, {}, { base_url: "http://127.0.0.1:1" })).toMatchObject({ is: "retry", reason: expect.stringMatching(/refused the connection/) as string });
    expect(await wire({}, {}, { base_url: "http://nowhere.invalid" })).toMatchObject({ is: "retry", reason: expect.stringMatching(/host name/) as string });
  });

  test("a worker that is told to stop while it waits for the answer: unknown", async () => {
    const stop = new AbortController();
    handle = () => { stop.abort(new Error("SIGTERM")); };
    expect(await wire({}, { signal: stop.signal })).toMatchObject({ is: "unknown", reason: expect.stringMatching(/told to stop/) as string });
  });

  test("one that was told before it began: retry", async () => {
    expect(await wire({}, { signal: AbortSignal.abort(new Error("SIGTERM")) })).toMatchObject({ is: "retry" });
    expect(applied).toBe(0);
  });

  test("a write that is redirected is refused: the credential does not follow", async () => {
    handle = (_request, response) => { response.writeHead(307, { location: "http://elsewhere.invalid/" }).end(); };
    expect(await wire()).toMatchObject({ is: "refused" });
  });

  test("207 over the wire, and what was sent", async () => {
    handle = (_request, response, body) => { response.writeHead(207, { "content-type": "application/json" }).end(JSON.stringify({ items: [{ id: 1 }, { status: "ERROR" }], got: JSON.parse(body) as unknown })); };
    const result = await wire({ batch: 2, results: "body.items", refused: 'status = "ERROR"', returns: { key: ["id"] }, request: { ...actionPlan().request, body: { encoding: "json", value: "=inputs" } } }, { inputs: [{ text: "a" }, { text: "b" }] });
    expect(result).toMatchObject({ is: "done", results: [{ key: "1" }, { refused: expect.any(String) as string }] });
  });
});
