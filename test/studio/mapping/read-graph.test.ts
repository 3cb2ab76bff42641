import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { parse } from "../../../engine/expression/syntax/index.ts";
import { readGraph } from "../../../studio/mapping/graph/read-graph.ts";
import type { Graph } from "../../../studio/mapping/graph/types.ts";

const graphOf = (text: string): Graph => {
  const { tree, problems } = parse(text);
  expect(problems).toEqual([]);
  return readGraph(tree);
};
/** Kinds and titles from the result down: `if(condition(source a, "x"), …)`. */
const draw = (graph: Graph, id = graph.result): string => {
  const node = graph.nodes.find((each) => each.id === id)!;
  const inside = node.ports.map((port) => (port.from === undefined ? (port.inline === undefined ? "·" : JSON.stringify(port.inline)) : draw(graph, port.from)));
  return `${node.kind}${node.kind === "source" || node.kind === "function" || node.kind === "variable" ? ` ${node.title}` : ""}${inside.length > 0 ? `(${inside.join(", ")})` : ""}`;
};

test.each([
  ["properties.name", "source properties.name"],
  ["emails[0].value", "source emails[0].value"],
  ['"GB"', "constant"],
  ['first & " " & last', 'concat(source first, " ", source last)'],
  ["properties.domain ? $lowercase(properties.domain)", "if(source properties.domain, function $lowercase(source properties.domain), ·)"],
  ['n < 250 ? "sme" : n < 1000 ? "mid" : "large"', 'if(condition(source n, 250), "sme", condition(source n, 1000), "mid", "large")'],
  ['a ?? "none"', 'default(source a, "none")'],
  ['$lookup({ "A": 1, "B": 2 }, code)', "lookup(source code, 1, 2)"],
  ['items.{ "name": title, "count": qty * 2 }', "for_each(source items, object(source title, math(source qty, 2)))"],
  ["$map(items, function($i) { $i.title })", "for_each(source items, source title(item))"],
  ["items[price > 10]", "filter(source items, condition(source price, 10))"],
  ["items^(>price)", "sort(source items, source price)"],
  ["a and b or $not(c)", "condition(condition(source a, source b), condition(source c))"],
  ["($x := a.b; $x & $x)", "concat(source $x(binding(source a.b)), source $x(binding(source a.b)))"],
  ["name ~> $trim() ~> $lowercase", "function $lowercase(function $trim(source name))"],
  ["$config.region", "variable region"],
  ["-(a + 1)", "negate(math(source a, 1))"],
  ["[a, b]", "list(source a, source b)"],
  ["**.id", "opaque"],
  ["$substring(a, 0, 10)", "function $substring(source a, 0, 10)"],
])("%s is drawn as %s", (text, drawn) => expect(draw(graphOf(text))).toBe(drawn));

test("what lies inside a for-each lies in its frame, and reads the item", () => {
  const graph = graphOf('items.{ "name": title }');
  const frame = graph.nodes.find(({ kind }) => kind === "for_each")!;
  expect(graph.nodes.find(({ title }) => title === "title")).toMatchObject({ frame: frame.id, root: "item", path: ["title"] });
  expect(graph.nodes.find(({ title }) => title === "items")!.frame).toBeUndefined();
});

test("every wire leads from a node to a port that is there, and every id is one node's", () => {
  for (const text of ['items.{ "n": a[b = 1].c & "x" }', "($x := 1; $y := $x + 1; [$x, $y])", "$reduce(l, function($a, $b) { $a + $b }, 0)", 'a ? b : c ? d : (e; f)']) {
    const graph = graphOf(text);
    const ids = graph.nodes.map(({ id }) => id);
    expect(new Set(ids).size, text).toBe(ids.length);
    for (const { from, to, port } of graph.edges) {
      expect(ids, text).toContain(from);
      expect(graph.nodes.find(({ id }) => id === to)!.ports.map(({ id }) => id), text).toContain(port);
    }
  }
});

test("the share that is drawn is told", () => {
  expect(graphOf("a & b").coverage).toBe(1);
  expect(graphOf("**.id").coverage).toBe(0);
  expect(graphOf("a & **.id").coverage).toBeGreaterThan(0.2);
});

test("every mapping we ship opens as a graph, all of it drawn", () => {
  const root = new URL("../../../mappings/", import.meta.url).pathname;
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"));
  expect(files.length).toBeGreaterThan(5);
  let expressions = 0;
  for (const file of files) {
    const { fields, where } = parseYaml(readFileSync(path.join(root, file), "utf8")) as { fields: Record<string, unknown>; where?: string };
    for (const text of [...Object.values(fields), where].filter((each) => typeof each === "string")) {
      expect(graphOf(text.replace(/^=/, "")).coverage, `${file}: ${text}`).toBe(1);
      expressions++;
    }
  }
  expect(expressions).toBeGreaterThan(30);
});
