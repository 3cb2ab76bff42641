/** An entity's schema with all layers, and a row against it. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { isMap, merged } from "./merged.ts";
import type { JsonObject, Workspace } from "./types.ts";

/** Our own words beside JSON Schema's, which a row is not checked against. */
const OWN_WORDS = ["$schema", "$id", "rules", "examples"];

const compiled = new WeakMap<JsonObject, ValidateFunction | undefined>();
const schemas = new WeakMap<Workspace, Map<string, JsonObject>>();

export function entitySchema(id: string, workspace: Workspace): JsonObject | undefined {
  const layers = workspace.entities.get(id);
  if (!layers) return undefined;
  const known = schemas.get(workspace) ?? new Map<string, JsonObject>();
  schemas.set(workspace, known);
  const schema = known.get(id) ?? ({ type: "object", additionalProperties: false, ...merged(layers) } as JsonObject);
  known.set(id, schema);
  return schema;
}

/** What makes the row no such entity. A schema that is none refuses nothing: its mistakes are the entity file's problem. */
export function entityProblems(schema: JsonObject, row: JsonObject): { field: string; detail: string }[] {
  if (!compiled.has(schema)) compiled.set(schema, tried(schema));
  const validate = compiled.get(schema);
  if (!validate || validate(row)) return [];
  return (validate.errors ?? []).map((error) => ({ field: fieldOf(error), detail: `${fieldOf(error) || "it"} ${wordsOf(error)}` }));
}

function tried(schema: JsonObject): ValidateFunction | undefined {
  try {
    return compileEntity(schema);
  } catch {
    return undefined;
  }
}

/** @throws Error when it is not a JSON Schema. */
export function compileEntity(schema: JsonObject): ValidateFunction {
  const own = Object.fromEntries(Object.entries(schema).filter(([key]) => !OWN_WORDS.includes(key)));
  if (isMap(own.properties)) own.properties = { custom: { type: "object" }, ...own.properties };
  try {
    return ajv.compile(own);
  } finally {
    // The function lives on without the instance's cache, which would keep every version of every entity.
    ajv.removeSchema(own);
  }
}

const ajv = new Ajv2020({ allErrors: true, strict: false, logger: false });
(addFormats as unknown as (instance: Ajv2020) => void)(ajv);

/** Formats of JSON Schema that rows are checked for. */
export const FORMATS: readonly string[] = ["date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "uri-template", "uuid", "regex", "json-pointer", "relative-json-pointer", ...Object.keys(ajv.formats)]
  .filter((name, index, all) => all.indexOf(name) === index && name in ajv.formats);

/** What makes a schema none, by JSON Schema's own schema. */
export function schemaErrors(schema: JsonObject): readonly ErrorObject[] {
  return ajv.validateSchema(schema) === true ? [] : [...(ajv.errors ?? [])];
}

const fieldOf = (error: ErrorObject): string => [...error.instancePath.split("/").slice(1), ...(error.keyword === "required" ? [String(error.params.missingProperty)] : error.keyword === "additionalProperties" ? [String(error.params.additionalProperty)] : [])].join(".");

function wordsOf(error: ErrorObject): string {
  switch (error.keyword) {
    case "required": return "is missing";
    case "additionalProperties": return "is no field of it";
    case "type": return `must be ${[error.params.type].flat().join(" or ")}`;
    case "enum": return `must be one of ${(error.params.allowedValues as unknown[]).join(", ")}`;
    case "format": return `must be a ${String(error.params.format)}`;
    default: return error.message ?? "is not valid";
  }
}
