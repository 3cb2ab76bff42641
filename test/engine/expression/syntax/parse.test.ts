import { describe, expect, test } from "vitest";
import { childrenOf, MAX_DEPTH, nodeAt, nodesAt, parse, print, walk, type Node } from "../../../../engine/expression/syntax/index.ts";
import { differenceFromReference } from "./against-reference.ts";
import { fuzz } from "./fuzz.ts";

const kinds = (text: string): string[] => {
  const found: string[] = [];
  walk(parse(text).tree.root, (node) => void found.push(`${node.kind} ${text.slice(node.start, node.end)}`));
  return found;
};

describe("the tree", () => {
  test("a node spans its text and nothing around it", () => {
    expect(kinds(" a.b /* c */ & 'd' ")).toEqual(["binary a.b /* c */ & 'd'", "map a.b", "name a", "name b", "string 'd'"]);
  });

  test("binding follows the reference's powers", () => {
    expect(kinds("a + b * c")).toEqual(["binary a + b * c", "name a", "binary b * c", "name b", "name c"]);
    expect(kinds("-a.b[0]")).toEqual(["negate -a.b[0]", "map a.b[0]", "name a", "filter b[0]", "name b", "number 0"]);
    expect(kinds("a ?? b ? c : d")[0]).toBe("default a ?? b ? c : d");
    expect(kinds("$x := $y := 1")).toEqual(["bind $x := $y := 1", "variable $x", "bind $y := 1", "variable $y", "number 1"]);
  });

  test("spelling is kept where the reference forgets it", () => {
    const { root } = parse("`and` ?: and").tree;
    expect(root).toMatchObject({ kind: "default", operator: "?:", left: { kind: "name", name: "and", quoted: true }, right: { kind: "name", name: "and", quoted: false } });
  });

  test("a lambda keeps its signature as text", () => {
    expect(parse("λ($a, $b)<s-(sn)?:s>{ $a }").tree.root).toMatchObject({ kind: "lambda", signature: "<s-(sn)?:s>", parameters: [{ name: "a" }, { name: "b" }] });
  });

  test("the node at a caret is the innermost one, and at the end of a word the word", () => {
    const { tree } = parse("$sum(items.price)");
    expect(nodesAt(tree, 12).map((node) => node.kind)).toEqual(["name", "map", "call"]);
    expect(nodeAt(tree, 10)).toMatchObject({ kind: "name", name: "items" });
    expect(nodeAt(tree, 16)).toMatchObject({ kind: "name", name: "price" });
  });
});

describe("after a problem", () => {
  const nodeNamed = (text: string, kind: string): Node[] => {
    const found: Node[] = [];
    walk(parse(text).tree.root, (node) => void (node.kind === kind && found.push(node)));
    return found;
  };

  test.each([
    ["$sum(a.b, ", "S0203", ["a", "b"]],
    ["(a + ) . c", "S0211", ["a", "c"]],
    ["{ 'x': a, 'y' b, 'z': c }", "S0202", ["a", "b", "c"]],
    ["[a b, c] & d", "S0202", ["a", "b", "c", "d"]],
    ["a = = b", "S0211", ["a", "b"]],
    ["a b.c", "S0201", ["a", "b", "c"]],
    ["a[b & $f(c] & d", "S0202", ["a", "b", "c", "d"]],
  ])("%s: the problem is %s, and all names around it are found", (text, code, names) => {
    const { tree, problems } = parse(text);
    expect(problems[0]!.code).toBe(code);
    expect(print(tree)).toBe(text);
    expect(nodeNamed(text, "name").map((node) => (node as { name: string }).name)).toEqual(names);
  });

  test("two separate mistakes are two problems, and one mistake is one", () => {
    expect(parse("{ 'a': , 'b': 'x\\q' }").problems.map(({ code, start, end }) => [code, start, end])).toEqual([["S0211", 7, 8], ["S0103", 16, 18]]);
    expect(parse("((((").problems).toHaveLength(1);
  });

  test("a problem that only the meaning shows has the range of its node", () => {
    expect(parse("a.1.b").problems).toMatchObject([{ code: "S0213", position: 3, start: 2, end: 3 }]);
    expect(parse("a & %.b").problems).toMatchObject([{ code: "S0217" }]);
  });

  test.each([["open brackets", "(".repeat(50_000)], ["a chain", `a${"&a".repeat(50_000)}`], ["signs", "-".repeat(50_000)], ["closed brackets", ")".repeat(50_000)]])(
    "50,000 %s are refused with a code, not with an exhausted stack", (_, text) => {
      const { tree, problems } = parse(text);
      expect(["P0001", "S0211"]).toContain(problems[0]!.code);
      expect(print(tree) === text).toBe(true);
      walk(tree.root, () => {});
    });

  test("what is just not too deep is parsed", () => {
    expect(parse(`${"(".repeat(MAX_DEPTH - 2)}1${")".repeat(MAX_DEPTH - 2)}`).problems).toEqual([]);
  });
});

test("every token belongs to exactly one node, so the children of a node and its own tokens cover it", () => {
  walk(parse("a.b[c=1]{d: $sum(e)}^(>f) ~> $g(?, 'x')").tree.root, (node) => {
    const ends = node.parts.map((part) => part.end);
    expect(node.parts.every((part, at) => at === 0 || part.start >= ends[at - 1]!)).toBe(true);
    expect(childrenOf(node).every((child) => child.start >= node.start && child.end <= node.end)).toBe(true);
  });
});

describe("against the reference", () => {
  test.each([
    "a ?? b", "a[] ?: b", "-5", "-(5)", "a.%.b", "a.b[%.c = 1]", "(a.b).%", "a.b.{ 'x': %.c }", "a@$x.b#$i[$x = $i]", "a#$i[0][1]#$j", "a.[b]", "[a].b", "$[]", "a[0][]", "a.b[][0]",
    "function($x){ $x > 0 ? $f($x - 1) : ($g($x); $h()) }", "λ($x[]){$x}", "|a|{'b': c}, ['d']|", "a^(<b, >c).d", "a{b: c}[0]", "a.b@$v[0]@$w", "$f(?, 1)", "a ~> $b[] ~> c", "and and or or in in in", "'x'.'y'", "a. 'b c'",
  ])("%s means the same, or fails in the same place", (text) => {
    expect(differenceFromReference(text)).toBeUndefined();
  });

  test("made expressions print back byte for byte and mean the same (short run of npm run fuzz:syntax)", () => {
    const result = fuzz(4_000, 20261121);
    expect(result.failures).toEqual([]);
    expect(result.valid).toBeGreaterThan(1_500);
  });
});
