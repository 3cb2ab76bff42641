/** A plain merge of a manifest's layers, for checks that need the whole; the plan's own merge keeps origins and choices. */
import type { Json, JsonObject, Manifest } from "./types.ts";

const known = new WeakMap<readonly Manifest[], JsonObject>();

export function merged(layers: readonly Manifest[]): JsonObject {
  const found = known.get(layers) ?? merge(layers);
  known.set(layers, found);
  return found;
}

function merge(layers: readonly Manifest[]): JsonObject {
  return layers.map(({ value }) => value).reduce<JsonObject>((lower, upper) => over(lower, upper) as JsonObject, {});
}

function over(lower: Json | undefined, upper: Json): Json {
  if (!isMap(lower) || !isMap(upper)) return upper;
  const result: Record<string, Json> = { ...lower };
  for (const [key, value] of Object.entries(upper)) {
    if (value === null) delete result[key];
    else result[key] = over(lower[key], value);
  }
  return result;
}

export const isMap = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);
