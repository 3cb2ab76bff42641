/** Where each kind of manifest stands in a tree, and what is wrong with a file that stands elsewhere. */
import type { ManifestKind } from "./types.ts";

export interface Place { readonly kind: ManifestKind; readonly id: string }

const PATTERNS: readonly (readonly [RegExp, ManifestKind, (match: RegExpExecArray) => string])[] = [
  [/^connectors\/([^/]+)\/connector\.yaml$/, "connector", (match) => match[1]!],
  [/^connectors\/([^/]+)\/tests\.yaml$/, "tests", (match) => match[1]!],
  [/^mappings\/(.+\/.+)\.yaml$/, "mapping", (match) => match[1]!],
  [/^presets\/([^/]+)\/preset\.yaml$/, "preset", (match) => match[1]!],
  [/^presets\/([^/]+)\/releases\/(\d+)\.yaml$/, "release", (match) => `${match[1]!}@${match[2]!}`],
  [/^tenants\/([^/]+)\.yaml$/, "tenant", (match) => match[1]!],
  [/^schemas\/entities\/([^/]+)\.schema\.json$/, "entity", (match) => match[1]!],
  [/^workspace\.yaml$/, "workspace", () => "workspace"],
];

export function placeOf(path: string): Place | undefined {
  for (const [pattern, kind, id] of PATTERNS) {
    const match = pattern.exec(path);
    if (match) return { kind, id: id(match) };
  }
  return undefined;
}

/** The path a manifest of this kind and id belongs to. */
export function pathOf(kind: ManifestKind, id: string): string {
  switch (kind) {
    case "connector": return `connectors/${id}/connector.yaml`;
    case "tests": return `connectors/${id}/tests.yaml`;
    case "mapping": return `mappings/${id}.yaml`;
    case "preset": return `presets/${id}/preset.yaml`;
    case "release": return `presets/${id.replace("@", "/releases/")}.yaml`;
    case "tenant": return `tenants/${id}.yaml`;
    case "entity": return `schemas/entities/${id}.schema.json`;
    case "workspace": return "workspace.yaml";
  }
}

/** Where a file that no pattern knows should probably be; undefined for a file that may lie there. */
export function rightPlaceFor(path: string): string | undefined {
  const tidy = path.replace(/\.yml$/, ".yaml");
  if (tidy !== path && (placeOf(tidy) || rightPlaceFor(tidy) !== undefined)) return placeOf(tidy) ? tidy : rightPlaceFor(tidy);
  const [room, name = "", ...rest] = path.split("/");
  const stem = name.replace(/\.(yaml|json|schema\.json)$/, "");
  const own = ROOMS[room ?? ""];
  if (own !== undefined) return rightPlaceFor(path.replace(room!, own)) ?? (placeOf(path.replace(room!, own)) && path.replace(room!, own));
  if (room === "mappings" && rest.length === 0 && path.endsWith(".yaml")) return `mappings/<connector>/${stem}.yaml`;
  if (room === "connectors" && rest.length === 0 && path.endsWith(".yaml")) return `connectors/${stem}/connector.yaml`;
  if (room === "connectors" && rest.length === 1 && path.endsWith(".yaml")) return `connectors/${name}/connector.yaml`;
  if (room === "presets" && rest.length === 0 && path.endsWith(".yaml")) return `presets/${stem}/preset.yaml`;
  if (room === "presets" && rest.length === 1 && path.endsWith(".yaml")) return `presets/${name}/preset.yaml`;
  if (room === "tenants" && rest.length > 0 && path.endsWith(".yaml")) return `tenants/${name}.yaml`;
  if (room === "schemas" && name === "entities" && rest.length === 1 && !placeOf(path) && /\.(json|yaml)$/.test(path)) return `schemas/entities/${rest[0]!.replace(/\.(yaml|json)$/, "")}.schema.json`;
  return undefined;
}

/** Folders that are called almost like a room. */
const ROOMS: Readonly<Record<string, string>> = { connector: "connectors", mapping: "mappings", preset: "presets", tenant: "tenants", entities: "schemas/entities" };
