import { expect, test } from "vitest";
import { checkExpression, compileExpression, compileFields, ExpressionError, pathsOf } from "../../../engine/expression/index.ts";

const problemOf = async (run: () => unknown) => {
  try {
    await run();
  } catch (thrown) {
    if (thrown instanceof ExpressionError) return thrown.problem;
    throw thrown;
  }
  throw new Error("nothing was thrown");
};
const evaluate = (text: string, input: unknown = {}, bindings = {}) => compileExpression(text).evaluate(input, bindings);

test("nothing needs a promise, but the reference as evaluator", () => {
  for (const text of ['"GB"', "a.b", "$config.x.y", "$uppercase('a')", "$map([1], function($x){ $x })"]) expect(evaluate(text)).not.toBeInstanceOf(Promise);
  expect(compileExpression("1 + 1", { evaluator: "reference" }).evaluate({})).toBeInstanceOf(Promise);
});

test("results are plain JSON: no flags on lists, ordinary prototypes, members named __proto__ are members", async () => {
  const result = await evaluate("items.{ 'a': $ }", { items: [1, 2] }) as object[];
  expect(Object.keys(result)).toEqual(["0", "1"]);
  expect(result.push).toBe(Array.prototype.push);
  expect(result).toStrictEqual([{ a: 1 }, { a: 2 }]);
  const odd = await evaluate("{ '__proto__': { 'polluted': true } }") as Record<string, unknown>;
  expect(odd.polluted).toBeUndefined();
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(JSON.stringify(odd)).toBe('{"__proto__":{"polluted":true}}');
});

test("now is given and never the clock", async () => {
  expect(await evaluate("[$millis(), $now(), $next_day()]", {}, { now: 86_399_999 })).toEqual([86_399_999, "1970-01-01T23:59:59.999Z", "1970-01-02T00:00:00.000Z"]);
  expect(await evaluate("$now('[Y]', '+0200')", {}, { now: 0 })).toBe("1970");
});

test("bindings are variables, also beside functions of the same evaluation", async () => {
  expect(await evaluate("$config.list[0] & $account.id", {}, { config: { list: ["a"] }, account: { id: "1" } })).toBe("a1");
  expect(compileExpression("$config.a & $sum($x) & ($y := 1; $y)").variables).toEqual(["config", "x"]);
});

test.each([
  ["endless recursion", "($f := function($x){ 1 + $f($x) }; $f(1))", "depth"],
  ["an endless tail call", "($f := function($x){ $f($x) }; $f(1))", "time"],
  ["a huge range", "[1..9999999]", "sequence"],
  ["text that doubles", "($d := function($s, $n){ $n = 0 ? $s : $d($s & $s, $n - 1) }; $d('xxxxxxxxxxxxxxxx', 60))", "output"],
  ["lists of lists that double", "($d := function($s, $n){ $n = 0 ? $s : $d([[$s], [$s]], $n - 1) }; $d([1], 40))", expect.stringMatching(/^(output|time)$/) as string],
])("%s ends with a coded limit", async (_what, text, limit) => {
  expect(await problemOf(() => compileExpression(text, { limits: { milliseconds: 200 } }).evaluate({}))).toMatchObject({ code: "LIMIT", limit });
});

test("sixty ordinary fields and five hundred groups are far from any limit", async () => {
  const fields = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, { expression: `$uppercase(a.b.c[x = 1].d & "${i}")` }]));
  const { value, problems } = await compileFields(fields).evaluate({ a: { b: { c: [{ x: 1, d: "q" }] } } });
  expect(problems).toEqual([]);
  expect(value.f59).toBe("Q59");
  const items = Array.from({ length: 500 }, (_, i) => ({ id: `k${i}` }));
  expect(Object.keys(await evaluate("items{ id: [$uppercase(id), id & 'x'] }", { items }) as object)).toHaveLength(500);
});

test("a catastrophic pattern on forty characters answers at once", async () => {
  const begun = performance.now();
  expect(await evaluate("$contains(t, /^(a+)+$/)", { t: `${"a".repeat(40)}!` })).toBe(false);
  expect(performance.now() - begun).toBeLessThan(500);
});

test("patterns find, group, replace and split as the native engine does", async () => {
  expect(await evaluate("$match('abcABC', /b(c)/i)")).toEqual([{ match: "bc", index: 1, groups: ["c"] }, { match: "BC", index: 4, groups: ["C"] }]);
  expect(await evaluate("$replace('a1b22', /([0-9])([0-9])?/, '<$1>')")).toBe("a<1>b<2>");
  expect(await evaluate("$split('a, b ;c', /\\s*[,;]\\s*/)")).toEqual(["a", "b", "c"]);
  expect(await evaluate("'x\ny' ~> /^y$/m", {})).toEqual({ match: "y", start: 2, end: 3, groups: [] });
});

test.each([
  ["a.", "S0207", 1, 1],
  ["a.b)", "S0201", 3, 1],
  ["$f(x, ]", "S0211", 6, 1],
  ["x & $eval('1')", "EVAL", 4, 5],
  ["x & $upercase(y)", "T1006", 4, 9],
  ["$match(a, /(?=x)/)", "REGEX", 10, 7],
  ["$match(a, /(b)\\1/)", "REGEX", 10, 7],
])("checking %s says %s at its place", (text, code, position, length) => {
  expect(checkExpression(text)).toMatchObject([{ code, position, length }]);
});

test("every problem of an expression is told with its range, and none that only follows from another", () => {
  expect(checkExpression("(a == 1; b && c; 'open")).toMatchObject([{ code: "S0211", position: 4, length: 1 }, { code: "S0211", position: 12, length: 1 }, { code: "S0101", position: 17 }]);
  expect(checkExpression("{{config.country}}")).toMatchObject([{ code: "S0202", position: 16, length: 1 }]);
  expect(checkExpression("( a.b\n")).toMatchObject([{ code: "S0203", position: 4, length: 1 }]);
});

test("an expression too long, or nested too deep, is a problem and no crash", () => {
  expect(checkExpression("a.".repeat(15_000))).toMatchObject([{ code: "LIMIT" }]);
  expect(checkExpression(`${"(".repeat(9_000)}1`)).toHaveLength(1);
  expect(checkExpression("-".repeat(19_000))).toHaveLength(1);
});

test("checking finds nothing in correct expressions, local functions and library functions included", () => {
  for (const text of ["($f := function($x){ $x }; $f(1))", "$next_day()", "a ~> $uppercase", "$map(a, $string)", "$f := $sum"]) expect(checkExpression(text), text).toEqual([]);
});

test("$eval runs only where it was allowed", async () => {
  expect((await problemOf(() => compileExpression("$eval('1+1')"))).code).toBe("EVAL");
  expect(await compileExpression("$eval('1+1')", { evalAllowed: true }).evaluate({})).toBe(2);
});

test.each<[string, string[][]]>([
  ["a.b ? c.d : $string(e)", [["a", "b"], ["c", "d"], ["e"]]],
  ["items[x = 1].name & $.z & $$.root", [["items", "name"], ["items", "x"], ["root"], ["z"]]],
  ["items.{ 'n': name, 'r': $$.root }", [["items", "name"], ["root"]]],
  ["($x := properties; $y := $x.address; $x.name & $y.city)", [["properties", "address", "city"], ["properties", "name"]]],
  ["$map(items, function($i){ $i.q & $$.r })", [["items"], ["r"]]],
  ["($f := function($p){ $p.name }; $f(properties))", [["properties", "name"]]],
  ["$config.x & $lookup($, 'k')", [["k"]]],
  ["items^(>date)[0].v", [["items", "date"], ["items", "v"]]],
  ["a.*.c", [["a"]]],
  ["name.$uppercase()", [["name"]]],
  ["$substring(name, 0, 2)", [["name"]]],
  ["$lookup($, $with.key)", [[]]],
  ["orders@$o.lines.{ 'id': $o.id, 'l': name, 'up': %.total }", [["lines", "name"], ["orders"], ["orders", "id"], ["total"]]],
  ["payload ~> |items|{ 'x': y }|", [["payload"], ["payload", "items"], ["payload", "y"]]],
  ["[a, b.c].d", [["a", "d"], ["b", "c", "d"]]],
  ["-a + b", [["a"], ["b"]]],
  ["'constant' & 1", []],
])("%s reads %j", (text, paths) => {
  const sorted = (list: readonly (readonly string[])[]) => list.map((path) => JSON.stringify(path)).toSorted();
  expect(sorted(pathsOf(text))).toEqual(sorted(paths));
});

test("fields nest by their dots, leave out what is absent, keep null, and give references as text", async () => {
  const fields = compileFields({
    "name": { expression: "p.name" },
    "custom.division": { expression: "p.div ? $uppercase(p.div)" },
    "custom.site": { expression: "p.site" },
    "gone": { expression: "p.nothing" },
    "none": { expression: "p.none" },
    "country": { expression: '"GB"' },
    "seats": { constant: 3 },
    "employer": { ref: "employer", key: "p.employer" },
  });
  const { value, problems } = await fields.evaluate({ p: { name: "A", div: "d", site: "s", none: null, employer: 12 } });
  expect(problems).toEqual([]);
  expect(value).toStrictEqual({ name: "A", custom: { division: "D", site: "s" }, none: null, country: "GB", seats: 3, employer: "12" });
  expect(Object.keys(value)).toEqual(["name", "custom", "none", "country", "seats", "employer"]);
  expect(fields.reads).toEqual([["p", "div"], ["p", "employer"], ["p", "name"], ["p", "none"], ["p", "nothing"], ["p", "site"]]);
});

test("a field that fails is named with the place in its own text, and the others keep their values", async () => {
  const fields = compileFields({ a: { expression: "$uppercase(x)" }, b: { expression: "  $uppercase(y)" }, c: { expression: "x" }, d: { ref: "job", key: "list" } });
  const { value, problems } = await fields.evaluate({ x: "ok", y: 1, list: [1, 2] });
  expect(value).toEqual({ a: "OK", c: "ok" });
  expect(problems).toMatchObject([{ field: "b", code: "T0410", position: 12 }, { field: "d", code: "KEY" }]);
});

test("expressions cannot see each other's variables, end each other, or hide one another in a comment", async () => {
  const { value, problems } = await compileFields({ a: { expression: "($x := 1; $x)" }, b: { expression: "$exists($x) /* end */" }, c: { expression: "$x ? 1 : 2" } }).evaluate({});
  expect(problems).toEqual([]);
  expect(value).toEqual({ a: 1, b: false, c: 2 });
  expect(() => compileFields({ a: { expression: "1)}" } })).toThrow(ExpressionError);
});

test("a list as a record means the same alone and among other fields", async () => {
  const input = [{ a: "x" }, { a: "y" }];
  const { value } = await compileFields({ a: { expression: "$count($)" }, b: { expression: "$join(a, '')" } }).evaluate(input);
  expect(value).toEqual({ a: await evaluate("$count($)", input), b: await evaluate("$join(a, '')", input) });
});
