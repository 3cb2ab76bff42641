/** How contributions join into one entity row: what makes them equal, and whose value wins. Pure. */
import { hash } from "node:crypto";
import type { Json, JsonObject } from "../manifest/types.ts";
import type { EntityPlan } from "../plan/types.ts";
import { compareVersions } from "./versions.ts";

export interface Contribution {
  readonly connection: string;
  readonly stream: string;
  readonly key: string;
  readonly data: JsonObject;
  readonly labels: Readonly<Record<string, string>>;
  readonly version: string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface JoinedRow { readonly data: JsonObject; readonly labels: Readonly<Record<string, string>>; readonly links: Readonly<Record<string, string>> }

/** Longest value kept as it is; a longer one is matched by its hash. */
const MAX_VALUE_LENGTH = 400;

/** `domain=acme.com`, for each match field that has a value. Absent, null and empty match nothing; only texts and numbers do. */
export function matchValues(data: JsonObject, match: readonly string[]): string[] {
  const values: string[] = [];
  for (const field of match) {
    const value = at(data, field);
    const text = typeof value === "string" ? value.trim() : typeof value === "number" ? String(value) : "";
    if (text !== "") values.push(`${field}=${text.length > MAX_VALUE_LENGTH ? hash("sha256", text, "base64url") : text}`);
  }
  return values;
}

/**
 * Field by field, the first contribution that has a value, in the order of `prefer`: connections in that order, those it does
 * not name after them, oldest first; `newest`: by version. `custom` is joined field by field, too.
 */
export function joinContributions(contributions: readonly Contribution[], prefer: EntityPlan["prefer"]): JoinedRow {
  const oldest = [...contributions].sort(byAge);
  const links: Record<string, string> = {};
  for (const { connection, key } of oldest) links[connection] ??= key;
  if (oldest.length === 1) return { data: oldest[0]!.data, labels: oldest[0]!.labels, links };
  const ordered = oldest.sort(prefer === "newest" ? byVersion : byPreference(prefer));
  const labels: Record<string, string> = {};
  for (const contribution of ordered) for (const [name, value] of Object.entries(contribution.labels)) labels[name] ??= value;
  return { data: joinFields(ordered.map(({ data }) => data), ["custom"]), labels, links };
}

function joinFields(objects: readonly JsonObject[], nested: readonly string[]): JsonObject {
  const joined: Record<string, Json> = {};
  for (const object of objects) {
    for (const [name, value] of Object.entries(object)) {
      if (joined[name] === undefined || joined[name] === null) joined[name] = value;
    }
  }
  for (const name of nested) {
    const parts = objects.flatMap((object) => isObject(object[name]) ? [object[name]] : []);
    if (parts.length > 1) joined[name] = joinFields(parts, []);
  }
  return joined;
}

const isObject = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);

const at = (data: JsonObject, path: string): Json | undefined =>
  path.split(".").reduce<Json | undefined>((value, name) => isObject(value) ? value[name] : undefined, data);

const byAge = (a: Contribution, b: Contribution): number =>
  a.createdAt - b.createdAt || compare(a.connection, b.connection) || compare(a.stream, b.stream) || compare(a.key, b.key);

const byVersion = (a: Contribution, b: Contribution): number =>
  a.version === undefined || b.version === undefined ? Number(a.version === undefined) - Number(b.version === undefined) : compareVersions(b.version, a.version);

const byPreference = (prefer: readonly string[]) => (a: Contribution, b: Contribution): number => rank(prefer, a) - rank(prefer, b);

const rank = (prefer: readonly string[], { connection }: Contribution): number => {
  const index = prefer.indexOf(connection);
  return index < 0 ? prefer.length : index;
};

const compare = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0;

/** Puts things that share a value into one group (union-find). */
export class Groups {
  readonly #parents = new Map<string, string>();

  join(a: string, b: string): void {
    this.#parents.set(this.of(a), this.of(b));
  }

  of(name: string): string {
    let root = name;
    for (let parent = this.#parents.get(root); parent !== undefined && parent !== root; parent = this.#parents.get(root)) root = parent;
    if (root !== name) this.#parents.set(name, root);
    return root;
  }
}
