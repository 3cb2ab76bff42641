/** Entity files are JSON Schemas: the words of JSON Schema in them are right, and so is what stands under each. */
import type { Problem } from "../errors/plugboard-error.ts";
import { nearest, suggest } from "../errors/nearest.ts";
import { show } from "./describe.ts";
import { isMap, merged } from "./merged.ts";
import { compileEntity, FORMATS, schemaErrors } from "./entity-schema.ts";
import type { Json, JsonObject, Manifest, Workspace } from "./types.ts";

const WORDS = ["$ref", "$defs", "$comment", "type", "enum", "const", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "format", "pattern", "minLength", "maxLength", "minimum", "maximum",
  "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "items", "prefixItems", "contains", "minContains", "maxContains", "minItems", "maxItems", "uniqueItems", "properties", "patternProperties", "additionalProperties",
  "unevaluatedProperties", "unevaluatedItems", "propertyNames", "required", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "contentEncoding", "contentMediaType"];
/** Our own words of a field, without their `x-`. */
const OUR_WORDS = ["label", "pii", "retention", "ref", "column", "unit"];
/** What a record has beside its fields, wherever it is read: a field of the same name would be hidden by it. */
const OF_EVERY_ROW: Readonly<Record<string, string>> = {
  id: "its own id", labels: "its labels", links: "its keys at the connections", created_at: "the time it was first stored", updated_at: "the time it last changed", deleted_at: "the time it ended",
};
/** Words under which a map of schemas stands. */
const MAPS = new Set(["properties", "patternProperties", "$defs", "dependentSchemas"]);
/** Words under which a schema, or a list of them, stands. */
const INNER = new Set(["items", "prefixItems", "contains", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "propertyNames", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"]);

export function checkEntities(workspace: Workspace): Problem[] {
  return [...workspace.entities.values()].flatMap((layers) => layers.flatMap((manifest) => checkEntity(manifest, layers)));
}

function checkEntity(manifest: Manifest, layers: readonly Manifest[]): Problem[] {
  const problems: Problem[] = [];
  const fields = isMap(manifest.value.properties) ? manifest.value.properties : {};
  for (const [name, field] of Object.entries(fields)) {
    if (Object.hasOwn(OF_EVERY_ROW, name)) problems.push({ code: "MANIFEST_RESERVED_NAME", severity: "error", pointer: `/properties/${escape(name)}`, at: manifest.locate(`/properties/${escape(name)}`, "key"), params: { name, owner: OF_EVERY_ROW[name]!, suggestion: `rename the field, for example: ${manifest.id.replaceAll("-", "_")}_${name}` } });
    if (isMap(field)) words(field, `/properties/${escape(name)}`, name);
  }
  if (problems.some(({ severity }) => severity === "error")) return problems;

  const { $id: _, $schema: _dialect, rules: _rules, ...schema } = manifest.value;
  const errors = schemaErrors(schema).toSorted((a, b) => b.instancePath.length - a.instancePath.length);
  if (errors.length > 0) {
    const told = new Set<string>();
    for (const { instancePath, keyword, params } of errors) {
      if ([...told].some((deeper) => deeper === instancePath || deeper.startsWith(`${instancePath}/`)) || keyword === "anyOf") continue;
      told.add(instancePath);
      const field = instancePath.split("/").at(-1) ?? "";
      const allowed = keyword === "enum" ? (params as { allowedValues: string[] }).allowedValues : undefined;
      const actual = valueAt(manifest.value, instancePath);
      problems.push({ code: "MANIFEST_WRONG_VALUE", severity: "error", pointer: instancePath, at: manifest.locate(instancePath), params: { field, expected: allowed ? `one of ${allowed.join(", ")}` : `what JSON Schema allows (${keyword} ${Object.values(params as object).map(String).join(", ")})`, actual: show(actual), suggestion: allowed ? (typeof actual === "string" ? TYPES[actual] ?? suggest(actual, allowed) : "") : "" } });
    }
    return problems;
  }
  try {
    compileEntity({ type: "object", ...merged(layers) });
  } catch (thrown) {
    problems.push({ code: "MANIFEST_WRONG_VALUE", severity: "error", pointer: "", at: manifest.locate("/properties", "key"), params: { field: manifest.id, expected: "a JSON Schema", actual: `one that does not compile: ${(thrown as Error).message}` } });
  }
  const required = Array.isArray(manifest.value.required) ? manifest.value.required : [];
  const known = Object.keys(isMap(merged(layers).properties) ? (merged(layers).properties as JsonObject) : {});
  required.forEach((name, index) => {
    if (!known.includes(String(name))) problems.push({ code: "MANIFEST_UNKNOWN_REFERENCE", severity: "error", pointer: `/required/${index}`, at: manifest.locate(`/required/${index}`), params: { kind: "Field", name: String(name), suggestion: suggest(String(name), known) } });
  });
  return problems;

  function words(schema: JsonObject, pointer: string, where: string): void {
    for (const [word, value] of Object.entries(schema)) {
      const at = `${pointer}/${escape(word)}`;
      const ours = word.startsWith("x-") && !OUR_WORDS.includes(word.slice(2)) ? nearest(word.slice(2), OUR_WORDS) : undefined;
      // Words of other tools are theirs to judge.
      if (ours !== undefined) problems.push({ code: "MANIFEST_UNKNOWN_FIELD", severity: "warning", pointer: at, at: manifest.locate(at, "key"), params: { field: word, where: `field '${where}'`, suggestion: `did you mean 'x-${ours}'?` } });
      else if (word === "format" && typeof value === "string" && !FORMATS.includes(value)) problems.push({ code: "MANIFEST_WRONG_VALUE", severity: "error", pointer: at, at: manifest.locate(at), params: { field: word, expected: "a format that rows are checked for", actual: show(value), suggestion: suggest(value, FORMATS) } });
      else if (!WORDS.includes(word) && !word.startsWith("x-")) problems.push({ code: "MANIFEST_UNKNOWN_FIELD", severity: "error", pointer: at, at: manifest.locate(at, "key"), params: { field: word, where: `field '${where}'`, suggestion: suggest(word, WORDS) } });
      else if (MAPS.has(word) && isMap(value)) for (const [name, inner] of Object.entries(value)) { if (isMap(inner)) words(inner, `${at}/${escape(name)}`, `${where}.${name}`); }
      else if (INNER.has(word)) (Array.isArray(value) ? value : [value]).forEach((inner, index) => { if (isMap(inner as Json)) words(inner as JsonObject, Array.isArray(value) ? `${at}/${index}` : at, where); });
    }
  }
}

/** Types of other languages, in JSON Schema's words. */
const TYPES: Readonly<Record<string, string>> = {
  text: "write string", int: "write integer", float: "write number", decimal: "write number", bool: "write boolean", list: "write array", map: "write object",
  date: 'write { "type": "string", "format": "date" }', datetime: 'write { "type": "string", "format": "date-time" }', "date-time": 'write { "type": "string", "format": "date-time" }', timestamp: 'write { "type": "string", "format": "date-time" }', email: 'write { "type": "string", "format": "email" }',
};

function valueAt(value: Json, pointer: string): Json {
  return pointer.split("/").slice(1).reduce<Json>((at, part) => (at as Record<string, Json> | null)?.[part.replaceAll("~1", "/").replaceAll("~0", "~")] ?? null, value);
}

const escape = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
