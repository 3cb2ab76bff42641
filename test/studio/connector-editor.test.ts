/** What the editor of a connector offers, at the place marked `|`. */
import { expect, test } from "vitest";
import { suggestionsAt } from "../../studio/connector-editor/yaml-completion.ts";

function offered(marked: string): string[] {
  const offset = marked.indexOf("|");
  return suggestionsAt(marked.slice(0, offset) + marked.slice(offset + 1), offset, "connector.schema.json").options.map(({ label }) => label);
}

test("at the root, the keys of a connector that are not written yet", () => {
  const keys = offered("connector: x\ntitle: X\n|\nhttp:\n  base_url: https://x.example\n");
  expect(keys).toContain("streams");
  expect(keys).not.toContain("connector");
  expect(keys).not.toContain("http");
});

test("inside a stream that somebody named, the keys of a stream; of a list, those of an item", () => {
  expect(offered("connector: x\nstreams:\n  contacts:\n    pag|")).toEqual(expect.arrayContaining(["pagination", "records", "key", "cursor"]));
  expect(offered("connector: x\nhttp:\n  |")).toContain("base_url");
});

test("types of a component, and then that type's own options alone, in a block and in braces", () => {
  expect(offered("connector: x\nstreams:\n  c:\n    pagination:\n      type: |")).toEqual(expect.arrayContaining(["page", "token", "link_header"]));
  const [block, braces] = [offered("connector: x\nstreams:\n  c:\n    pagination:\n      type: page\n      |"), offered("connector: x\nstreams:\n  c:\n    pagination: { type: page, | }")];
  expect(block).toEqual(["start", "size", "until"]);
  expect(braces).toEqual(block);
});

test("a key that is begun is replaced from its beginning", () => {
  const text = "connector: x\nhttp:\n  bas";
  expect(suggestionsAt(text, text.length, "connector.schema.json").from).toBe(text.length - 3);
});

test("where the text makes no sense nothing is offered, and nothing is thrown", () => {
  for (const text of ["}{:::\n  - - |", "streams: [|", "nothing:\n    like: this\n      |", "\"open: |", "|"]) expect(Array.isArray(offered(text))).toBe(true);
});
