/**
 * A configuration value that knows where it was written. Layers are merged as trees of these, so that the effective tree
 * can say of every value which file, line and layer it came from and what it hides.
 */
import type { Location } from "../errors/plugboard-error.ts";
import type { Json, Layer, Manifest } from "../manifest/types.ts";

export interface Source { readonly layer: Layer; readonly manifest: Manifest; readonly pointer: string }
export interface Shadow { readonly source: Source; readonly value: Json }

interface Written {
  readonly source: Source;
  /** What lies below it, nearest first. */
  readonly shadows: readonly Shadow[];
}
/** A `null` scalar is a removal; it stays in the tree until every layer is merged. */
export interface SourcedScalar extends Written { readonly kind: "scalar"; readonly value: null | boolean | number | string }
export interface SourcedList extends Written { readonly kind: "list"; readonly items: readonly Sourced[] }
export interface SourcedMap extends Written {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, Sourced>;
  /** It replaced something that was not a map (or a component of another type): nothing below it shines through. */
  readonly opaque?: boolean;
}
export type Sourced = SourcedScalar | SourcedList | SourcedMap;

/** Reads a manifest's value, or the part of it at `pointer`, into a tree. */
export function sourced(manifest: Manifest, layer: Layer, value: Json = manifest.value, pointer = ""): Sourced {
  const written = { source: { layer, manifest, pointer }, shadows: [] };
  if (Array.isArray(value)) return { ...written, kind: "list", items: value.map((item: Json, index) => sourced(manifest, layer, item, `${pointer}/${index}`)) };
  if (isJsonMap(value)) {
    const entries = Object.entries(value).map(([key, member]) => [key, sourced(manifest, layer, member, child(pointer, key))] as const);
    return { ...written, kind: "map", entries: new Map(entries) };
  }
  return { ...written, kind: "scalar", value: value as SourcedScalar["value"] };
}

export function plain(node: Sourced): Json {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, member]) => [key, plain(member)]));
}

/** The member under a path of keys; `undefined` as soon as one is missing or removed. */
export function at(node: Sourced | undefined, ...keys: readonly string[]): Sourced | undefined {
  let here = node;
  for (const key of keys) here = here?.kind === "map" ? here.entries.get(key) : undefined;
  return here && isRemoval(here) ? undefined : here;
}

/** The members of a map in order, without removals; none for anything else. */
export function members(node: Sourced | undefined): readonly (readonly [string, Sourced])[] {
  return node?.kind === "map" ? [...node.entries].filter(([, member]) => !isRemoval(member)) : [];
}

export function text(node: Sourced | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? String(node.value) : undefined;
}

export function scalar(value: SourcedScalar["value"], source: Source): SourcedScalar {
  return { kind: "scalar", value, source, shadows: [] };
}

export function map(source: Source, entries: Iterable<readonly [string, Sourced]>): SourcedMap {
  return { kind: "map", entries: new Map(entries), source, shadows: [] };
}

export function list(items: readonly Sourced[], source: Source): SourcedList {
  return { kind: "list", items, source, shadows: [] };
}

/** The node, or an empty map where there is none. */
export function asMap(node: Sourced | undefined, source: Source): SourcedMap {
  return node?.kind === "map" ? node : map(source, []);
}

/** The same map with some members set, or with `undefined` left out. */
export function withMembers(node: SourcedMap, changes: Readonly<Record<string, Sourced | undefined>>): SourcedMap {
  const entries = new Map(node.entries);
  for (const [key, member] of Object.entries(changes)) {
    if (member) entries.set(key, member);
    else entries.delete(key);
  }
  return { ...node, entries };
}

export const isRemoval = (node: Sourced): boolean => node.kind === "scalar" && node.value === null;

export function locationOf(source: Source, part: "key" | "value" = "value"): Location {
  return source.manifest.locate(source.pointer, part);
}

/** Adds one key to a JSON pointer (RFC 6901 §3). */
export function child(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

export function isJsonMap(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Equal as JSON, whatever the order of keys. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  if (!isJsonMap(a) || !isJsonMap(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]));
}
