import { describe, expect, test } from "vitest";
import { parseYaml } from "../../../engine/manifest/parse-yaml.ts";

const at = (text: string, pointer: string, part?: "key" | "value", offset?: number) => {
  const { line, col } = parseYaml(text, "f.yaml").locate(pointer, part, offset);
  return `${line}:${col}`;
};
const codes = (text: string) => parseYaml(text, "f.yaml").problems.map((problem) => `${problem.at?.line}:${problem.at?.col} ${problem.code}`);

describe("a position", () => {
  test("of a value, a key, an item and what is not there", () => {
    const text = "a:\n  b: [x, yy]\n  \"c/d\": 1\n";
    expect(at(text, "/a/b/1")).toBe("2:10");
    expect(at(text, "/a/b", "key")).toBe("2:3");
    expect(at(text, "/a/c~1d")).toBe("3:10");
    expect(at(text, "/a/missing")).toBe("1:1");
    expect(at(text, "/a/b/9")).toBe("2:3");
  });

  test("inside a block scalar is the line and column of that character", () => {
    const text = "fields:\n  size: |\n    a ?\n      b\n    : c\n";
    expect(at(text, "/fields/size", "value", 0)).toBe("3:5");
    expect(at(text, "/fields/size", "value", "a ?\n  ".length)).toBe("4:7");
    expect(at(text, "/fields/size", "value", "a ?\n  b\n: ".length)).toBe("5:7");
  });

  test("inside a block scalar that starts with empty lines, is stripped, or says its indent", () => {
    expect(at("a: |-\n\n\n  xy\n", "/a", "value", 3)).toBe("4:4");
    expect(at("a: |2\n    xy\n", "/a", "value", 2)).toBe("2:5");
    expect(at("a: |\r\n  x\r\n  yz\r\n", "/a", "value", 3)).toBe("3:4");
  });

  test("inside a plain or simply quoted text is that of the character; inside an escaped or folded one, of the text", () => {
    expect(at("a: abc\n", "/a", "value", 2)).toBe("1:6");
    expect(at("a: \"abc\"\n", "/a", "value", 2)).toBe("1:7");
    expect(at("a: \"a\\tc\"\n", "/a", "value", 2)).toBe("1:4");
    expect(at("a: >\n  abc\n  def\n", "/a", "value", 5)).toBe("1:4");
  });
});

describe("what is refused, with its place", () => {
  test.for([
    ["an alias", "a: 1\nb: *x.y\n", "2:4 MANIFEST_YAML"],
    ["an anchor", "a: &x 1\n", "1:4 MANIFEST_YAML"],
    ["a merge key", "a:\n  <<: { b: 1 }\n", "2:3 MANIFEST_YAML"],
    ["a tag", "a: !env X\n", "1:4 MANIFEST_YAML"],
    ["a key written twice", "a: 1\na: 2\n", "2:1 MANIFEST_YAML"],
    ["a tab as indentation", "a:\n\tb: 1\n", "2:1 MANIFEST_YAML"],
    ["a control character", "a: x\u0000y\n", "1:5 MANIFEST_YAML"],
    ["bytes that are not UTF-8", "a: x\ufffdy\n", "1:5 MANIFEST_YAML"],
    ["a number that JSON has not", "a: .inf\n", "1:4 MANIFEST_YAML"],
    ["a number that loses digits", "a: 12345678901234567890\n", "1:4 MANIFEST_YAML"],
    ["a second document", "a: 1\n---\nb: 1\n", "2:1 MANIFEST_YAML"],
    ["a template without quotes", "a: { b: {{config.x}}/y }\n", "1:9 MANIFEST_TRAP"],
    ["a conditional without quotes", "a: x ? 1 : 2\n", "1:4 MANIFEST_TRAP"],
    ["an object without quotes", "a: $f({\"k\": 1})\n", "1:4 MANIFEST_TRAP"],
    ["a name in backticks", "a: `b c`\n", "1:4 MANIFEST_TRAP"],
    ["a parent step", "a: %.x\n", "1:4 MANIFEST_TRAP"],
  ])("%s", ([, text, expected]) => {
    expect(codes(text!)[0]).toBe(expected);
    expect(parseYaml(text!, "f.yaml").value).toBeUndefined();
  });

  test("nesting beyond the cap, without overflowing the stack", () => {
    expect(codes(`a: ${"[".repeat(100)}${"]".repeat(100)}\n`)[0]).toMatch(/MANIFEST_YAML$/);
    expect(codes(`a: ${"[".repeat(50_000)}\n`)[0]).toMatch(/MANIFEST_YAML$/);
  });

  test("a file beyond the cap", () => {
    expect(codes(`a: ${"x".repeat(1024 * 1024)}\n`)).toEqual(["1:1 MANIFEST_YAML"]);
  });

  test("a key that would change every object", () => {
    const { problems } = parseYaml("__proto__: { polluted: 1 }\n", "f.yaml");
    expect(problems).toHaveLength(1);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

test("two mistakes on two lines are both told; what follows from one is not", () => {
  expect(codes("a: x ? 1 : 2\nb: @c\n")).toEqual(["1:4 MANIFEST_TRAP", "2:4 MANIFEST_TRAP"]);
  expect(codes("a: { b: $join([x, y], \",\") }\nb: 1\nc: { d: 1 }\n")).toEqual(["1:15 MANIFEST_TRAP"]);
});

test("values are what YAML 1.2 says: yes is text, 0o17 is a number, dates are text", () => {
  expect(parseYaml("a: yes\nb: 0o17\nc: 2024-01-01\nd: 1_000\ne: ~\nf:\n404: x\n", "f.yaml").value).toEqual({ a: "yes", b: 15, c: "2024-01-01", d: "1_000", e: null, f: null, 404: "x" });
});

test("JSON is read too, tabs and all", () => {
  const json = parseYaml("{\n\t\"a\": [1, {\"b\": \"c\"}]\n}\n", "f.json");
  expect(json.value).toEqual({ a: [1, { b: "c" }] });
  expect(json.locate("/a/1/b")).toMatchObject({ line: 2, col: 17 });
});

test("whatever the text, reading it neither throws nor takes long", () => {
  const seeds = ["a: {b: [c, \"d\"]}\n", "x:\n  - y: |\n      z ? 1 : 2\n", "fields:\n  n: '\"GB\"'\n  m: {{config.x}}\n", "k: &a\n  l: *a\n"];
  const pieces = ["{", "}", "[", "]", ":", " ", "\n", "\"", "'", "|", ">", "&", "*", "!", "%", "@", "`", "#", "-", "?", ",", "\t", "\\", "é", "{{", "}}"];
  let random = 42;
  const next = (below: number): number => { random = (random * 1103515245 + 12345) % 2147483648; return random % below; };
  for (let round = 0; round < 2000; round++) {
    let text = seeds[next(seeds.length)]!;
    for (let edits = 1 + next(4); edits > 0; edits--) { const place = next(text.length + 1); text = text.slice(0, place) + pieces[next(pieces.length)]! + text.slice(place + next(3)); }
    const yaml = parseYaml(text, "f.yaml");
    for (const problem of yaml.problems) {
      expect(problem.at!.line).toBeGreaterThan(0);
      expect(problem.at!.line).toBeLessThanOrEqual(text.split("\n").length);
    }
    expect(yaml.value === undefined).toBe(yaml.problems.length > 0 || text.trim() === "" || yaml.value === undefined);
  }
});
