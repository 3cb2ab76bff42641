import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { schemas } from "../../schemas/bundle.gen.ts";
import { checkShape } from "../../engine/manifest/check-shape.ts";
import { schemaAt } from "../../engine/manifest/schema-shape.ts";
import type { Json } from "../../engine/manifest/types.ts";
import { ajvOfSchemas, OWN_WORDS } from "./ajv.ts";

type Part = Record<string, unknown>;

/** Every subschema, with where it stands. */
function* parts(schema: unknown, path: string, pointer = ""): Generator<{ path: string; pointer: string; part: Part; inProperties: boolean }> {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return;
  const part = schema as Part;
  yield { path, pointer, part, inProperties: /\/properties\/[^/]+$/.test(pointer) && pointer !== "/properties/properties/additionalProperties" };
  for (const [word, value] of Object.entries(part)) {
    const at = `${pointer}/${word}`;
    if (word === "properties" || word === "$defs") for (const [name, inner] of Object.entries(value as Part)) yield* parts(inner, path, `${at}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`);
    else if (["items", "additionalProperties", "propertyNames"].includes(word)) yield* parts(value, path, at);
    else if (["anyOf", "oneOf", "allOf"].includes(word)) for (const [index, inner] of (value as unknown[]).entries()) yield* parts(inner, path, `${at}/${index}`);
  }
}

const all = [...schemas].flatMap(([path, schema]) => [...parts(schema, path)]);

test("every schema is one that Ajv takes in strict mode", () => {
  const validator = ajvOfSchemas();
  expect([...schemas.keys()].filter((path) => validator(path) === undefined)).toEqual([]);
});

test("every property says what it is and shows an example", () => {
  const silent = all.filter(({ inProperties, part }) => inProperties && (typeof part.description !== "string" || part.description === "" || !Array.isArray(part.examples) || part.examples.length === 0));
  expect(silent.map(({ path, pointer }) => `${path}#${pointer}`)).toEqual([]);
});

test("every object says which other members it takes", () => {
  const bases = new Set(all.flatMap(({ path, part }) => ((part.allOf ?? []) as Part[]).map(({ $ref }) => { const [file, pointer = ""] = String($ref).split("#"); return `${file === "" ? path : file}#${pointer}`; })));
  const open = all.filter(({ path, pointer, part }) => part.type === "object" && part.additionalProperties === undefined && part.unevaluatedProperties === undefined && !bases.has(`${path}#${pointer}`));
  expect(open.map(({ path, pointer }) => `${path}#${pointer}`)).toEqual([]);
});

test("no schema has a word that nobody registered", () => {
  const own = new Set([...OWN_WORDS, "x-choice", "x-one-of"]);
  expect(all.flatMap(({ path, pointer, part }) => Object.keys(part).filter((word) => word.startsWith("x-") && !own.has(word)).map((word) => `${path}#${pointer}/${word}`))).toEqual([]);
});

describe("every example is valid where it stands", () => {
  const examples = all.filter(({ part }) => Array.isArray(part.examples));
  test.for([...new Set(examples.map(({ path }) => path))])("%s", (path) => {
    const wrong = examples.filter((each) => each.path === path).flatMap(({ pointer, part }) => (part.examples as Json[]).flatMap((example) =>
      checkShape(example, schemaAt(path, pointer)).findings.map((finding) => `${pointer} ${JSON.stringify(example)}: ${finding.code} ${JSON.stringify(finding.params)}`)));
    expect(wrong).toEqual([]);
  });
});

test("a component either has a file in the engine, or says that it is not running yet", () => {
  const root = new URL("../../", import.meta.url);
  const wrong = [...schemas].flatMap(([path, schema]) => {
    const match = /^components\/(\w+)\/(\w+)\.schema\.json$/.exec(path);
    if (!match) return [];
    const runs = existsSync(new URL(`engine/components/${match[1]}/${match[2]}.ts`, root));
    return runs === ((schema as Part)["x-not-running-yet"] === undefined) ? [] : [`${path} ${runs ? "has a file, but says it does not run" : "has no file in engine/components"}`];
  });
  expect(wrong).toEqual([]);
  for (const kind of readdirSync(new URL("engine/components", root), { withFileTypes: true })) {
    if (!kind.isDirectory() || kind.name === "shared" || kind.name === "transport") continue;
    for (const file of readdirSync(new URL(`engine/components/${kind.name}`, root)).filter((name) => name.endsWith(".ts"))) {
      expect(schemas.has(`components/${kind.name}/${file.replace(".ts", ".schema.json")}`), `${kind.name}/${file} has a schema`).toBe(true);
    }
  }
});
