import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse as parseYaml, parseDocument } from "yaml";
import { parse } from "../../../engine/expression/syntax/index.ts";
import { formatManifest } from "../../../server/cli/commands/fmt.ts";
import { formatYaml } from "../../../server/cli/format-yaml.ts";
import { random } from "../../engine/expression/syntax/made-expressions.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;

describe("what YAML reads as something else is quoted, and nothing else changes", () => {
  test.each([
    ["a condition", 'size: n < 250 ? "sme" : "large"   # why', `size: 'n < 250 ? "sme" : "large"'   # why`],
    ["a text with something after it", 'name: "Mr " & last # c', `name: '"Mr " & last' # c`],
    ["a name in backticks", "a: `Session ID`", "a: '`Session ID`'"],
    ["an at sign", "a: @odata.id", "a: '@odata.id'"],
    ["a parent", "a: %.x", "a: '%.x'"],
    ["a wildcard", "a: *.id", "a: '*.id'"],
    ["an object in a path", "a: records.{ 'id': id }", `a: "records.{ 'id': id }"`],
    ["an object with something after it", 'a: {"k": v}.k', `a: '{"k": v}.k'`],
    ["a position that YAML takes for a comment", "x: items #$i", "x: 'items #$i'"],
    ["a position before a comment", "x: items #$i[$i = 0]  # the first", "x: 'items #$i[$i = 0]'  # the first"],
    ["a hash inside a text", 'x: $f("a # b", c)  # d', `x: '$f("a # b", c)'  # d`],
    ["a template", "a: {{config.x}}", 'a: "{{config.x}}"'],
    ["a template with more behind it", "a: {{config.x}}/b   # t", 'a: "{{config.x}}/b"   # t'],
    ["a template in braces", "r: { get: /a/{{key}}/, q: 1 }", 'r: { get: "/a/{{key}}/", q: 1 }'],
    ["a sentence with a comma in braces", "{ say: No scope, ask an admin. }", "{ say: 'No scope, ask an admin.' }"],
    ["a call in braces", 'f: { b: $join([a, b], ","), c: d }', `f: { b: '$join([a, b], ",")', c: d }`],
    ["a membership in braces", 'f: { k: x in ["p"] }  # c', `f: { k: 'x in ["p"]' }  # c`],
    ["a call in braces that YAML cuts silently", "f: { b: $f(a, b) }", "f: { b: '$f(a, b)' }"],
    ["an item of a list", "- a ? b : c", "- 'a ? b : c'"],
    ["a key of a list's item", "- when: a ? b : c\n  do: skip", "- when: 'a ? b : c'\n  do: skip"],
    ["both kinds of quotes", `x: a ? 'b' : "c"  # d\ny: 1`, `x: |  # d\n  a ? 'b' : "c"\ny: 1`],
    ["a line that ends as on Windows", "n: a ? b : c\r\no: 1\r\n", "n: 'a ? b : c'\r\no: 1\r\n"],
    ["braces over several lines", "f: {\n  a: x in [1],   # one\n  b: { c: $f(a, b) }\n}", "f: {\n  a: 'x in [1]',   # one\n  b: { c: '$f(a, b)' }\n}"],
  ])("%s", (_, from, to) => {
    expect(formatYaml(from).text).toBe(to);
    expect(parseDocument(to).errors).toEqual([]);
    expect(formatYaml(to)).toEqual({ text: to, changes: [] });
  });

  test.each([
    ["a text with a comment", "x: items # note"], ["a comment without a space", "x: items #note"], ["a constant", 'country: \'"GB"\''], ["a time", "t: 10:30"], ["an address", "u: https://x.example/y?z=1#f"],
    ["a map", 'o: {"k": v}'], ["a list", "id: [a, b]"], ["a block", "k: |\n  a ? b : c\n  x: y\nl: z"], ["a folded block", "k: >-  # c\n    a: b ? c : d\n\n    e\nl: z"], ["a text over lines", 'a: "one\n  two: three"\nb: c'],
    ["a map in a list", "- { when: status = 403, do: skip }"], ["a path in braces", "r: { get: /users/, query: { a: b.c } }"], ["nested lists", "a: [[b, c], { d: [e] }]"], ["quotes inside", "a: it's"],
    ["a wrong indent that is somebody else's matter", "a:\n b: c\n   d: e"], ["two colons in a text", "title: Foo: bar"],
    ["comments in braces", "f: {\n  a: b # c, d\n  , e: f   # g\n}"], ["a comment after quotes in braces", "f: { a: 'b',   # it's\n  c: d }"],
  ])("%s stays as it is", (_, text) => expect(formatYaml(text)).toEqual({ text, changes: [] }));

  test("every shipped manifest stays as it is", () => {
    const files = ["connectors", "mappings", "presets"].flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml")).map((file) => join(folder, file)));
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      const text = readFileSync(join(ROOT, file), "utf8");
      expect({ file, ...formatManifest(file, text) }).toEqual({ file, text, changes: [] });
    }
  });

  test("made expressions in made manifests come out as they were written, with every comment", () => {
    const next = random(11);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)]!;
    const expressions = ["a", "a.b", "a ? b : c", "a ? 'x' : \"y\"", '"Mr " & last', "'it' & x", "a in [1, 2]", "$f(a, b)", "x.{ 'k': v }", "items #$i", "`odd name`.b", "a[b = 'c']", "$lowercase(a)", "{ 'k': v }.k", "%.a", "*.id", "a & \" # \" & b", "a = null"];
    const comments = ["", "", "  # why", " # it's so: a ? b", "   # {[\"'"];
    for (let round = 0; round < 500; round++) {
      const fields = Array.from({ length: 1 + Math.floor(next() * 5) }, (_, index) => ({ name: `f${index}`, expression: pick(expressions), comment: pick(comments), inFlow: next() < 0.3 }));
      const text = `# head\nfields:\n${fields.map(({ name, expression, comment, inFlow }) => (inFlow ? `  ${name}: { key: ${expression}, ref: user }${comment}` : `  ${name}: ${expression}${comment}`)).join("\n")}\nend: 1 # end\n`;
      const formatted = formatYaml(text);
      const read = parseYaml(formatted.text) as { fields: Record<string, string | { key: string; ref: string }>; end: number };
      const expected = Object.fromEntries(fields.map(({ name, expression, inFlow }) => [name, inFlow ? { key: expression, ref: "user" } : expression]));
      const actual = Object.fromEntries(Object.entries(read.fields).map(([name, value]) => [name, typeof value === "string" ? value.trimEnd() : value]));
      expect(actual).toEqual(expected);
      expect(read.end).toBe(1);
      for (const { comment } of fields) expect(formatted.text).toContain(comment);
      expect(formatYaml(formatted.text).changes).toEqual([]);
      for (const { expression } of fields) expect(parse(expression).problems.filter(({ code }) => code !== "S0217")).toEqual([]);
    }
  });
});

describe("the = of a key that is always an expression", () => {
  const mapping = (fields: string) => `mapping: hubspot/x\nfrom: hubspot.companies\nto: employer\nfields:\n${fields}`;
  const formatted = (fields: string) => formatManifest("mappings/hubspot/x.yaml", mapping(fields)).text.slice(mapping("").length);

  test.each([
    ["  name: =properties.name  # c\n", "  name: properties.name  # c\n"],
    ["  name: = properties.name\n", "  name: properties.name\n"],
    ['  country: ="GB"\n', "  country: '\"GB\"'\n"],
    ["  name: '=properties.name'\n", "  name: 'properties.name'\n"],
    ["  name: |\n    =properties.name\n", "  name: |\n    properties.name\n"],
    ["  owner: { ref: user, key: =properties.owner }\n", "  owner: { ref: user, key: properties.owner }\n"],
    ['  a: "Mr " & x & \'y\'\n  b: =c\n', '  a: |\n    "Mr " & x & \'y\'\n  b: c\n'],
  ])("%j", (from, to) => expect(formatted(from)).toBe(to));

  test("stays where a text may also be a template", () => {
    const connector = 'connector: acme\ntitle: Acme\nhttp: { base_url: "https://acme.example" }\nstreams:\n  users: { get: /users, query: { page: "=page.number" } }\n';
    expect(formatManifest("connectors/acme/connector.yaml", connector).text).toBe(connector);
  });

  test("a change is told at the line it had", () => {
    expect(formatManifest("mappings/hubspot/x.yaml", mapping('  a: "Mr " & x & \'y\'\n  b: =c\n')).changes.map(({ line }) => line)).toEqual([5, 6]);
  });
});

describe("plugboard fmt", () => {
  let folder = "";
  const main = join(ROOT, "server/cli/main.ts");
  const plugboard = (...args: string[]) => spawnSync(process.execPath, [main, "fmt", ...args], { encoding: "utf8", cwd: folder, env: { ...process.env, NO_COLOR: "1" } });
  const file = () => join(folder, "mappings/acme/user.yaml");
  const WRITTEN = "mapping: acme/user\nfrom: acme.users\nto: learner\nfields:\n  full_name: a ? b : c   # why\n";

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "plugboard-fmt-"));
    mkdirSync(join(folder, "mappings/acme"), { recursive: true });
    mkdirSync(join(folder, "presets/p/releases"), { recursive: true });
    writeFileSync(join(folder, "workspace.yaml"), "name: Acme\n");
    writeFileSync(join(folder, "presets/p/releases/1.yaml"), "frozen: a ? b : c\n");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("--check says what would change, changes nothing and exits with 1", () => {
    writeFileSync(file(), WRITTEN);
    const { status, stdout } = plugboard("--check");
    expect(status).toBe(1);
    expect(stdout).toContain("mappings/acme/user.yaml:5");
    expect(stdout).toContain("+ 'a ? b : c'");
    expect(readFileSync(file(), "utf8")).toBe(WRITTEN);
  });

  test("writes the file, leaves frozen releases alone, and has nothing to do the second time", () => {
    writeFileSync(file(), WRITTEN);
    expect(plugboard().status).toBe(0);
    expect(readFileSync(file(), "utf8")).toBe(WRITTEN.replace("a ? b : c", "'a ? b : c'"));
    expect(readFileSync(join(folder, "presets/p/releases/1.yaml"), "utf8")).toBe("frozen: a ? b : c\n");
    expect(plugboard("--check").status).toBe(0);
  });

  test("a file that still does not parse is named, with exit code 1; a path that is not there has 2", () => {
    writeFileSync(file(), `${WRITTEN}title: Foo: bar\n`);
    const { status, stdout } = plugboard(file(), "--json");
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, checked: 1, files: [{ file: "mappings/acme/user.yaml", changes: [{ line: 5 }], left: { line: 6 } }] });
    expect(plugboard("nowhere").status).toBe(2);
  });
});
