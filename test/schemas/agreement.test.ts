/** The validator's own walk says "valid" exactly where Ajv does: on real manifests, and on each of them broken in every place. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { checkShape } from "../../engine/manifest/check-shape.ts";
import { placeOf } from "../../engine/manifest/places.ts";
import { schemaAt } from "../../engine/manifest/schema-shape.ts";
import type { Json } from "../../engine/manifest/types.ts";
import { ajvOfSchemas } from "./ajv.ts";
import { languageBlocks, manifestOf } from "./language-blocks.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const validator = ajvOfSchemas();

const own = ["connectors", "mappings", "presets", "schemas/entities"].flatMap((room) => readdirSync(join(ROOT, room), { recursive: true }).map((name) => `${room}/${String(name)}`))
  .filter((path) => placeOf(path)).map((path) => ({ name: path, kind: placeOf(path)!.kind, value: parse(readFileSync(join(ROOT, path), "utf8")) as Json }));
const page = languageBlocks().map((block) => {
  const { path, text } = manifestOf(block);
  return { name: `language.md:${block.line}`, kind: placeOf(path)!.kind, value: parse(text) as Json };
});

/** Broken variants tried of one manifest, evenly over it. */
const MOST = 400;

/** The value with one place changed: a member gone, renamed or null, a scalar of another kind. */
function* broken(value: Json): Generator<Json> {
  if (Array.isArray(value)) {
    yield {};
    for (const [index, item] of value.entries()) for (const other of broken(item as Json)) yield value.with(index, other);
  } else if (typeof value === "object" && value !== null) {
    yield [];
    yield { ...value, zzz: 1 };
    for (const [key, member] of Object.entries(value)) {
      const { [key]: _gone, ...rest } = value as Record<string, Json>;
      yield rest;
      yield { ...rest, [`${key}_`]: member };
      yield { ...rest, [key]: null };
      for (const other of broken(member as Json)) yield { ...rest, [key]: other };
    }
  } else for (const other of ["other text", -1.5, true, {}]) yield other;
}

describe("the walk and Ajv agree about", () => {
  test.for([...own, ...page])("$name", ({ kind, value }) => {
    const ajv = validator(`${kind}.schema.json`);
    const schema = schemaAt(`${kind}.schema.json`);
    const disagreements: string[] = [];
    let invalid = 0;
    const variants = [...broken(value)];
    const step = Math.ceil(variants.length / MOST);
    for (const each of [value, ...variants.filter((_, index) => index % step === 0)]) {
      const walked = checkShape(each, schema).findings.length === 0;
      if (!walked) invalid++;
      if (ajv(each) !== walked) disagreements.push(`${walked ? "the walk finds nothing, Ajv" : "Ajv finds nothing, the walk"} ${JSON.stringify(walked ? ajv.errors?.at(-1) : checkShape(each, schema).findings[0])}`);
    }
    expect([...new Set(disagreements)].slice(0, 5)).toEqual([]);
    expect(invalid).toBeGreaterThan(5);
  });
});
