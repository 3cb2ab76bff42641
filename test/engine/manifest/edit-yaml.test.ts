import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { editYaml, type YamlEdit } from "../../../engine/manifest/edit-yaml.ts";
import type { Json } from "../../../engine/manifest/types.ts";

const ACME = `tenant: acme                                # only what differs from the preset
title: Acme Training Ltd
preset: aptem-hubspot
connections:
  aptem: { config: { tenant_host: acme } }
flows:
  learners:
    from: { every: 15m }                    # the preset says hourly
    map: { fields: { custom.division: UserCustom_Division } }   # a column that only Acme has
`;
const set = (pointer: string, value: Json): YamlEdit => ({ pointer, value });
const edited = (text: string, edits: readonly YamlEdit[], file = "tenants/acme.yaml") => editYaml(text, file, edits);
/** The lines that differ, as `git diff` shows them. */
const diff = (before: string, after: string): string[] => {
  const [a, b] = [before.split("\n"), after.split("\n")];
  while (a.length && b.length && a[0] === b[0]) { a.shift(); b.shift(); }
  while (a.length && b.length && a.at(-1) === b.at(-1)) { a.pop(); b.pop(); }
  return [...a.map((line) => `-${line}`), ...b.map((line) => `+${line}`)];
};

const GOLDEN: readonly (readonly [name: string, text: string, edits: readonly YamlEdit[], expected: readonly string[]])[] = [
  ["one value is one line, and keeps its comment", ACME, [set("/flows/learners/from/every", "5m")],
    ["-    from: { every: 15m }                    # the preset says hourly", "+    from: { every: 5m }                    # the preset says hourly"]],
  ["one field more in braces is one line", ACME, [set("/flows/learners/map/fields/custom.owner", "UserPersonalDetails_OwnerId")],
    ["-    map: { fields: { custom.division: UserCustom_Division } }   # a column that only Acme has", "+    map: { fields: { custom.division: UserCustom_Division, custom.owner: UserPersonalDetails_OwnerId } }   # a column that only Acme has"]],
  ["an expression that braces would break is quoted", ACME, [set("/flows/learners/map/fields/custom.division", "a ? [b, c] : {\"x\": 'y'}")],
    ["-    map: { fields: { custom.division: UserCustom_Division } }   # a column that only Acme has", "+    map: { fields: { custom.division: 'a ? [b, c] : {\"x\": ''y''}' } }   # a column that only Acme has"]],
  ["the first override of another flow is a block", ACME, [set("/flows/employers/from/every", "2h")], ["+  employers:", "+    from:", "+      every: 2h"]],
  ["the first override of a tenant is a block", "tenant: bolt\npreset: aptem@3\n", [set("/flows/learners/from/every", "15m"), set("/flows/learners/map/fields/custom.x", "y")],
    ["+flows:", "+  learners:", "+    from:", "+      every: 15m", "+    map:", "+      fields:", "+        custom.x: y"]],
  ["a reset takes what it leaves empty with it, and nothing else", ACME, [{ pointer: "/flows/learners/map/fields/custom.division" }],
    ["-    map: { fields: { custom.division: UserCustom_Division } }   # a column that only Acme has"]],
  ["the last override gone, its section is gone", ACME, [{ pointer: "/flows/learners/map" }, { pointer: "/flows/learners/from/every" }],
    ["-flows:", "-  learners:", "-    from: { every: 15m }                    # the preset says hourly", "-    map: { fields: { custom.division: UserCustom_Division } }   # a column that only Acme has"]],
  ["a map over a map changes only the members that differ", ACME, [set("/flows/learners/from", { cron: "0 7 * * 1", time_zone: "Europe/London" })],
    ["-    from: { every: 15m }                    # the preset says hourly", "+    from: { cron: 0 7 * * 1, time_zone: Europe/London }                    # the preset says hourly"]],
  ["text that looks like something else is quoted", ACME, [set("/title", "true")], ["-title: Acme Training Ltd", "+title: 'true'"]],
  ["text of several lines is a block", ACME, [set("/title", "one\ntwo")], ["-title: Acme Training Ltd", "+title: |-", "+  one", "+  two"]],
  ["a block becomes a line", "a: |\n  x\n  y   # text\nb: 1\n", [set("/a", "z")], ["-a: |", "-  x", "-  y   # text", "+a: z"]],
  ["a value where none stood", "a:   # why\nb: 1\n", [set("/a", 3)], ["-a:   # why", "+a: 3   # why"]],
  ["members where none stood", "a:   # why\nb: 1\n", [set("/a/c", 3)], ["-a:   # why", "+a: { c: 3 }   # why"]],
  ["a map becomes text of several lines, and keeps the comment of its key", "a:   # why\n  x: 1\n  y: 2\nb: 1\n", [set("/a", "p\nq\n")], ["-a:   # why", "-  x: 1", "-  y: 2", "+a: |   # why", "+  p", "+  q"]],
  ["comments inside what is replaced go with it", "a:\n  x: 1   # one\n\n    # more\n  # inside\n# outside\nb: 1\n", [set("/a", "p\nq\n")], ["-a:", "-  x: 1   # one", "-", "-    # more", "-  # inside", "+a: |", "+  p", "+  q"]],
  ["a value becomes a long list, and keeps its comment", "a: 1   # why\nb: 1\n", [set("/a", [{ x: 1 }, { x: "p\nq" }])], ["-a: 1   # why", "+a:   # why", "+  - x: 1", "+  - x: |-", "+      p", "+      q"]],
  ["a flow map becomes text of several lines", "a: { x: 1 }   # why\nb: 1\n", [set("/a", "p\nq\n")], ["-a: { x: 1 }   # why", "+a: |   # why", "+  p", "+  q"]],
  ["quotes stay the same quotes", "a: \"x\"\nb: 'y'   # z\n", [set("/a", "it's"), set("/b", "it's")], ["-a: \"x\"", "-b: 'y'   # z", "+a: \"it's\"", "+b: 'it''s'   # z"]],
  ["an item of a list", "a: [x, y]\nb:\n  - 1   # one\n  - 2\n", [set("/a/1", "z"), set("/a/-", "w"), set("/b/-", 3), { pointer: "/b/0" }], ["-a: [x, y]", "-  - 1   # one", "+a: [x, z, w]", "+  - 3"]],
  ["the first member of an item in a list", "a:\n  - x: 1\n    y: 2\n", [{ pointer: "/a/0/x" }], ["-  - x: 1", "-    y: 2", "+  - y: 2"]],
  ["a file without a last line break", "a: 1", [set("/b", 2)], ["+b: 2"]],
  ["lines that end as Windows ends them", "a: 1\r\nb: 2\r\n", [set("/c", { d: "x\ny" }), set("/a", 3)], ["-a: 1\r", "+a: 3\r", "+c:\r", "+  d: |-\r", "+    x\r", "+    y\r"]],
];
test.each(GOLDEN)("%s", (_name, text, edits, expected) => {
  const after = edited(text, edits);
  const lines = diff(text, after).toSorted();
  // Lines between the first and the last change stand on both sides.
  const both = lines.filter((line) => line.startsWith("-") && lines.includes(`+${line.slice(1)}`)).flatMap((line) => [line, `+${line.slice(1)}`]);
  const wanted = expected.filter((line) => !both.includes(line)).toSorted();
  expect(lines.filter((line) => !both.includes(line))).toEqual(wanted);
});

test("a JSON schema keeps its layout", () => {
  const text = `{\n  "$id": "ticket",\n  "properties": {\n    "title": { "type": "string" },\n    "custom": { "type": "object" }\n  }\n}\n`;
  const after = editYaml(text, "schemas/entities/ticket.schema.json", [set("/properties/status", { type: "string", enum: ["open", "closed"] }), set("/properties/title/type", "integer")]);
  expect(after).toBe(`{\n  "$id": "ticket",\n  "properties": {\n    "title": { "type": "integer" },\n    "custom": { "type": "object" },\n    "status": { "type": "string", "enum": [ "open", "closed" ] }\n  }\n}\n`);
});

test.each([
  ["members of a text", [set("/title/x", 1)], "/title/x"], ["a pointer without its slash", [set("title", 1)], "title"], ["an item far behind the end", [set("/list/7", 1)], "/list/7"], ["a key that is none", [set("/__proto__/x", 1)], "/__proto__/x"],
])("%s: refused, with the pointer", (_name, edits, pointer) => expect(() => edited(`${ACME}list: [1]\n`, edits)).toThrow(expect.objectContaining({ code: "CHANGE_EDIT", params: expect.objectContaining({ pointer, file: "tenants/acme.yaml" }) })));
test("a file that is no YAML is told with its place, and not edited", () => expect(() => edited("a: [1\nb: 2\n", [set("/b", 3)])).toThrow(expect.objectContaining({ code: "MANIFEST_YAML", at: expect.objectContaining({ file: "tenants/acme.yaml" }) })));
test("a value set to what it is changes no byte", () => expect(edited(ACME, [set("/flows/learners/from", { every: "15m" }), set("/title", "Acme Training Ltd"), { pointer: "/nowhere/x" }])).toBe(ACME));

// ── every manifest we ship, edited at random ────────────────────────────────────────────────────────────────────────────

const files = ["connectors", "mappings", "presets"].flatMap((room) => readdirSync(room, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml")).map((file) => path.join(room, file)));
const random = (seed: number) => () => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 2147483648; };
const VALUES: readonly Json[] = ["15m", "a, b", "it's \"x\"", "# no", "=x ? [1] : {\"a\": 1}", "one\n  two\n", "", " x ", "null", 7, true, null, ["a", "b, c"], { b: 1, c: { d: ["e"] } }, [{ a: "x" }], {}, "{{config.x}}", "- x", "a: b", "é\u0007"];

/** Every pointer of a value. */
const pointers = (value: Json, at = ""): string[] =>
  typeof value === "object" && value !== null ? Object.entries(value).flatMap(([key, member]) => { const inner = `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`; return [inner, ...pointers(member as Json, inner)]; }) : [];
const lookUp = (value: Json, pointer: string): Json | undefined => pointer.split("/").slice(1).reduce<Json | undefined>((here, key) => (here as Record<string, Json> | undefined)?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], value);

test("in every manifest we ship, any value can be set, added or removed: the file then says that, and the lines before and after it stay", () => {
  const next = random(20261121);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  let edits = 0;
  const refused: string[] = [];
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    const before = parse(text) as Json;
    const all = pointers(before);
    for (let round = 0; round < 25; round++) {
      const pointer = pick(all);
      const kind = pick(["set", "add", "remove"] as const);
      const target = kind === "add" ? `${pointer}/new key` : pointer;
      const value = pick(VALUES);
      const isMap = (found: Json | undefined) => typeof found === "object" && found !== null && !Array.isArray(found);
      if (kind === "add" && !isMap(lookUp(before, pointer))) continue;
      let after: string;
      try {
        after = editYaml(text, file, [kind === "remove" ? { pointer: target } : { pointer: target, value }]);
      } catch (thrown) {
        refused.push(`${file} ${kind} ${target} ${JSON.stringify(value)}: ${(thrown as Error).message}`);
        continue;
      }
      edits++;
      const now = parse(after) as Json;
      if (kind === "remove") expect(lookUp(now, target) === undefined || Array.isArray(lookUp(before, target.slice(0, target.lastIndexOf("/"))))).toBe(true);
      else expect(lookUp(now, target) ?? null, `${file} ${target}`).toEqual(value);
      // What the edit does not name stands where it stood: every comment is still there, unless its line went.
      const lost = diff(text, after).filter((line) => line.startsWith("-")).length;
      if (kind === "add") expect(lost, `${file} ${target}\n${diff(text, after).join("\n")}`).toBeLessThanOrEqual(1);
    }
  }
  expect(refused).toEqual([]);
  expect(edits).toBeGreaterThan(200);
});
