/** The JSON Schema that a connector ships for the records of a stream: for typing, documentation and Studio; no run checks records against it. */
import type { Problem } from "../errors/plugboard-error.ts";
import { suggest } from "../errors/nearest.ts";
import { schemaErrors } from "./entity-schema.ts";
import { isMap, merged } from "./merged.ts";
import { escape, mapOf } from "./references/names.ts";
import type { Json, JsonObject, Workspace } from "./types.ts";

const parsed = new WeakMap<Workspace, Map<string, JsonObject>>();

/** Of `<connector>.<stream>`; undefined when it ships none, or one that cannot be read. */
export function recordSchema(connector: string, stream: string, workspace: Workspace): JsonObject | undefined {
  const layers = workspace.connectors.get(connector);
  if (!layers) return undefined;
  const { streams, fragments } = merged(layers);
  const own = mapOf(mapOf(streams)[stream]);
  return schemaOf(own.schema ?? mapOf(mapOf(fragments)[String(own.use)]).schema, connector, workspace);
}

/** A schema written in place, or the file beside the connector that is named. */
export function schemaOf(written: Json | undefined, connector: string, workspace: Workspace): JsonObject | undefined {
  if (typeof written !== "string") return isMap(written) ? written : undefined;
  const known = parsed.get(workspace) ?? new Map<string, JsonObject>();
  parsed.set(workspace, known);
  if (!isInside(written)) return undefined;
  const path = pathOf(connector, written);
  if (!known.has(path)) {
    const schema = parse(workspace.attachments.get(path));
    if (schema) known.set(path, schema);
  }
  return known.get(path);
}

export function checkRecordSchemas(workspace: Workspace): Problem[] {
  return [...workspace.connectors].flatMap(([id, layers]) => layers.flatMap((manifest) => ["streams", "fragments"].flatMap((room) => Object.entries(mapOf(manifest.value[room])).flatMap(([name, part]) => {
    const written = mapOf(part).schema;
    // A path that leaves the folder is told as no path.
    if (written === undefined || written === null || (typeof written === "string" && !isInside(written))) return [];
    const pointer = `/${room}/${escape(name)}/schema`;
    const problem = (code: Problem["code"], params: Problem["params"]): Problem[] => [{ code, severity: "error", params, at: manifest.locate(pointer), pointer }];
    const text = typeof written === "string" ? workspace.attachments.get(pathOf(id, written)) : undefined;
    if (typeof written === "string" && text === undefined) {
      const folder = `connectors/${id}/`;
      return problem("MANIFEST_UNKNOWN_REFERENCE", { kind: "File", name: written, suggestion: suggest(written, [...workspace.attachments.keys()].filter((path) => path.startsWith(folder) && path.endsWith(".json")).map((path) => path.slice(folder.length))) });
    }
    const schema = typeof written === "string" ? parse(text) : written;
    if (schema === undefined) return problem("MANIFEST_WRONG_VALUE", { field: "schema", expected: "a file with a JSON Schema, which is a JSON object", actual: `${String(written)}, which is not`, suggestion: "" });
    if (!isMap(schema)) return [];
    const [error] = schemaErrors(schema).toSorted((a, b) => b.instancePath.length - a.instancePath.length);
    return error ? problem("MANIFEST_WRONG_VALUE", { field: "schema", expected: "a JSON Schema", actual: `one that says at ${error.instancePath || "its root"} what JSON Schema does not allow (${error.message ?? error.keyword})`, suggestion: "" }) : [];
  }))));
}

const isInside = (file: string): boolean => !file.startsWith("/") && !file.includes("..");

const pathOf = (connector: string, file: string): string => `connectors/${connector}/${file}`;

function parse(text: string | undefined): JsonObject | undefined {
  try {
    const value = text === undefined ? undefined : (JSON.parse(text) as Json);
    return isMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
