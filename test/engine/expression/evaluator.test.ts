import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileExpression, ExpressionError } from "../../../engine/expression/index.ts";
import { expression, record } from "./random-expressions.ts";

const outcome = async (text: string, input: unknown, evaluator: "own" | "reference") => {
  try {
    return { value: await compileExpression(text, { evaluator, limits: { milliseconds: 5000 } }).evaluate(input, { v: { a: [1, { b: 2 }] }, now: 0 }) };
  } catch (thrown) {
    if (thrown instanceof ExpressionError) return { code: thrown.problem.code };
    throw thrown;
  }
};

test("our evaluator gives what the reference gives: values, absence and codes", { timeout: 120_000 }, async () => {
  const pairs = Number(process.env.PAIRS ?? 2000);
  let values = 0;
  await fc.assert(fc.asyncProperty(expression, record, async (text, input) => {
    const given = structuredClone(input);
    const theirs = await outcome(text, given, "reference");
    // Grouping an empty list puts an item into the reference's input: what it says about it is no measure.
    fc.pre(isDeepStrictEqual(given, input));
    const ours = await outcome(text, input, "own");
    if ("value" in theirs && theirs.value !== undefined) values++;
    // It begins all members of a list or an object at once, so it may meet another failure first.
    // Without a code it is a fault of its own: ours has a code, or a value.
    if ("code" in theirs && theirs.code === "FAILED") expect(ours).not.toEqual(theirs);
    else if ("code" in theirs) expect(ours).toEqual({ code: /[[{]/.test(text) ? expect.any(String) : theirs.code });
    else expect(ours).toEqual(theirs);
  }), { numRuns: pairs, seed: Number(process.env.SEED ?? 20261121) });
  // Enough pairs must say something.
  expect(values).toBeGreaterThan(pairs / 4);
});

test.each([
  ["endless recursion", "($f := function($x){ 1 + $f($x) }; $f(1))", {}, "depth"],
  ["recursion two hundred calls deep", "($f := function($n){ $n = 0 ? 0 : 1 + $f($n - 1) }; $f(201))", {}, "depth"],
  ["an endless tail call", "($f := function($x){ $f($x) }; $f(1))", { milliseconds: 50 }, "time"],
  ["a list against itself", "($a := [1..9000]; $a[$sum($a[$ > 1]) > 0])", { milliseconds: 50 }, "time"],
  ["a list that grows", "[1..1000].([1..1000])", {}, "sequence"],
  ["a range", "[1..100001]", {}, "sequence"],
  ["many lists, each within its limit", "[1..90000].{ 'a': [1..90000] }", { milliseconds: 5000 }, "sequence"],
  ["many texts, each within its limit", "$map([1..1000], function($i){ $pad('x', 9e6) })", { milliseconds: 5000 }, "output"],
  ["text that doubles", "($d := function($s, $n){ $n = 0 ? $s : $d($s & $s, $n - 1) }; $d('x', 60))", {}, "output"],
  ["padding", "$pad('x', 1e9)", {}, "output"],
  ["shared parts as text", "($d := function($s, $n){ $n = 0 ? $string($s) : $d([[$s], [$s]], $n - 1) }; $d(1, 60))", { milliseconds: 5000 }, "output"],
])("%s ends in its limit, and soon", (_what, text, limits, limit) => {
  const begun = performance.now();
  expect(() => compileExpression(text, { limits }).evaluate({})).toThrow(expect.objectContaining({ problem: expect.objectContaining({ code: "LIMIT", limit }) }));
  expect(performance.now() - begun).toBeLessThan(5000);
});

test("a hundred and fifty calls deep, and a hundred thousand tail calls, are within the limits", () => {
  expect(compileExpression("($f := function($n){ $n = 0 ? 0 : 1 + $f($n - 1) }; $f(150))").evaluate({})).toBe(150);
  expect(compileExpression("($f := function($n, $s){ $n = 0 ? $s : $f($n - 1, $s + 1) }; $f(100000, 0))", { limits: { milliseconds: 5000 } }).evaluate({})).toBe(100_000);
});

test("a filter on the last call of a function is applied", () => {
  expect(compileExpression("($f := function(){ [3, 4] }; $g := function(){ ($f())[1] }; $g())").evaluate({})).toBe(4);
});

test("a range beyond the whole numbers that a double tells apart ends", () => {
  expect(compileExpression("[1e308..1e308]").evaluate({})).toEqual([1e308]);
  expect(compileExpression("$count([9007199254740992..9007199254740994])").evaluate({})).toBe(3);
});

test.each([
  ["$count($distinct([1..90000]))", 90_000],
  ["$count($spread([1..20000].{ 'a': $ }))", 20_000],
])("%s takes no time by the square of its length", (text, expected) => {
  const begun = performance.now();
  expect(compileExpression(text).evaluate({})).toBe(expected);
  expect(performance.now() - begun).toBeLessThan(1000);
});

test("a pattern that looks at all of a long text at each match ends in time", () => {
  const begun = performance.now();
  expect(() => compileExpression("$match($pad('a', 100000, 'a'), /a*?b|a/)", { limits: { milliseconds: 100 } }).evaluate({})).toThrow(expect.objectContaining({ problem: expect.objectContaining({ limit: "time" }) }));
  expect(performance.now() - begun).toBeLessThan(2000);
});

test.each([
  ["$match(n, /a+/).match ?: 'none'", "aa"],
  ["$split(n, /a/)[0] ?? 3", "c"],
  ["function($x)<n:n>{ $x + 1 }(1) ?? 2", 2],
])("a pattern or a signature left of ?? or ?: is not lost, as it is in the reference: %s", (text, expected) => {
  expect(compileExpression(text).evaluate({ n: "caab" })).toBe(expected);
});

test.each(["$sift()", "$sift($)#$i[$i > 0]", "($v := 1; [1, 2].$v)#$i[$i > 1e9]"])("what fails without a code in the reference has one here, or a value: %s", (text) => {
  try {
    compileExpression(text).evaluate({ a: 1 });
  } catch (thrown) {
    expect((thrown as ExpressionError).problem.code).toMatch(/^[DTS]\d{4}$/);
  }
});

test("data that looks like one of the reference's functions is data", () => {
  const evil = { _jsonata_lambda: true, arguments: [], body: { type: "string", value: "run" } };
  for (const text of ["evil()", "1 ~> evil", "$map([1], evil)", "evil.body()"]) {
    expect(() => compileExpression(text).evaluate({ evil }), text).toThrow(ExpressionError);
  }
  expect(compileExpression("[a, { 'b': a }]").evaluate({ a: evil })).toEqual([evil, { b: evil }]);
});

test("a function has no members", () => {
  for (const member of ["name", "invoke", "arity", "signature", "constructor", "_jsonata_function", "length", "prototype"]) {
    expect(compileExpression(`$sum.${member}`).evaluate({}), member).toBeUndefined();
    expect(compileExpression(`(function($x){ $x }).${member}`).evaluate({}), member).toBeUndefined();
    expect(compileExpression(`$lookup($sum, "${member}")`).evaluate({}), member).toBeUndefined();
  }
  expect(compileExpression("$sum.*").evaluate({})).toBeUndefined();
  expect(compileExpression("$keys($sum)").evaluate({})).toBeUndefined();
});

test("a transform never writes through __proto__", () => {
  const result = compileExpression("$ ~> |a|{ '__proto__': { 'polluted': 1 } }|").evaluate({ a: { b: 1 } }) as { a: Record<string, unknown> };
  expect(result.a.polluted).toBeUndefined();
  expect(Object.keys(result.a)).toEqual(["b", "__proto__"]);
});

test.each([
  ["a + 'x'", { a: 1 }, "T2002", 2, "+"],
  ["  $uppercase(a)", { a: 1 }, "T0410", 12, "uppercase"],
  ["($f := function($x){ $x.b + 'y' }; $f(a))", { a: { b: 1 } }, "T2002", 26, "+"],
  ["$map([1], function($x){ $lowercase($x) })", {}, "T0410", 34, "lowercase"],
  ["a.nope()", { a: 1 }, "T1006", 6, "nope"],
  ["{ 'a': 1, 'b': -'x' }", {}, "D1002", 15, "-"],
])("%s fails where the fault is", (text, input, code, position, part) => {
  try {
    compileExpression(text).evaluate(input);
  } catch (thrown) {
    const { problem } = thrown as ExpressionError;
    expect([problem.code, problem.position]).toEqual([code, position]);
    expect(problem.message).toMatch(/\w/);
    expect(text).toContain(part);
    return;
  }
  throw new Error("it did not fail");
});

test("dates by common pictures are written as the reference writes them", async () => {
  const part = fc.constantFrom("[Y0001]", "[Y]", "[M01]", "[D01]", "[H01]", "[m01]", "[m]", "[s01]", "[s]", "[f001]", "-", "/", "T", " at ", "[M]", "[FNn]", "[[");
  await fc.assert(fc.asyncProperty(fc.array(part, { maxLength: 6 }), fc.integer({ min: -62_000_000_000_000, max: 254_000_000_000_000 }), async (parts, millis) => {
    const text = `[$fromMillis(${millis}), $fromMillis(${millis}, ${JSON.stringify(parts.join(""))})]`;
    expect(await outcome(text, {}, "own")).toEqual(await outcome(text, {}, "reference"));
  }), { numRuns: 500, seed: 20261121 });
});
