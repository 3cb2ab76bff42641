import { describe as group, expect, test } from "vitest";
import { parse } from "../../../../engine/expression/syntax/index.ts";
import { describe, inferTree, inferType, typeOfSamples, typeOfSchema, UNKNOWN, withSamples } from "../../../../engine/expression/types-of/index.ts";
import { madeExpressions } from "../syntax/made-expressions.ts";
import { tryNeverTrue, tryTypes } from "./random-values.ts";
import { SOURCE } from "./source-and-target.ts";

const RECORD = typeOfSchema(SOURCE);
const typeOf = (expression: string): string => describe(inferType(expression, RECORD).type);

group("the type of an expression", () => {
  test.each([
    ["name", "text"],
    ["email", "text (email) or nothing"],
    ["nickname", "text, null or nothing"],
    ["status", '"open" or "won" or "lost"'],
    ["quantity + 1", "a whole number"],
    ["quantity / 2", "a number"],
    ["total & ''", "text"],
    ["'a' & 'b'", '"ab"'],
    ["emails.value", "text (email), a list of texts or nothing"],
    ["emails.value[]", "a list of texts or nothing"],
    ["emails[0].type", '"work" or "home" or nothing'],
    ["lines[0].price", "a number"],
    ["lines.price", "a number or a list of numbers"],
    ["[lines.price]", "a list of numbers"],
    ["(lines.price)[]", "a number or a list of numbers"],
    ["lines.{ 'a': price }", "an object with a or a list of objects"],
    ["{ 'a': { 'b': id } }.a.b", "a whole number"],
    ["[1..id]", "a list of numbers"],
    ["active ? 1 : 'x'", '"x" or 1'],
    ["active ? 1", "1 or nothing"],
    ["true ? 1 : 'x'", "1"],
    ["email ?? 0", "text (email) or 0"],
    ["nickname ?: 0", "text or 0"],
    ["nickname = null ? 1 : nickname", "text, 1 or nothing"],
    ["$exists(email) ? email", "text (email) or nothing"],
    ["nickname in ['a', 'b'] ? nickname : 'c'", '"a" or "b" or "c"'],
    ["$sum(lines.price)", "a number"],
    ["$count(emails)", "a whole number"],
    ["$map(lines, function($line){ $line.price * 2 })", "a number or a list of numbers"],
    ["$filter(emails, function($e){ $e.type = 'work' }).value", "text (email), a list of texts or nothing"],
    ["($f := function($x){ $x & '!' }; $f(name))", "text"],
    ["name ~> $uppercase", "text"],
    ["name ~> $substring(0, 3) ~> $length()", "a whole number"],
    ["$lookup({ 'open': 1, 'won': 2, 'lost': 3 }, status)", "1 or 2 or 3"],
    ["status = 'open' ? 'o' : status = 'won' ? 'w' : status", '"o" or "w" or "lost"'],
    ["$number(name)", "a number"],
    ["$split(name, ',')", "a list of texts"],
    ["$substring(created_at, 0, 10)", "text (date)"],
    ["$now()", "text (date-time)"],
    ["$uuid()", "text"],
    ["$parse_datetime(name, 'yyyy', 'utc')", "text (date-time)"],
    ["$config.x", "anything"],
    ["custom.x", "anything"],
    ["missing_field", "nothing"],
    ["function($x){ $x }", "a function"],
    ["/a/", "a function"],
    ["$error('x')", "nothing that can be reached"],
    ["$type(nickname) = 'string' ? nickname : 'x'", 'text'],
  ])("%s is %s", (expression, type) => expect(typeOf(expression)).toBe(type));

  test("variables that come from outside have the types they are given", () => {
    expect(describe(inferType("$config.region & $x", RECORD, { variables: { config: typeOfSamples([{ region: "eu" }]) } }).type)).toBe("text");
    expect(describe(inferType("$rate * 2", RECORD, { variables: { rate: typeOfSchema({ type: "integer" }) } }).type)).toBe("a whole number");
  });

  test("every part has a type, for editors that show it", () => {
    const { tree } = parse("emails[type = 'work'].value");
    const { typeOf: typeOfNode } = inferTree(tree.root, RECORD);
    if (tree.root.kind !== "map" || tree.root.left.kind !== "filter") throw new Error("not the tree that was meant");
    expect(describe(typeOfNode(tree.root.left.predicate)!)).toBe("true or false");
    expect(describe(typeOfNode(tree.root.right)!)).toBe("text (email)");
  });

  test("an expression that does not parse has a type as far as it can be read, and no lints", () => {
    const inferred = inferType("{ 'a': nam, 'b': }", RECORD);
    expect(inferred.lints).toEqual([]);
    expect(describe(inferred.type)).toContain("an object");
  });

  test("a function that calls itself forever is inferred in finite time", () => {
    expect(typeOf("($f := function($n){ $n = 0 ? 'done' : $f($n - 1) }; $f(5))")).toBe("anything");
  });

  test("made expressions of every kind are inferred without failing", () => {
    const made = madeExpressions(7);
    for (let count = 0; count < 3_000; count++) inferTree(parse(made.next().value).tree.root, RECORD);
  });

  test("every value the reference gives is one that the type admits (short run of npm run fuzz:types)", { timeout: 120_000 }, async () => {
    const { checked, known, failures } = await tryTypes(4_000, 20261121, SOURCE);
    expect(failures).toEqual([]);
    expect(checked).toBeGreaterThanOrEqual(4_000);
    expect(known / checked).toBeGreaterThan(0.8);
  });

  test("a comparison that is said never to hold does not hold for any record", { timeout: 120_000 }, async () => {
    expect(await tryNeverTrue(200, 20261121, SOURCE)).toEqual([]);
  });
});

group("the type of a schema", () => {
  test.each<[string, Parameters<typeof typeOfSchema>[0], string]>([
    ["true admits anything", true, "anything"],
    ["false admits nothing", false, "nothing that can be reached"],
    ["enum and const", { enum: ["a", 1, null] }, '"a", 1 or null'],
    ["a list of types", { type: ["string", "null"] }, "text or null"],
    ["OpenAPI's nullable", { type: "string", nullable: true }, "text or null"],
    ["anyOf", { anyOf: [{ type: "string" }, { type: "integer" }] }, "text or a whole number"],
    ["oneOf beside a type", { type: "object", oneOf: [{ properties: { a: { type: "string" } } }] }, "an object with a"],
    ["allOf adds members up", { allOf: [{ type: "object", properties: { a: {} } }, { type: "object", properties: { b: {} } }] }, "an object with a, b"],
    ["a reference inside the schema", { $defs: { x: { type: "boolean" } }, $ref: "#/$defs/x" }, "true or false"],
    ["a reference to another file", { $ref: "other.json#/x" }, "anything"],
    ["properties make an object", { properties: { a: {} } }, "an object with a"],
    ["a keyword nobody knows", { contentEncoding: "base64" }, "anything"],
  ])("%s", (_, schema, type) => expect(describe(typeOfSchema(schema))).toBe(type));

  test("a schema that refers to itself ends", () => {
    const schema = { $defs: { person: { type: "object", properties: { manager: { $ref: "#/$defs/person" }, name: { type: "string" } } } }, $ref: "#/$defs/person" };
    expect(describe(inferType("manager.manager.name", typeOfSchema(schema)).type)).toBe("text or nothing");
    expect(inferType("manager.manager.manager.manager.manager.manager.manager.anything", typeOfSchema(schema)).lints).toEqual([]);
  });

  test("what allOf requires in a part of its own is required", () => {
    const type = typeOfSchema({ allOf: [{ type: "object", properties: { a: { type: "string" } } }, { required: ["a"] }] });
    expect(describe(inferType("a", type).type)).toBe("text");
  });

  test("an object says which members it has unless it says that there are others", () => {
    const lintsOf = (schema: Parameters<typeof typeOfSchema>[0]) => inferType("b", typeOfSchema(schema)).lints.map(({ code }) => code);
    expect(lintsOf({ type: "object", properties: { a: {} } })).toEqual(["LINT_UNKNOWN_FIELD"]);
    expect(lintsOf({ type: "object", properties: { a: {} }, additionalProperties: true })).toEqual([]);
    expect(lintsOf({ type: "object", properties: { a: {} }, patternProperties: { "^b": {} } })).toEqual([]);
    expect(lintsOf({ type: "object" })).toEqual([]);
  });
});

group("the type of samples", () => {
  const of = (...samples: unknown[]) => describe(inferType("x", typeOfSamples(samples.map((x) => ({ x })))).type);

  test.each<[unknown[], string]>([
    [["2026-03-01"], "text (date)"],
    [["2026-03-01T10:00:00Z", "2026-03-01T10:00:00+02:00"], "text (date-time)"],
    [["2026-03-01T10:00:00"], "text (local-date-time)"],
    [["a@b.example"], "text (email)"],
    [["2026-03-01", "soon"], "text"],
    [["2026-03-01", ""], "text"],
    [["a", null], "text or null"],
    [[1, 2.5], "a number"],
    [[[1], []], "a list of numbers"],
    [[[]], "a list"],
    [[true, false], "true or false"],
    [[{ y: 1 }], "an object with y"],
  ])("%j is %s", (samples, type) => expect(of(...samples)).toBe(type));

  test("what one sample lacks may be absent, and what none has may still come", () => {
    const type = typeOfSamples([{ a: 1 }, { b: 2 }]);
    expect(describe(inferType("a", type).type)).toBe("a number or nothing");
    expect(inferType("c.d", type)).toMatchObject({ type: UNKNOWN, lints: [] });
  });

  test("digits that a number would lose are remembered", () => {
    expect(inferType("$number(x)", typeOfSamples([{ x: "0123" }])).lints).toMatchObject([{ code: "LINT_LOSSY_NUMBER" }]);
    expect(inferType("$number(x)", typeOfSamples([{ x: "123" }, { x: "12.5" }])).lints).toEqual([]);
  });

  test("samples widen a schema, and do not make it forget", () => {
    const type = withSamples(typeOfSchema({ type: "object", required: ["a", "n"], properties: { a: { type: "string" }, n: { enum: ["x", "y"] }, list: { type: "array", items: { type: "object", properties: { b: { type: "integer" } } } } } }), [{ a: null, n: "x", list: [{ b: null, extra: 1 }] }]);
    expect(describe(inferType("a", type).type)).toBe("text or null");
    expect(describe(inferType("n", type).type)).toBe('"x" or "y"');
    expect(describe(inferType("list.extra", type).type)).toBe("a number, a list of numbers or nothing");
    expect(inferType("typo", type).lints).toMatchObject([{ code: "LINT_UNKNOWN_FIELD" }]);
  });
});
