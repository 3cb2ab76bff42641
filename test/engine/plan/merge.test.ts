import fc from "fast-check";
import { expect, test } from "vitest";
import { layered, merge, normalise, prune } from "../../../engine/plan/merge.ts";
import { originsOf } from "../../../engine/plan/origins.ts";
import { CONFIGURATION, CONNECTOR, type Shape } from "../../../engine/plan/shape.ts";
import { plain, sourced, type Sourced } from "../../../engine/plan/sourced.ts";
import type { Json, JsonObject, Layer, Manifest } from "../../../engine/manifest/types.ts";

/** A value as a file would give it; where it stands is its pointer. */
const written = (value: JsonObject, file = "a.yaml", layer: Layer = "preset"): Sourced => {
  const manifest: Manifest = { kind: "preset", id: file, layer: "workspace", file, text: "", value, locate: (pointer) => ({ file: `${file}#${pointer}`, line: 1, col: 1 }), written: () => ({ style: "other" }) };
  return sourced(manifest, layer);
};
const over = (shape: Shape, ...layers: JsonObject[]): Json => plain(prune(layered(layers.map((layer, index) => written(layer, `${index}.yaml`)), shape)!, shape)!);

test("later wins; maps merge by key; lists and scalars are replaced", () => {
  expect(over(CONFIGURATION, { labels: { A: "1", B: "1" }, reports: { r: ["x", "y"] } }, { labels: { B: "2", C: "2" }, reports: { r: ["z"] } }))
    .toEqual({ labels: { A: "1", B: "2", C: "2" }, reports: { r: ["z"] } });
});

test("null removes, whatever it removes, and a later layer may write it again", () => {
  const base = { flows: { a: { from: "x.y" }, b: { from: "x.z" } } };
  expect(over(CONFIGURATION, base, { flows: { a: null } })).toEqual({ flows: { b: { from: { stream: "x.z" } } } });
  expect(over(CONFIGURATION, base, { flows: { a: null } }, { flows: { a: { to: "e" } } })).toMatchObject({ flows: { a: { to: { entity: "e" } } } });
  expect(over(CONFIGURATION, base, { flows: { a: null } }, { flows: { a: { to: "e" } } })).not.toHaveProperty("flows.a.from");
});

test('the text "null" is an expression, not a removal', () => {
  expect(over(CONFIGURATION, { flows: { a: { map: { fields: { x: "y" } } } } }, { flows: { a: { map: { fields: { x: "null" } } } } })).toEqual({ flows: { a: { map: { fields: { x: "null" } } } } });
});

test.each([
  ["every → cron", { every: "1h" }, { cron: "*/15 * * * *" }],
  ["cron → every", { cron: "*/15 * * * *" }, { every: "1h" }],
  ["every → due", { every: "1h" }, { due: "starts_at - 24h" }],
  ["stream → change", { stream: "a.b" }, { change: "application" }],
])("keys of one choice in a flow's from replace each other: %s", (_, lower, upper) => {
  expect(over(CONFIGURATION, { flows: { f: { from: lower } } }, { flows: { f: { from: upper } } })).toEqual({ flows: { f: { from: upper } } });
});

test("a target replaces a target", () => {
  expect(over(CONFIGURATION, { flows: { f: { to: "employer" } } }, { flows: { f: { to: { save: "crm.companies" } } } })).toEqual({ flows: { f: { to: { save: "crm.companies" } } } });
});

test("a method replaces a method, a body a body, whichever way they are written", () => {
  const stream = (written: JsonObject): JsonObject => ({ streams: { s: written } });
  expect(over(CONNECTOR, stream({ get: "/a", key: "id" }), stream({ post: "/b", json: { x: 1 } }), stream({ form: { y: 1 } })))
    .toEqual({ streams: { s: { key: ["id"], list: { post: "/b", form: { y: 1 } } } } });
  expect(over(CONNECTOR, stream({ list: { method: "GET", path: "/a" } }), stream({ post: "/b" }))).toEqual(stream({ list: { post: "/b" } }));
});

test("a request on the stream and one under list are the same place", () => {
  expect(over(CONNECTOR, { streams: { s: { get: "/a", records: "items" } } }, { streams: { s: { list: { records: "data" } } } })).toEqual({ streams: { s: { list: { get: "/a", records: "data" } } } });
});

test("another type of component takes the old one's keys with it, the same type merges", () => {
  const stream = (pagination: JsonObject): JsonObject => ({ streams: { s: { list: { get: "/a", pagination } } } });
  expect(over(CONNECTOR, stream({ type: "page", start: 1, size: 50 }), stream({ type: "offset", size: 10 }))).toEqual(stream({ type: "offset", size: 10 }));
  expect(over(CONNECTOR, stream({ type: "page", start: 1, size: 50 }), stream({ type: "page", size: 10 }))).toEqual(stream({ type: "page", start: 1, size: 10 }));
  expect(over(CONNECTOR, stream({ type: "page", start: 1, size: 50 }), stream({ size: 10 }))).toEqual(stream({ type: "page", start: 1, size: 10 }));
});

test("one authenticator and several by name replace each other", () => {
  const auth = (written: JsonObject): JsonObject => ({ http: { auth: written } });
  const several = { by: "config.method", token: { type: "bearer", token: "t" } };
  expect(over(CONNECTOR, auth({ type: "bearer", token: "t" }), auth(several))).toEqual(auth(several));
  expect(over(CONNECTOR, auth(several), auth({ type: "basic", username: "u" }))).toEqual(auth({ type: "basic", username: "u" }));
  expect(over(CONNECTOR, auth(several), auth({ key: { type: "api_key" } }))).toEqual(auth({ ...several, key: { type: "api_key" } }));
});

test("a `type` inside a body is data: it removes nothing", () => {
  expect(over(CONNECTOR, { streams: { s: { post: "/a", json: { type: "a", keep: 1 } } } }, { streams: { s: { json: { type: "b" } } } })).toMatchObject({ streams: { s: { list: { json: { type: "b", keep: 1 } } } } });
});

test("a null in a body is sent, one that removes a member is not", () => {
  const stream = (json: JsonObject): JsonObject => ({ streams: { s: { list: { post: "/a", json } } } });
  expect(over(CONNECTOR, stream({ parent: null }))).toEqual(stream({ parent: null }));
  expect(over(CONNECTOR, stream({ parent: "x", other: 1 }), stream({ parent: null }))).toEqual(stream({ other: 1 }));
});

test("a later layer's error rules and limits come first", () => {
  const merged = over(CONNECTOR, { http: { errors: { a: { do: "fail" }, b: { do: "retry" } }, limits: { all: {} } } }, { http: { errors: { c: { do: "ignore" }, b: { do: "wait" } }, limits: { mine: {} } } }) as { http: { errors: object; limits: object } };
  expect(Object.keys(merged.http.errors)).toEqual(["c", "b", "a"]);
  expect(Object.keys(merged.http.limits)).toEqual(["mine", "all"]);
  expect(merged.http.errors).toMatchObject({ b: { do: "wait" } });
});

test("shorthands are written out before merging, so a layer can add to what an earlier one wrote short", () => {
  expect(over(CONFIGURATION, { flows: { f: { from: "a.b", map: "a/b", to: "e" } } }, { flows: { f: { from: { every: "1h" }, map: { fields: { x: "y" } } } } }))
    .toEqual({ flows: { f: { from: { stream: "a.b", every: "1h" }, map: { use: "a/b", fields: { x: "y" } }, to: { entity: "e" } } } });
});

test("what a value hides is told nearest first", () => {
  const [a, b, c] = ["1h", "2h", "3h"].map((every, index) => written({ flows: { f: { from: { every } } } }, `${index}.yaml`));
  const origin = originsOf(layered([a, b, c], CONFIGURATION)!)["/flows/f/from/every"];
  expect(origin?.file).toBe("2.yaml#/flows/f/from/every");
  expect(origin?.shadows?.map(({ value }) => value)).toEqual(["2h", "1h"]);
});

test("an option of a replaced component is told as hidden by the option of the same name", () => {
  const stream = (pagination: JsonObject) => written({ streams: { s: { list: { pagination } } } });
  const origins = originsOf(layered([stream({ type: "page", size: 50 }), stream({ type: "offset", size: 10 })], CONNECTOR)!);
  expect(origins["/streams/s/list/pagination/size"]?.shadows).toMatchObject([{ value: 50 }]);
});

// Flows in every spelling: shorthands, choices, removals. Components are left out: whether a `type` replaces depends on what
// lies below, so only layers folded from the bottom have a meaning there.
const flow = fc.record({
  from: fc.oneof(fc.constantFrom("a.b", "c.d", null), fc.record({ stream: fc.constantFrom("a.b", "c.d"), connection: fc.constantFrom("x", null), every: fc.constantFrom("1h", null), cron: fc.constantFrom("0 7 * * 1", null) }, { requiredKeys: [] })),
  map: fc.oneof(fc.constantFrom("m/a", null), fc.record({ use: fc.constant("m/b"), fields: fc.dictionary(fc.constantFrom("p", "q"), fc.constantFrom("x", "y", 1, null)) }, { requiredKeys: [] })),
  to: fc.oneof(fc.constantFrom("e", null), fc.record({ save: fc.constant("a.b") })),
}, { requiredKeys: [] });
const configuration = fc.record({
  flows: fc.dictionary(fc.constantFrom("f", "g"), fc.oneof(flow, fc.constant(null))),
  labels: fc.dictionary(fc.constantFrom("A", "B"), fc.constantFrom("1", "2", null)),
  reports: fc.dictionary(fc.constantFrom("r"), fc.constantFrom(["x"], ["y", "z"], null)),
  connections: fc.dictionary(fc.constantFrom("k"), fc.record({ errors: fc.dictionary(fc.constantFrom("p", "q", "r"), fc.constantFrom({ do: "fail" }, { do: "retry" }, null)) }, { requiredKeys: [] })),
}, { requiredKeys: [] }) as fc.Arbitrary<JsonObject>;

test("merging is associative: how layers are grouped does not change what results, nor its order", () => {
  fc.assert(fc.property(configuration, configuration, configuration, (one, two, three) => {
    const [a, b, c] = [one, two, three].map((value) => normalise(written(value), CONFIGURATION)) as [Sourced, Sourced, Sourced];
    const left = merge(merge(a, b, CONFIGURATION), c, CONFIGURATION)!;
    const right = merge(a, merge(b, c, CONFIGURATION), CONFIGURATION)!;
    const text = (node: Sourced) => JSON.stringify(plain(prune(node, CONFIGURATION)!));
    expect(text(right)).toBe(text(left));
  }), { numRuns: 500 });
});

test("every leaf of the effective tree has an origin, in the layer that wrote it last", () => {
  fc.assert(fc.property(configuration, configuration, (one, two) => {
    const tree = prune(layered([written(one, "1.yaml", "preset"), written(two, "2.yaml", "tenant")], CONFIGURATION)!, CONFIGURATION)!;
    const origins = originsOf(tree);
    for (const pointer of leaves(plain(tree))) expect(origins, pointer).toHaveProperty([pointer]);
    const own = plain(prune(normalise(written(two), CONFIGURATION), CONFIGURATION)!);
    for (const pointer of leaves(own)) if (!isEmptyMap(own, pointer)) expect(origins[pointer]?.layer, pointer).toBe("tenant");
  }), { numRuns: 300 });
});

test("normalising twice changes nothing", () => {
  fc.assert(fc.property(configuration, (value) => {
    const once = normalise(written(value), CONFIGURATION);
    expect(plain(normalise(once, CONFIGURATION))).toEqual(plain(once));
  }), { numRuns: 200 });
});

function leaves(value: Json, pointer = ""): string[] {
  if (value === null || typeof value !== "object") return [pointer];
  const members = Object.entries(value);
  return members.length === 0 ? [pointer] : members.flatMap(([key, member]) => leaves(member as Json, `${pointer}/${key}`));
}

/** `{}` adds nothing to what lies below it, so it need not be the last word. */
function isEmptyMap(value: Json, pointer: string): boolean {
  const found = pointer.split("/").slice(1).reduce<unknown>((here, key) => (here as Record<string, unknown>)[key], value);
  return typeof found === "object" && !Array.isArray(found);
}
