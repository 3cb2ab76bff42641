import { describe, expect, test } from "vitest";
import { applyEdit, literal, nodesAt, parse, walk, type CallNode, type Edit, type EditResult, type Node } from "../../../../engine/expression/syntax/index.ts";
import { tryEdits } from "./random-edits.ts";

type Change = Edit extends infer E ? E extends Edit ? Omit<E, "at"> : never : never;

/** Edits the outermost node that is written as `source`. */
function edited(text: string, source: string, change: Change, kind?: Node["kind"]): EditResult {
  const { tree } = parse(text);
  let at: Node | undefined;
  walk(tree.root, (node) => {
    if (!at && text.slice(node.start, node.end) === source && (kind === undefined || node.kind === kind)) at = node;
  });
  return applyEdit(tree, { ...change, at: at as CallNode } as Edit);
}
const textOf = (result: EditResult): string => ("refused" in result ? `refused: ${result.refused}` : result.text);

describe("an edit changes its node and keeps every other byte", () => {
  test.each<[string, string, Change, string]>([
    ["/* who */ first  & ' ' & last", "first", { edit: "rename", name: "given" }, "/* who */ given  & ' ' & last"],
    ["a.b", "b", { edit: "rename", name: "odd name" }, "a.`odd name`"],
    ["a.`odd name`", "`odd name`", { edit: "rename", name: "b" }, "a.`b`"],
    ["a", "a", { edit: "rename", name: "and" }, "`and`"],
    ["{ 'a' : b }", "'a'", { edit: "rename", name: "it's" }, "{ \"it's\" : b }"],
    ["$f( a , b )", "b", { edit: "replace", text: "c.d" }, "$f( a , c.d )"],
    ["a * b", "a", { edit: "replace", text: "x + y" }, "(x + y) * b"],
    ["a + b", "a", { edit: "replace", text: "x * y" }, "x * y + b"],
    ["a.b", "b", { edit: "replace", text: "x.y" }, "a.(x.y)"],
    ["a.b", "b", { edit: "set_literal", value: "x" }, "a.(\"x\")"],
    ["n / 2", "n", { edit: "replace", text: "function($x){$x}" }, "(function($x){$x}) / 2"],
    ["'a' & x", "'a'", { edit: "set_literal", value: "O'Brien \"x\"" }, "'O\\u0027Brien \"x\"' & x"],
    ["a = 1", "1", { edit: "set_literal", value: -2.5 }, "a = -2.5"],
    ["a = 1", "1", { edit: "set_literal", value: null }, "a = null"],
    ["$f(a)", "$f(a)", { edit: "replace_argument", index: 0, text: "b" }, "$f(b)"],
    ["$f(a)", "$f(a)", { edit: "replace_argument", index: 1, text: "b" }, "$f(a, b)"],
    ["$f(?, a)", "$f(?, a)", { edit: "replace_argument", index: 0, text: "b" }, "$f(b, a)"],
    ["a & b.c ", "b.c", { edit: "wrap", name: "lowercase" }, "a & $lowercase(b.c) "],
    ["a.b", "a.b", { edit: "wrap", name: "join", after: ["', '"] }, "$join(a.b, ', ')"],
    ["a & $trim( b )", "$trim( b )", { edit: "unwrap", index: 0 }, "a & b"],
    ["a * $f(b + c)", "$f(b + c)", { edit: "unwrap", index: 0 }, "a * (b + c)"],
    ["a  -  b", "a  -  b", { edit: "swap" }, "b  -  a"],
    ["a - b - c", "a - b - c", { edit: "swap" }, "c - (a - b)"],
    ["a in['x']", "a in['x']", { edit: "swap" }, "['x'] in(a)"],
    ["a.b & c", "a.b", { edit: "insert_binding", name: "x", value: "d" }, "($x := d; a.b) & c"],
    ["( $y := 1; $y )", "( $y := 1; $y )", { edit: "insert_binding", name: "x", value: "d" }, "($x := d;  $y := 1; $y )"],
    ["( $x := a; $x & $f(function($y){ $y & $x }) )", "$x", { edit: "rename", name: "given" }, "( $given := a; $given & $f(function($y){ $y & $given }) )"],
    ["function($y){ $y & $x }", "$y", { edit: "rename", name: "z" }, "function($z){ $z & $x }"],
    ["($f := function($n){ $n = 0 ? 1 : $f($n - 1) }; $f(3))", "$f", { edit: "rename", name: "loop" }, "($loop := function($n){ $n = 0 ? 1 : $loop($n - 1) }; $loop(3))"],
  ])("%s", (text, source, change, expected) => {
    expect(textOf(edited(text, source, change))).toBe(expected);
  });

  test("the patch is the changed piece only, and lies inside the span that is named", () => {
    const result = edited("  first & /* c */ last ", "last", { edit: "wrap", name: "trim" });
    expect(result).toMatchObject({ patches: [{ start: 18, end: 18, text: "$trim(" }, { start: 22, end: 22, text: ")" }], within: { start: 18, end: 22 } });
  });

  test("the result is a tree that can be edited again", () => {
    const first = edited("a", "a", { edit: "wrap", name: "trim" });
    if ("refused" in first) throw new Error(first.message);
    expect(textOf(applyEdit(first.tree, { edit: "wrap", at: first.tree.root, name: "lowercase" }))).toBe("$lowercase($trim(a))");
  });
});

describe("an edit is refused", () => {
  test.each<[string, string, string, Change, string]>([
    ["when the expression does not parse", "a & & b", "a", { edit: "rename", name: "c" }, "not_parsed"],
    ["when the text is no expression", "a & b", "a", { edit: "replace", text: "x +" }, "text"],
    ["when the text is two expressions", "a & b", "a", { edit: "replace", text: "x; y" }, "text"],
    ["when the text would swallow what follows", "a & b", "a", { edit: "replace", text: "x /* " }, "text"],
    ["when the text closes a bracket of its surroundings", "(a) & b", "a", { edit: "replace", text: "x) & (y" }, "text"],
    ["when a name cannot be written", "a", "a", { edit: "rename", name: "a`b" }, "name"],
    ["when a variable's name cannot be written", "($x := 1; $x)", "$x", { edit: "rename", name: "x y" }, "name"],
    ["when a new variable hides one that is used", "$x & a", "$x & a", { edit: "insert_binding", name: "x", value: "1" }, "capture"],
    ["when a renamed variable meets another", "($x := 1; $y := 2; $x + $y)", "$x", { edit: "rename", name: "y" }, "capture"],
    ["when a built-in is renamed", "$sum(a)", "$sum", { edit: "rename", name: "total" }, "place"],
    ["when a parameter is replaced", "function($x){1}", "$x", { edit: "replace", text: "y" }, "place"],
    ["when the variable of a binding is replaced", "a@$x.b", "$x", { edit: "replace", text: "1" }, "place"],
    ["when operands of a path would be swapped", "a.b", "a.b", { edit: "swap" }, "place"],
    ["when an argument is not there", "$f(a)", "$f(a)", { edit: "replace_argument", index: 5, text: "b" }, "place"],
    ["when a number cannot be written", "a", "a", { edit: "set_literal", value: Number.POSITIVE_INFINITY }, "text"],
    ["when a list would fall apart in a block", "a.b[]", "b[]", { edit: "insert_binding", name: "x", value: "1" }, "meaning"],
    ["when a binding would be hidden in a block", "($x := 1; $x)", "$x := 1", { edit: "insert_binding", name: "y", value: "1" }, "capture"],
    ["when '%' would lose its parent", "a.(%.b)", "a.(%.b)", { edit: "replace", text: "%.b" }, "meaning"],
  ])("%s", (_, text, source, change, reason) => {
    expect(edited(text, source, change)).toMatchObject({ refused: reason });
  });

  test("when the variable is also used before it is bound", () => {
    const { tree } = parse("($f($x); $x := 1; $x)");
    expect(applyEdit(tree, { edit: "rename", at: nodesAt(tree, 10)[0]!, name: "y" })).toMatchObject({ refused: "capture" });
  });

  test("when the node is of another tree", () => {
    expect(applyEdit(parse("a").tree, { edit: "rename", at: parse("a").tree.root, name: "b" })).toMatchObject({ refused: "place" });
  });
});

test.each(["", "it's", 'say "hi"', `both ' and "`, "line\nbreak\ttab \\ / \u0001", "é 日本 🙂 \ud800"])("a text is written so that it reads back: %j", (value) => {
  for (const quote of ['"', "'"] as const) expect(parse(literal(value, quote)).tree.root).toMatchObject({ kind: "string", value });
});

test("random edits leave every byte outside their span and mean what was intended (short run of npm run fuzz:edits)", { timeout: 120_000 }, async () => {
  const result = await tryEdits(600, 20261121);
  expect(result.failures).toEqual([]);
  expect(result.applied).toBe(600);
  expect(Object.keys(result.byEdit).length).toBe(8);
  expect(result.withValue).toBeGreaterThan(100);
});
