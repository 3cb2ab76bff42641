/** What somebody must be allowed to propose, by what their edits touch; read from the values, however they were written. */
import { placeOf } from "../../engine/manifest/places.ts";
import type { Json, JsonObject } from "../../engine/manifest/types.ts";
import { parse } from "yaml";
import type { Permission } from "../api/permissions.ts";

export interface Needed { readonly permission: Permission; /** Absent: it is about no tenant alone. */ readonly tenant?: string; /** In words: `how often flows run`. */ readonly what: string }

const FREQUENCY = /^\/flows\/[^/]+\/from\/(every|cron|time_zone)$/;
const MAPPINGS = /^\/flows\/[^/]+\/map\/fields(\/|$)/;

/** @param changed path → its new text; null: removed. */
export function neededFor(files: ReadonlyMap<string, string>, changed: ReadonlyMap<string, string | null>): Needed[] {
  const needed = new Map<string, Needed>();
  const add = (need: Needed) => needed.set(`${need.permission} ${need.tenant ?? ""}`, need);
  for (const [file, text] of changed) {
    const place = placeOf(file);
    if (place?.kind !== "tenant") { add({ permission: "configuration:propose", what: file }); continue; }
    const tenant = place.id;
    const before = files.get(file);
    if (before === undefined || text === null) { add({ permission: "tenants:write", what: before === undefined ? "a new tenant" : "the end of a tenant" }); continue; }
    for (const pointer of differences(valueOf(before), valueOf(text))) {
      if (FREQUENCY.test(pointer)) add({ permission: "frequency:propose", tenant, what: "how often flows run" });
      else if (MAPPINGS.test(pointer)) add({ permission: "mappings:propose", tenant, what: "field mappings" });
      else add({ permission: "overrides:propose", tenant, what: `overrides (${pointer || "the whole file"})` });
    }
  }
  return [...needed.values()];
}

/** A file that is no YAML is one whole value. */
function valueOf(text: string): Json {
  try {
    return (parse(text, { version: "1.2", schema: "core", maxAliasCount: 0, logLevel: "silent" }) ?? null) as Json;
  } catch {
    return text;
  }
}

/** Pointers of the leaves that differ. */
function differences(a: Json | undefined, b: Json | undefined, at = ""): string[] {
  if (isMap(a) || isMap(b)) {
    if ((a !== undefined && !isMap(a)) || (b !== undefined && !isMap(b))) return [at];
    const keys = [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])];
    if (keys.length === 0 && (a === undefined || b === undefined)) return [at];
    return keys.flatMap((key) => differences(isMap(a) ? a[key] : undefined, isMap(b) ? b[key] : undefined, `${at}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`));
  }
  return JSON.stringify(a) === JSON.stringify(b) ? [] : [at];
}

const isMap = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);
