import { describe, expect, test } from "vitest";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import type { ErrorRulePlan } from "../../../engine/plan/types.ts";
import { bench } from "../../support/run.ts";
import { liveKeys } from "../../support/memory-store.ts";
import { planOf, type PlanParts } from "../../support/plan.ts";
import { providerDouble, type GivenAnswer } from "../../support/provider-double.ts";

const PAGES: PlanParts = { request: { query: { page: "=page.number" } }, pagination: { type: "page", until: "page.number = 3" } };
const page = (number: number): GivenAnswer => ({ json: { items: [{ id: number }] } });
/** A provider of three pages that gives other answers first. */
const failing = (...answers: (GivenAnswer | PlugboardError)[]) => providerDouble(({ query }) => {
  const next = answers.shift();
  if (next instanceof PlugboardError) throw next;
  return next ?? page(Number(query["page"]));
});
const network = () => new PlugboardError("RUN_NETWORK", { request: "GET /v1/people", detail: "reset" });
const rules = (rule: ErrorRulePlan): PlanParts => ({ ...PAGES, errors: { rule } });

describe("failures that pass are tried again, and nothing is lost", () => {
  test.each([
    ["a reset connection", network()],
    ["a time-out", new PlugboardError("RUN_TIMEOUT", { request: "", limit: "total", seconds: 120 })],
    ["408", { status: 408 }], ["425", { status: 425 }], ["500", { status: 500 }], ["502 with a page", { status: 502, text: "<html>bad gateway</html>" }], ["503", { status: 503 }], ["504", { status: 504 }],
    ["429 without Retry-After", { status: 429 }],
    ["truncated JSON", { text: '{"items":[{"id":1}' }],
    ["invalid UTF-8", { bytes: new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]) }],
  ])("%s", async (_name, failure) => {
    const place = bench();
    const result = await place.run(planOf(PAGES), failing(failure));
    expect(result).toMatchObject({ status: "succeeded", counters: { read: 3, requests: 4, retries: 1 } });
    expect(liveKeys(place.rows)).toEqual(["1", "2", "3"]);
  });

  test("at most eight tries, with growing waits; then the run fails and says where it goes on", async () => {
    const place = bench();
    const provider = providerDouble(({ query }) => (query["page"] === "1" ? page(1) : { status: 503, text: "down" }));
    const result = await place.run(planOf(PAGES), provider);
    expect(result).toMatchObject({ status: "failed", error: { code: "RUN_HTTP_STATUS", next: expect.stringContaining("page.number=2") }, counters: { read: 1, requests: 9, retries: 7 }, checkpoint: { pass: { page: { number: 2 } } } });
    expect(result.error!.message).toContain("down");
    const waited = place.clock.slept.reduce((sum, one) => sum + one, 0);
    expect(waited).toBeLessThanOrEqual((1 + 2 + 4 + 8 + 16 + 32 + 60) * 1000);
    expect(place.log.filter(({ event }) => event === "retry").map(({ message }) => message).at(-1)).toContain("(try 7 of 8)");
    expect(place.progress.some(({ waiting }) => waiting !== undefined)).toBe(true);
    expect(place.progress.at(-1)!.waiting).toBeUndefined();
  });

  test("Retry-After is kept, in seconds or as a date, and shared with every worker of the account", async () => {
    for (const value of ["30", new Date(Date.parse("2026-03-01T09:00:30Z")).toUTCString()]) {
      const place = bench();
      await place.run(planOf(PAGES), failing({ status: 429, headers: { "retry-after": value } }));
      expect(place.clock.slept.reduce((sum, one) => sum + one, 0)).toBe(30_000);
    }
    const place = bench();
    let blocked = 0;
    const watching = { ...place.buckets, block: async (name: string, until: number) => { blocked = until; await place.buckets.block(name, until); } };
    const begun = place.clock.now();
    const { runFlow } = await import("../../../engine/run/run-flow.ts");
    const { createMemoryStore } = await import("../../../engine/run/memory-store.ts");
    await runFlow({ run: "r", attempt: 1, plan: planOf(PAGES), flow: "people", connection: { config: {} }, signal: new AbortController().signal },
      { store: createMemoryStore(), transport: failing({ status: 429, headers: { "retry-after": "7" } }), buckets: watching, clock: place.clock, token: place.tokens, log: () => {}, progress: () => {} });
    expect(blocked).toBe(begun + 7_000);
  });

  test.each([["-5"], ["soon"], ["Sun, 01 Mar 2020 09:00:00 GMT"]])("Retry-After %s counts as none", async (value) => {
    const place = bench();
    expect(await place.run(planOf(PAGES), failing({ status: 429, headers: { "retry-after": value } }))).toMatchObject({ status: "succeeded" });
    expect(place.clock.slept.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(1_000);
  });

  test("a wait beyond a minute frees the worker: the run is put aside with its checkpoint, and goes on there", async () => {
    const place = bench();
    const provider = providerDouble(({ query }, count) => (count === 2 ? { status: 429, headers: { "retry-after": "3600" } } : page(Number(query["page"]))));
    const waiting = await place.run(planOf(PAGES), provider);
    expect(waiting).toMatchObject({ status: "waiting", resume_at: Date.parse("2026-03-01T10:00:00Z"), error: { code: "RUN_WAITING", next: expect.stringContaining("page.number=2") }, checkpoint: { pass: { page: { number: 2 } } } });
    expect(liveKeys(place.rows)).toEqual(["1"]);
    place.clock.advance(3_600_000);
    expect(await place.run(planOf(PAGES), provider, { attempt: 2 })).toMatchObject({ status: "succeeded", counters: { read: 2 } });
    expect(liveKeys(place.rows)).toEqual(["1", "2", "3"]);
  });
});

describe("failures that stay are not tried again", () => {
  test.each([
    ["400", { status: 400, text: "bad filter" }, "RUN_HTTP_STATUS"], ["403", { status: 403 }, "RUN_HTTP_STATUS"], ["404", { status: 404 }, "RUN_HTTP_STATUS"], ["410 on the first page", { status: 410 }, "RUN_HTTP_STATUS"], ["422", { status: 422 }, "RUN_HTTP_STATUS"],
    ["401 without anything fresher", { status: 401, json: { error: "no" } }, "AUTH_REFUSED"],
    ["304 that nobody declared", { status: 304 }, "RUN_HTTP_STATUS"],
    ["a web page with 200", { text: "<!DOCTYPE html><html>Sign in</html>", headers: { "content-type": "text/html" } }, "RUN_NOT_DECODABLE"],
    ["a broken certificate", new PlugboardError("RUN_NETWORK", { request: "", detail: "expired", permanent: true }), "RUN_NETWORK"],
    ["an address that may not be reached", new PlugboardError("RUN_EGRESS", { host: "x", detail: "private" }), "RUN_EGRESS"],
    ["a body that is too large", new PlugboardError("RUN_BODY_TOO_LARGE", { request: "", limit: 1 }), "RUN_BODY_TOO_LARGE"],
  ])("%s", async (_name, failure, code) => {
    const result = await bench().run(planOf(PAGES), failing(failure));
    expect(result).toMatchObject({ status: "failed", error: { code, next: expect.any(String) }, counters: { requests: 1, retries: 0 } });
  });

  test("the first 300 characters of the answer are shown", async () => {
    const result = await bench().run(planOf(PAGES), failing({ status: 400, text: `bad ${"x".repeat(1000)}` }));
    expect(result.error!.message).toContain("bad xxx");
    expect(result.error!.message.length).toBeLessThan(500);
  });
});

describe("what is no list of records is an error, never an empty page", () => {
  test.each([
    ["204", { status: 204 }], ["an empty body", { text: "" }], ["null", { text: "null" }], ["an object without the path", { json: { data: [] } }], ["an empty object", { json: {} }], ["a text", { json: { items: "none" } }], ["null at the path", { json: { items: null } }],
  ])("%s", async (_name, answer) => {
    const place = bench();
    expect(await place.run(planOf(PAGES), failing(answer))).toMatchObject({ status: "failed", error: { code: "RUN_SHAPE" } });
    expect(place.rows.checkpoint).toBeUndefined();
  });

  test("the message names the keys that are there", async () => {
    const result = await bench().run(planOf(PAGES), failing({ json: { data: [], meta: {} } }));
    expect(result.error!.hint).toContain("data, meta");
  });

  test("a declared empty answer is a page without records", async () => {
    const place = bench();
    const plan = planOf({ ...PAGES, pagination: { type: "page" }, request: { ...PAGES.request, empty: "status = 204" } });
    expect(await place.run(plan, providerDouble(({ query }) => (query["page"] === "3" ? { status: 204 } : page(Number(query["page"])))))).toMatchObject({ status: "succeeded", counters: { read: 2 }, sweep: { swept: 0 }, checkpoint: { swept: { number: 1 } } });
  });

  test("an empty list is an empty page, one object is a list of one", async () => {
    expect(await bench().run(planOf({ records: "$" }), failing({ text: "[]" }))).toMatchObject({ status: "succeeded", counters: { read: 0 } });
    expect(await bench().run(planOf({}), failing({ json: { items: { id: 1 } } }))).toMatchObject({ status: "succeeded", counters: { read: 1 } });
  });

  test("a computed path may find nothing, but that proves no deletion", async () => {
    const place = bench();
    const plan = planOf({ records: "$lookup(result, 'Person')" });
    await place.run(plan, providerDouble(() => ({ json: { result: { Person: [{ id: 1 }] } } })));
    const result = await place.run(plan, providerDouble(() => ({ json: { result: {} } })));
    expect(result).toMatchObject({ status: "succeeded", counters: { read: 0, swept: 0 } });
    expect(liveKeys(place.rows)).toEqual(["1"]);
  });
});

test.each([["until", { pagination: { type: "page", until: "$uppercase(body.count)" } }], ["next", { pagination: { type: "token", next: "$uppercase(body.count)" } }], ["start", { stream: { cursor: { type: "datetime", start: "$uppercase(5)" } } }]])("an expression of the paging that fails costs the request, and is named: %s", async (name, parts) => {
  const result = await bench().run(planOf(parts as PlanParts), providerDouble(() => ({ json: { items: [{ id: 1 }], count: 5 } })));
  expect(result).toMatchObject({ status: "failed", error: { code: "RUN_REQUEST", message: expect.stringContaining(`.${name}`) } });
});

test("a cursor expression that fails costs the record", async () => {
  const place = bench();
  await place.run(planOf({ stream: { cursor: { type: "datetime", field: "$uppercase(at)" } } }), providerDouble(() => ({ json: { items: [{ id: 1, at: 5 }, { id: 2 }] } })));
  expect(place.rows.quarantine).toMatchObject([{ key: "1", code: "MAPPING_EVALUATION", params: { field: "cursor" } }]);
});

describe("error rules come before the built-in ones", () => {
  test("retry: an answer that is no failure by its status", async () => {
    const plan = planOf(rules({ when: 'status = 400 and $contains(body.error.message, "Try again")', do: "retry" }));
    expect(await bench().run(plan, failing({ status: 400, json: { error: { message: "Try again" } } }))).toMatchObject({ status: "succeeded", counters: { retries: 1 } });
  });

  test("fail: a 200 that is an error, in the manifest's words", async () => {
    const plan = planOf(rules({ when: "body.error", do: "fail", say: "The report does not exist: {{body.error}}" }));
    expect(await bench().run(plan, failing({ json: { error: "gone" } }))).toMatchObject({ status: "failed", error: { code: "RUN_RULE", message: "The report does not exist: gone" } });
  });

  test("skip_stream: the run ends well, the checkpoint stays, and the log says why", async () => {
    const place = bench();
    const result = await place.run(planOf(rules({ when: "status = 403", do: "skip_stream", say: "The key lacks the scope." })), failing({ status: 403 }));
    expect(result).toMatchObject({ status: "succeeded", skipped: "The key lacks the scope.", counters: { read: 0 } });
    expect(place.rows.checkpoint).toBeUndefined();
    expect(place.log).toContainEqual(expect.objectContaining({ event: "skipped", message: expect.stringContaining("The key lacks the scope.") }));
  });

  test("ignore: a page without records, and the sweep deletes nothing", async () => {
    const place = bench();
    const plan = planOf({ ...rules({ when: "status = 404", do: "ignore" }) });
    await place.run(plan, failing());
    const result = await place.run(plan, providerDouble(({ query }) => (query["page"] === "2" ? { status: 404 } : page(Number(query["page"])))));
    expect(result).toMatchObject({ status: "succeeded", counters: { swept: 0 }, checkpoint: { swept: { number: 1 }, swept_in_part: { number: 2 } } });
    expect(liveKeys(place.rows)).toEqual(["1", "2", "3"]);
  });

  test("wait: until the time the rule names", async () => {
    const place = bench();
    const result = await place.run(planOf(rules({ when: 'body.policyName = "DAILY"', do: "wait", until: "$next_day()", say: "The day is used up." })), failing({ status: 429, json: { policyName: "DAILY" } }));
    expect(result).toMatchObject({ status: "waiting", resume_at: Date.parse("2026-03-02T00:00:00Z"), error: { message: expect.stringContaining("The day is used up.") } });
  });

  test("wait: a rule that always holds ends", async () => {
    const provider = providerDouble(() => ({ status: 500 }));
    expect(await bench().run(planOf(rules({ when: "status = 500", do: "wait", until: "'2020-01-01'" })), provider)).toMatchObject({ status: "failed", error: { code: "RUN_WAITING" } });
    expect(provider.requests).toHaveLength(8);
  });

  test("the stream's rule of a name replaces the connector's", async () => {
    const plan = planOf({ ...rules({ when: "status = 403", do: "fail", say: "connector" }), stream: { errors: { rule: { when: "status = 403", do: "fail", say: "stream" } } } });
    expect(await bench().run(plan, failing({ status: 403 }))).toMatchObject({ error: { message: "stream" } });
  });

  test("a rule that cannot be evaluated does not hold, and that is said once", async () => {
    const place = bench();
    expect(await place.run(planOf(rules({ when: '$contains(body.message, "x")', do: "fail" })), providerDouble(({ query }) => ({ json: { items: [{ id: Number(query["page"]) }], message: 5 } })))).toMatchObject({ status: "succeeded" });
    expect(place.log.filter(({ event }) => event === "rule")).toHaveLength(1);
  });
});

describe("stopping", () => {
  test("a cancelled run stores its page, keeps its checkpoint and says who asked", async () => {
    const place = bench();
    let asked = 0;
    const result = await place.run(planOf(PAGES), failing(), {}, { cancelledBy: () => (++asked === 1 ? "ada" : undefined) });
    expect(result).toMatchObject({ status: "cancelled", error: { code: "RUN_CANCELLED", message: expect.stringContaining("ada") }, counters: { read: 1 }, checkpoint: { pass: { page: { number: 2 } } } });
  });

  test("a wait is left at once when the run is cancelled", async () => {
    const place = bench();
    let asked = 0;
    const result = await place.run(planOf(PAGES), failing({ status: 429, headers: { "retry-after": "50" } }), {}, { cancelledBy: () => (++asked === 2 ? "ada" : undefined) });
    expect(result.status).toBe("cancelled");
    expect(place.clock.slept).toEqual([5_000, 5_000]);
  });

  test("a waiting run says that it lives, and stops at once when another took over", async () => {
    const place = bench();
    const result = await place.run(planOf(PAGES), failing({ status: 429, headers: { "retry-after": "50" } }), { probe: (point) => { if (point === "after_response") place.rows.epoch += 1; } });
    expect(result).toMatchObject({ status: "interrupted", error: { code: "RUN_FENCED" } });
    expect(place.clock.slept).toEqual([5_000]);
  });

  test("a stopping worker finishes its page and no more", async () => {
    const place = bench();
    const stop = new AbortController();
    const result = await place.run(planOf(PAGES), failing(), { signal: stop.signal, probe: (point) => { if (point === "mapped") stop.abort(new Error("SIGTERM")); } });
    expect(result).toMatchObject({ status: "interrupted", counters: { read: 1 } });
    expect(result.error).toBeUndefined();
    expect(await place.run(planOf(PAGES), failing(), { attempt: 2 })).toMatchObject({ status: "succeeded", counters: { read: 2 } });
  });
});
