import { describe, expect, test } from "vitest";
import type { Json } from "../../../engine/manifest/types.ts";
import { joinKey, keyPart } from "../../../engine/run/record-key.ts";
import { bench } from "../../support/run.ts";
import { liveKeys, rowOf } from "../../support/memory-store.ts";
import { planOf, type PlanParts } from "../../support/plan.ts";
import { providerDouble } from "../../support/provider-double.ts";

const OPEN: PlanParts = { flow: { quarantine: { share: 1, count: 1000 } } };
async function read(items: Json[] | string, parts: PlanParts = {}, rawText = false) {
  const place = bench();
  const provider = providerDouble(() => (rawText ? { text: items as string } : { json: { items } }));
  const result = await place.run(planOf({ ...OPEN, ...parts }), provider);
  return { place, result, codes: place.rows.quarantine.map(({ code }) => code) };
}

describe("keys", () => {
  test("1 and \"1\" are the same key", async () => {
    const { result, place } = await read([{ id: 1 }, { id: "1" }]);
    expect(liveKeys(place.rows)).toEqual(["1"]);
    expect(result.counters).toMatchObject({ read: 2, created: 1 });
  });

  test("a record without a key is quarantined, with what came instead", async () => {
    const { codes, place, result } = await read([{ name: "none" }, { id: null }, { id: "" }, { id: true }, { id: { a: 1 } }, { id: "x".repeat(2_000) }, "text", 5, null, { id: 7 }]);
    expect(codes).toEqual(Array(9).fill("MAPPING_NO_KEY"));
    expect(place.rows.quarantine[3]!.reason).toContain("true");
    expect(result).toMatchObject({ status: "succeeded_with_quarantine", counters: { read: 10, created: 1, quarantined: 9 } });
  });

  test("a composite key needs every part, and no two lists give the same text", async () => {
    const { codes, place } = await read([{ a: "x/y", b: "z" }, { a: "x", b: "y/z" }, { a: "x" }], { stream: { key: ["a", "b"] } });
    expect(codes).toEqual(["MAPPING_NO_KEY"]);
    expect(place.rows.rows.size).toBe(2);
    expect(joinKey(["x\\", "y"])).not.toBe(joinKey(["x", "\\y"]));
    expect(keyPart(Number.NaN)).toBeUndefined();
  });

  test("large numbers keep every digit", async () => {
    const { place } = await read('{"items":[{"id":9007199254740993,"small":12},{"id":-9223372036854775808}]}', {}, true);
    expect(liveKeys(place.rows).sort()).toEqual(["-9223372036854775808", "9007199254740993"]);
    expect(rowOf(place.rows, "9007199254740993")!.data["small"]).toBe(12);
  });
});

describe("one bad record costs that record", () => {
  const schema = { type: "object", required: ["name"], properties: { name: { type: "string", minLength: 1 }, email: { type: "string", format: "email" }, custom: { type: "object" } } };
  const map = { id: "crm/person", fields: { name: { expression: "name" }, email: { expression: "email ? $lowercase(email)" }, "custom.size": { expression: "size" } } };

  test("an expression that fails, a value the entity refuses, a missing field", async () => {
    const { codes, place, result } = await read([{ id: 1, name: "Ada", email: "ADA@x.org", size: 3 }, { id: 2, name: "Bo", email: 5 }, { id: 3, name: "Cy", email: "no" }, { id: 4 }], { schema, map });
    expect(codes).toEqual(["MAPPING_EVALUATION", "MAPPING_INVALID", "MAPPING_INVALID"]);
    expect(place.rows.quarantine.map(({ key }) => key)).toEqual(["2", "3", "4"]);
    expect(place.rows.quarantine[0]!.params).toMatchObject({ field: "email" });
    expect(place.rows.quarantine[1]!.reason).toContain("'email'");
    expect(place.rows.quarantine[2]!.reason).toContain("'name' is missing");
    expect(rowOf(place.rows, "1")!.data).toEqual({ name: "Ada", email: "ada@x.org", custom: { size: 3 } });
    expect(result.counters).toMatchObject({ read: 4, created: 1, quarantined: 3 });
  });

  test("a field the entity does not know is refused by name; custom fields are free", async () => {
    const { place } = await read([{ id: 1, name: "Ada" }], { schema, map: { fields: { ...map.fields, nick: { constant: true } } } });
    expect(place.rows.quarantine[0]!.reason).toContain("'nick'");
  });

  test("text that PostgreSQL cannot hold, and nesting that nobody means", async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(150)}1${"}".repeat(150)}`) as Json;
    const { codes, place } = await read([{ id: 1, name: "a\u0000b" }, { id: 2, name: "\ud800" }, { id: 3, name: "😀" }, { id: 4, deep }, { id: 5, "k\u0000": 1 }]);
    expect(codes).toEqual(["MAPPING_RECORD", "MAPPING_RECORD", "MAPPING_RECORD", "MAPPING_RECORD"]);
    expect(place.rows.quarantine[0]).toMatchObject({ key: "1", reason: expect.stringContaining("NUL") });
    expect(liveKeys(place.rows)).toEqual(["3"]);
  });

  test("an endless expression costs its record, not the run", async () => {
    const { codes } = await read([{ id: 1 }], { map: { fields: { name: { expression: "($f := function($x){ $f($x + 1) + 1 }; $f(0))" } } } });
    expect(codes).toEqual(["MAPPING_LIMIT"]);
  });

  test("secrets are not readable from a mapping", async () => {
    const { place } = await read([{ id: 1 }], { config: { token: { title: "Token", secret: true, default: "top-secret" }, region: { title: "Region", default: "eu" } }, map: { fields: { a: { expression: "$config.token" }, b: { expression: "$config.region" }, c: { expression: "$string($config)" } } } });
    expect(rowOf(place.rows, "1")!.data).toEqual({ b: "eu", c: '{"region":"eu"}' });
  });
});

test("`types` read what a field's text means, and the raw record stays as it came", async () => {
  let raw: unknown;
  const place = bench();
  await place.run(planOf({
    config: { zone: { title: "Zone", default: "Europe/London" } },
    stream: { types: { minutes: "integer", price: "number", active: "boolean", updated: "ms_date", starts_at: "datetime(dd/MM/yyyy HH:mm, {{config.zone}})", "deep.list.n": "integer", odd: "integer" }, cursor: { type: "datetime", field: "updated" } },
  }), providerDouble(() => ({ json: { items: [{ id: 1, minutes: "90", price: "1.5", active: "Yes", updated: "/Date(1573755038314)/", starts_at: "01/07/2026 10:30", deep: { list: [{ n: "1" }, { n: "x" }] }, odd: "many" }] } })), {}, { onPage: (page) => { raw = page.records[0]!.raw; } });
  expect(rowOf(place.rows, "1")).toMatchObject({
    version: "1573755038.314",
    data: { minutes: 90, price: 1.5, active: true, updated: "2019-11-14T18:10:38.314Z", starts_at: "2026-07-01T09:30:00Z", deep: { list: [{ n: 1 }, { n: "x" }] }, odd: "many" },
  });
  expect(raw).toMatchObject({ minutes: "90", starts_at: "01/07/2026 10:30" });
});

test("versions are numbers or instants; anything else cannot order records", async () => {
  const { place, codes } = await read([{ id: 1, v: 12 }, { id: 2, v: "12345678901234567890.5" }, { id: 3, v: "2026-03-01T09:00:00.1234567Z" }, { id: 4, v: "draft" }, { id: 5 }], { stream: { version: "v" } });
  expect(["1", "2", "3", "5"].map((key) => rowOf(place.rows, key)!.version)).toEqual(["12", "12345678901234567890.5", "1772355600.1234567", undefined]);
  expect(codes).toEqual(["MAPPING_RECORD"]);
});

test("a reference holds the origin's key as text", async () => {
  const { place } = await read([{ id: 1, job_id: 7 }], { map: { fields: { job: { ref: "job", key: "job_id" } } } });
  expect(rowOf(place.rows, "1")!.data).toEqual({ job: "7" });
});
