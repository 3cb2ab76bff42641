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
import { someBroken } from "./broken.ts";
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

describe("the walk and Ajv agree about", () => {
  test.for([...own, ...page])("$name", ({ kind, value }) => {
    const ajv = validator(`${kind}.schema.json`);
    const schema = schemaAt(`${kind}.schema.json`);
    const disagreements: string[] = [];
    let invalid = 0;
    for (const each of [value, ...someBroken(value, MOST)]) {
      const walked = checkShape(each, schema).findings.length === 0;
      if (!walked) invalid++;
      if (ajv(each) !== walked) disagreements.push(`${walked ? "the walk finds nothing, Ajv" : "Ajv finds nothing, the walk"} ${JSON.stringify(walked ? ajv.errors?.at(-1) : checkShape(each, schema).findings[0])}`);
    }
    expect([...new Set(disagreements)].slice(0, 5)).toEqual([]);
    expect(invalid).toBeGreaterThan(5);
  });
});
