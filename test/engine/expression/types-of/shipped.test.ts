import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { isScalar, parse as parseYaml, parseDocument, visit } from "yaml";
import { parse, print } from "../../../../engine/expression/syntax/index.ts";
import { lintMapping, type MappingText, type Schema } from "../../../../engine/expression/types-of/index.ts";
import { RECORD_SCHEMAS } from "./record-schemas.ts";

const ROOT = new URL("../../../..", import.meta.url).pathname;
const yamlFiles = (folder: string): string[] => readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml")).map((file) => join(ROOT, folder, file)).sort();

interface MappingFile { from: string; to: string; where?: string; fields: Record<string, string | number | boolean | { ref: string; key: string }>; tests?: { given: unknown }[] }

const readMapping = (file: string): MappingFile => parseYaml(readFileSync(file, "utf8")) as MappingFile;
const bare = (expression: string): string => expression.replace(/^\s*=/, "");

function textsOf({ where, fields }: MappingFile): MappingText {
  const sources = Object.entries(fields).map(([name, field]) => [name, typeof field === "string" ? { expression: bare(field) } : typeof field === "object" ? { ref: field.ref, key: bare(field.key) } : { constant: field }] as const);
  return { ...(where === undefined ? {} : { where: bare(where) }), fields: Object.fromEntries(sources) };
}

function entitySchema(id: string): Schema | undefined {
  try {
    return JSON.parse(readFileSync(join(ROOT, `schemas/entities/${id}.schema.json`), "utf8")) as Schema;
  } catch {
    return undefined;        // the input of an action
  }
}

/** The schema that a connector ships for a stream. */
function shippedSchema(from: string): Schema | undefined {
  const [connector, stream = ""] = from.split(".");
  try {
    const manifest = parseYaml(readFileSync(join(ROOT, `connectors/${connector}/connector.yaml`), "utf8")) as { streams?: Record<string, { schema?: string }> };
    const file = manifest.streams?.[stream]?.schema;
    return file === undefined ? undefined : JSON.parse(readFileSync(join(ROOT, `connectors/${connector}/${file}`), "utf8")) as Schema;
  } catch {
    return undefined;
  }
}

describe("no lint fires on a shipped mapping", () => {
  test.each(yamlFiles("mappings").map((file) => [relative(ROOT, file), file] as const))("%s", (_, file) => {
    const mapping = readMapping(file);
    const target = entitySchema(mapping.to);
    const samples = (mapping.tests ?? []).map(({ given }) => given);
    const sources: [string, Schema | undefined, unknown[] | undefined][] = [
      ["nothing known", undefined, undefined],
      ["the records of its own tests", undefined, samples],
      ["the provider's documentation", RECORD_SCHEMAS[mapping.from], undefined],
      ["documentation and tests", RECORD_SCHEMAS[mapping.from], samples],
      ["the connector's schema", shippedSchema(mapping.from), undefined],
    ];
    // A test that must be refused shows a record that is wrong on purpose.
    const alarms = sources.flatMap(([known, source, seen]) => lintMapping(textsOf(mapping), source, target, seen ? { samples: seen } : {}).map(({ at, code, message }) => `${known}: ${at} ${code} ${message}`));
    expect(alarms).toEqual([]);
  });
});

test("every text of every shipped manifest prints back byte for byte, expression or not", () => {
  let expressions = 0;
  for (const file of ["connectors", "mappings", "presets"].flatMap(yamlFiles)) {
    visit(parseDocument(readFileSync(file, "utf8")), {
      Scalar(_key, node) {
        if (!isScalar(node) || typeof node.value !== "string") return;
        const text = bare(node.value);
        const { tree, problems } = parse(text);
        if (problems.length === 0) expressions++;
        expect(print(tree)).toBe(text);
      },
    });
  }
  expect(expressions).toBeGreaterThan(100);
});
