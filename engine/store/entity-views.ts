/** Columns of an entity's SQL views, from its JSON Schema. */
import type { Json, JsonObject } from "../manifest/types.ts";
import type { EntityPlan } from "../plan/types.ts";

export interface ViewColumn {
  readonly name: string;
  readonly kind: "text" | "numeric" | "boolean" | "timestamptz" | "date" | "jsonb";
  readonly from: "data" | "labels";
  readonly path: readonly string[];
  readonly comment: string | null;
}

/** Longest name PostgreSQL keeps, in bytes. */
const MAX_NAME_BYTES = 63;
/** What the views have beside the entity's fields. */
const OWN_COLUMNS = ["id", "links", "created_at", "updated_at", "connection", "stream", "key", "version"];

/**
 * Fields in the schema's order, then `custom_<name>`, then labels under their own names. A name that is taken gets a prefix.
 * A view serves all tenants: custom fields and labels are the union of theirs.
 */
export function viewColumns(entity: EntityPlan, labels: readonly string[]): ViewColumn[] {
  const properties = (entity.schema["properties"] ?? {}) as Record<string, JsonObject>;
  const taken = new Set(OWN_COLUMNS);
  const columns: ViewColumn[] = [];
  const add = (wanted: string, prefix: string, column: Omit<ViewColumn, "name">) => {
    const name = cut(taken.has(wanted) ? `${prefix}_${wanted}` : wanted);
    if (taken.has(name)) return;
    taken.add(name);
    columns.push({ name, ...column });
  };
  for (const [name, schema] of Object.entries(properties)) {
    if (name !== "custom") add(name, "field", { kind: kindOf(schema), from: "data", path: [name], comment: commentOf(schema) });
  }
  const customSchemas = (properties["custom"]?.["properties"] ?? {}) as Record<string, JsonObject>;
  for (const name of new Set([...Object.keys(customSchemas), ...entity.custom])) {
    const schema = customSchemas[name];
    add(`custom_${name}`, "field", { kind: schema ? kindOf(schema) : "text", from: "data", path: ["custom", name], comment: schema ? commentOf(schema) : null });
  }
  for (const name of new Set(labels)) {
    add(name, "label", { kind: "text", from: "labels", path: [name], comment: null });
  }
  return columns;
}

function kindOf(schema: JsonObject): ViewColumn["kind"] {
  const types = ([] as Json[]).concat(schema["type"] ?? inferred(schema)).filter((type) => type !== "null");
  if (types.length !== 1) return types.every((type) => type === "integer" || type === "number") && types.length > 0 ? "numeric" : "jsonb";
  switch (types[0]) {
    case "integer": case "number": return "numeric";
    case "boolean": return "boolean";
    case "string": return schema["format"] === "date-time" ? "timestamptz" : schema["format"] === "date" ? "date" : "text";
    default: return "jsonb";
  }
}

/** The type of a schema that lists its values instead. */
function inferred(schema: JsonObject): Json[] {
  const values = "const" in schema ? [schema["const"]] : Array.isArray(schema["enum"]) ? schema["enum"] : [];
  return [...new Set(values.map((value) => value === null ? "null" : Array.isArray(value) ? "array" : typeof value))];
}

const commentOf = (schema: JsonObject): string | null => {
  const title = schema["x-label"] ?? schema["title"] ?? schema["description"];
  return typeof title === "string" ? title : null;
};

function cut(name: string): string {
  let short = name;
  while (Buffer.byteLength(short) > MAX_NAME_BYTES) short = short.slice(0, -1);
  return short;
}
