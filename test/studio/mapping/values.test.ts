import { expect, test } from "vitest";
import { parse } from "../../../engine/expression/syntax/index.ts";
import { readGraph } from "../../../studio/mapping/graph/read-graph.ts";
import { valuesOf } from "../../../studio/mapping/graph/values.ts";

/** Title → value, of every node. */
function look(text: string, record: unknown, variables: Record<string, unknown> = {}, pick: Record<string, number> = {}): Record<string, unknown> {
  const { tree } = parse(text);
  const graph = readGraph(tree);
  const values = valuesOf(tree, graph, record, variables, pick);
  return Object.fromEntries(graph.nodes.map(({ id, title }) => {
    const found = values.get(id)!;
    return [title, "value" in found ? found.value : "absent" in found ? "absent" : `problem: ${found.problem}`];
  }));
}

test("every node has its value", () => {
  expect(look('first & " " & $uppercase(last)', { first: "Ada", last: "L" })).toEqual({ "Join texts": "Ada L", first: "Ada", $uppercase: "L", last: "L" });
});

test("absent is not null", () => {
  expect(look("a ?? b", { b: null })).toEqual({ Default: null, a: "absent", b: null });
});

test("inside a frame the item is looked at, and the record is still the record", () => {
  const record = { prefix: "x", lines: [{ code: 1 }, { code: 2 }] };
  expect(look('lines.{ "sku": $$.prefix & code }', record)).toMatchObject({ lines: record.lines, code: 1, prefix: "x", "Join texts": "x1", Object: { sku: "x1" } });
  expect(look('lines.{ "sku": code }', record, {}, { "": 1 })).toMatchObject({ code: 2 });
  expect(look("$map(lines, function($l) { $l.code })", record)).toMatchObject({ $l: { code: 1 }, code: 1, "For each": [1, 2] });
  expect(look('nothing.{ "sku": code }', record)).toMatchObject({ "For each": "absent", code: "absent" });
});

test("bindings and variables from outside", () => {
  expect(look("($x := a * 2; $x + $config.n)", { a: 4 }, { config: { n: 1 } })).toMatchObject({ $x: 8, n: 1, "+": 9 });
});

test("what fails says why, where it fails", () => {
  expect(look("$number(a) + 1", { a: "x" })).toMatchObject({ a: "x", $number: expect.stringContaining("problem"), "+": expect.stringContaining("problem") });
});
