import { expect, test } from "vitest";
import { parse } from "../../../engine/expression/syntax/index.ts";
import { framesAround, perform, writtenAt, type Gesture } from "../../../studio/mapping/gestures.ts";
import { readGraph } from "../../../studio/mapping/graph/read-graph.ts";

/** Performs on the first node of a kind (the field itself where `kind` is ""). */
function hand(text: string, kind: string, make: (node: string) => Gesture) {
  const { tree } = parse(text);
  const graph = readGraph(tree);
  const node = kind === "" ? graph.result : graph.nodes.find((each) => each.kind === kind)!.id;
  const result = perform(make(node), tree, graph);
  return "text" in result ? result.text : `refused: ${result.refused}`;
}

test.each<[string, string, string, (node: string) => Gesture, string]>([
  ["a concatenation", "first", "source", (node) => ({ do: "join", node, text: "last", between: " " }), 'first & " " & last'],
  ["a third part of one", 'first & " " & last', "concat", (node) => ({ do: "join", node, text: "title" }), 'first & " " & last & title'],
  ["a default", "name", "source", (node) => ({ do: "default", node, fallback: '"none"' }), 'name ?? "none"'],
  ["a default for empty values", "name", "source", (node) => ({ do: "default", node, fallback: '"none"', empty: true }), 'name ?: "none"'],
  ["an if", '"large"', "constant", (node) => ({ do: "if", node, condition: "n > 250", otherwise: '"small"' }), 'n > 250 ? "large" : "small"'],
  ["another case", 'a ? 1 : 3', "if", (node) => ({ do: "add_case", node, condition: "b", result: "2" }), "a ? 1 : b ? 2 : 3"],
  ["a case behind an if without otherwise", "a ? 1", "if", (node) => ({ do: "add_case", node, condition: "b", result: "2" }), "a ? 1 : b ? 2"],
  ["a date conversion", "started", "source", (node) => ({ do: "wrap", node, name: "toMillis", after: ['"[D01]/[M01]/[Y0001]"'] }), '$toMillis(started, "[D01]/[M01]/[Y0001]")'],
  ["a lookup", "status", "source", (node) => ({ do: "look_up", node, rows: [["A", '"active"'], ["L", '"left"']] }), '$lookup({ "A": "active", "L": "left" }, status)'],
  ["another row of a table", '$lookup({ "A": "active" }, status)', "lookup", (node) => ({ do: "add_row", node, key: "L", text: '"left"' }), '$lookup({ "A": "active", "L": "left" }, status)'],
  ["a row less", '$lookup({ "A": 1, "B": 2 }, s)', "lookup", (node) => ({ do: "remove_row", node, port: "row0" }), '$lookup({ "B": 2 }, s)'],
  ["a row of another name", '{ "a": x }', "object", (node) => ({ do: "rename_row", node, port: "0", key: "b" }), '{ "b": x }'],
  ["a for-each over nested items", "order.lines", "source", (node) => ({ do: "for_each", node, rows: [["sku", "code"]] }), 'order.lines.{ "sku": code }'],
  ["a filter", "lines", "source", (node) => ({ do: "keep_where", node, condition: "price > 10" }), "lines[price > 10]"],
  ["a source on a port that holds another", "$lowercase(a)", "function", (node) => ({ do: "connect", node, port: "0", text: "b.c" }), "$lowercase(b.c)"],
  ["a source on an argument that is left out", "$substring(a, 1)", "function", (node) => ({ do: "connect", node, port: "2", text: "n" }), "$substring(a, 1, n)"],
  ["a source on an otherwise that is left out", "a ? b", "if", (node) => ({ do: "connect", node, port: "else", text: "c" }), "a ? b : c"],
  ["a value typed over another", 'n > 10 ? "a"', "condition", (node) => ({ do: "type_value", node, port: "right", value: 20 }), 'n > 20 ? "a"'],
  ["a function taken away", "$lowercase($trim(a))", "function", (node) => ({ do: "unwrap", node }), "$trim(a)"],
  ["an if taken away", 'a ? b : c', "if", (node) => ({ do: "unwrap", node }), "b"],
  ["operands that change places", "a - b", "math", (node) => ({ do: "swap", node }), "b - a"],
  ["brackets where they are needed", "a * b", "source", (node) => ({ do: "connect", node, text: "x + y" }), "(x + y) * b"],
  ["a comment elsewhere, which stays", "/* why */ a & b", "source", (node) => ({ do: "wrap", node, name: "trim" }), "/* why */ $trim(a) & b"],
  ["a text that is none", "a", "source", (node) => ({ do: "connect", node, text: "b +" }), "refused: text"],
  ["a row of a name that is there", '{ "a": x }', "object", (node) => ({ do: "add_row", node, key: "a", text: "y" }), "refused: name"],
])("%s", (_, text, kind, gesture, expected) => expect(hand(text, kind, gesture)).toBe(expected));

test("an empty field takes what is dropped on it", () => {
  expect(perform({ do: "connect", text: "UserCustom_Division" }, undefined, undefined)).toEqual({ text: "UserCustom_Division" });
  expect(perform({ do: "connect", text: "a +" }, undefined, undefined)).toMatchObject({ refused: "text" });
});

test("a source is written as seen from where it is dropped", () => {
  expect(writtenAt(["order", "lines", "code"], [])).toBe("order.lines.code");
  expect(writtenAt(["order", "lines", "code"], [["order", "lines"]])).toBe("code");
  expect(writtenAt(["company", "name"], [["order", "lines"]])).toBe("$$.company.name");
  expect(writtenAt(["Session ID"], [])).toBe("`Session ID`");
  const { tree } = parse('order.lines.{ "sku": code }');
  const graph = readGraph(tree);
  expect(framesAround(graph, graph.nodes.find(({ title }) => title === "code")!.id)).toEqual([["order", "lines"]]);
});
