/**
 * A tenant's overrides: every effective value beside its default, and the edits of the tenant's file that store only what
 * differs. Setting a value to its default is the same as taking the override back.
 */
import { suggest } from "../errors/nearest.ts";
import { PlugboardError, type Location } from "../errors/plugboard-error.ts";
import type { Json, JsonObject, Workspace } from "../manifest/types.ts";
import { effectiveTree } from "./effective.ts";
import { normalise } from "./merge.ts";
import { membersOf, originOf } from "./origins.ts";
import { findPath, segments } from "./paths.ts";
import { ONLY_PRESET, workspaceOfPreset } from "./presets.ts";
import { CONFIGURATION, shapeOf, type Shape } from "./shape.ts";
import { at, child, isJsonMap, isRemoval, locationOf, map, plain, sameJson, sourced, type Shadow, type Sourced } from "./sourced.ts";
import type { Origin } from "./types.ts";

/** What a tenant's file may say beside who it is. */
const ROOTS = ["inputs", "connections", "flows", "entities", "labels", "reports", "policy", "limits"];
/** Laid out in the effective tree, and nobody's to override. */
const HIDDEN = new Set(["schema"]);

export interface EffectiveValue {
  readonly path: string;
  /** JSON pointer, into the effective tree and into the tenant's file alike. */
  readonly pointer: string;
  /** As it is written; null where the tenant removed what its preset says. */
  readonly value: Json;
  readonly origin: Place;
  readonly overridden: boolean;
  /** What would stand there without the override; absent: nothing. */
  readonly default?: { readonly value: Json; readonly origin: Place };
}

type Place = Pick<Origin, "layer" | "file" | "line" | "col">;

/** @throws PlugboardError PLAN_UNKNOWN_TENANT */
export function effectiveValues(workspace: Workspace, tenantId: string): EffectiveValue[] {
  const { untrimmed } = effectiveTree(workspace, tenantId);
  const values: EffectiveValue[] = [];
  const visit = (node: Sourced, keys: readonly string[], shadows: readonly Shadow[]): void => {
    if (node.kind === "map" && node.entries.size > 0) {
      for (const [key, member] of node.entries) if (!(keys[0] === "entities" && HIDDEN.has(key))) visit(member, [...keys, key], [...member.shadows, ...membersOf(shadows, key)]);
      return;
    }
    const { shadows: hidden = [], ...origin } = originOf(node, shadows);
    const below = hidden.find(({ layer, value }) => layer !== "tenant" && value !== null);
    // The half of a choice that nobody used says nothing.
    if (isRemoval(node) && below === undefined) return;
    const overridden = origin.layer === "tenant";
    values.push({
      path: keys.join("."), pointer: keys.reduce<string>(child, ""), value: plain(node), origin, overridden,
      ...(!overridden || below === undefined ? {} : { default: { value: below.value, origin: { layer: below.layer, file: below.file, line: below.line, col: below.col } } }),
    });
  };
  for (const root of ROOTS) {
    const node = untrimmed.entries.get(root);
    if (node && (node.kind !== "map" || node.entries.size > 0)) visit(node, [root], node.shadows);
  }
  return [...values, ...removedFlows(workspace, tenantId)];
}

/** A flow that the tenant removes is laid out no further: it stands in no tree any more. */
function removedFlows(workspace: Workspace, tenantId: string): EffectiveValue[] {
  const manifest = workspace.tenants.get(tenantId)!;
  const flows = manifest.value["flows"];
  const names = isJsonMap(flows) ? Object.keys(flows).filter((name) => flows[name] === null) : [];
  const pin = manifest.value["preset"];
  if (names.length === 0 || typeof pin !== "string") return [];
  const below = at(effectiveTree(pinned(workspace, pin), ONLY_PRESET).tree, "flows");
  return names.flatMap((name) => {
    const standard = at(below, name);
    const pointer = child("/flows", name);
    if (!standard) return [];
    return [{ path: `flows.${name}`, pointer, value: null, overridden: true, origin: { layer: "tenant" as const, ...placeOf(manifest.locate(pointer)) }, default: { value: plain(standard), origin: { layer: standard.source.layer, ...placeOf(locationOf(standard.source)) } } }];
  });
}

const placeOf = ({ file, line, col }: Location): Omit<Place, "layer"> => ({ file, line, col });

export interface OverrideChange {
  /** `flows.learners.from.every`, or a JSON pointer. */
  readonly at: string;
  /** Absent: back to the default. Null removes what the preset says. A map changes its members only. */
  readonly value?: Json;
}

/** A value set, or with `value` absent removed, at a pointer of the tenant's file. */
export interface OverrideEdit { readonly pointer: string; readonly value?: Json }

/**
 * What to change in the tenant's file; empty when it says all of it already.
 * @throws PlugboardError PLAN_UNKNOWN_TENANT, PLAN_UNKNOWN_PATH for what no tenant's file has
 */
export function overrideEdits(workspace: Workspace, tenantId: string, changes: readonly OverrideChange[]): OverrideEdit[] {
  const { tree } = effectiveTree(workspace, tenantId);                    // tells an unknown tenant
  const manifest = workspace.tenants.get(tenantId)!;
  const pin = typeof manifest.value["preset"] === "string" ? manifest.value["preset"] : undefined;
  const defaults = pin === undefined ? map(tree.source, []) : effectiveTree(pinned(workspace, pin), ONLY_PRESET).tree;
  const file = new TenantFile(manifest.value, (value) => sourced(manifest, "tenant", value));
  const apply = (keys: readonly string[], value: Json | undefined): void => {
    const below = keys.reduce<Sourced | undefined>((node, key) => (node?.kind === "map" ? node.entries.get(key) : undefined), defaults);
    if (isJsonMap(value) && (below?.kind === "map" || isJsonMap(file.at(keys)))) {
      for (const [key, member] of Object.entries(value)) apply([...keys, key], member);
      return;
    }
    const standard = below === undefined ? (keys.at(-1) === "enabled" ? true : undefined) : plain(below);
    if (value === undefined || (standard === undefined ? value === null : sameJson(standard, value))) file.remove(keys);
    else file.set(keys, value);
  };
  for (const change of changes) apply(keysOf(change.at, tree, tenantId), change.value);
  return file.edits;
}

/** The preset as the tenant has it: a pin without a release is its newest one. */
function pinned(workspace: Workspace, pin: string): Workspace {
  const newest = pin.includes("@") ? undefined : Math.max(...workspace.releases.get(pin)?.keys() ?? [0]);
  return workspaceOfPreset(workspace, newest === undefined || newest === 0 ? pin : `${pin}@${newest}`);
}

function keysOf(path: string, tree: Sourced, tenant: string): string[] {
  const keys = path.startsWith("/") ? path.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~")) : [...findPath(tree, path)?.keys ?? withDottedField(segments(path))];
  if (!ROOTS.includes(keys[0] ?? "") || keys.includes("__proto__")) throw new PlugboardError("PLAN_UNKNOWN_PATH", { path, tenant, suggestion: suggest(keys[0] ?? "", ROOTS) });
  return keys;
}

/** `flows.learners.map.fields.custom.division` names the field `custom.division`. */
function withDottedField(steps: readonly string[]): string[] {
  return steps[0] === "flows" && steps[2] === "map" && steps[3] === "fields" && steps.length > 5 ? [...steps.slice(0, 4), steps.slice(4).join(".")] : [...steps];
}

/** The file as it becomes, and the edits that make it so. */
class TenantFile {
  readonly edits: OverrideEdit[] = [];
  readonly #value: Json;
  readonly #sourced: (value: Json) => Sourced;

  constructor(value: JsonObject, read: (value: Json) => Sourced) {
    this.#value = structuredClone(value) as Json;
    this.#sourced = read;
  }

  at(keys: readonly string[]): Json | undefined {
    return keys.reduce<Json | undefined>((here, key) => (isJsonMap(here) && Object.hasOwn(here, key) ? here[key] : undefined), this.#value);
  }

  set(keys: readonly string[], value: Json): void {
    this.#expandAbove(keys);
    for (const sibling of alternatives(keys)) if (this.at(sibling) !== undefined) this.#edit(sibling, undefined);
    if (!sameJson(this.at(keys), value)) this.#edit(keys, value);
  }

  remove(keys: readonly string[]): void {
    this.#expandAbove(keys);
    // Back to a default of which the tenant chose the alternative.
    for (const each of [keys, ...(this.at(keys) === undefined ? alternatives(keys) : [])]) if (this.at(each) !== undefined) this.#edit(each, undefined);
  }

  /** `map: x` on the way is written out: it has no members to change. */
  #expandAbove(keys: readonly string[]): void {
    let shape: Shape = CONFIGURATION;
    for (let length = 1; length < keys.length; length++) {
      shape = shapeOf(shape, keys[length - 1]!);
      const above = keys.slice(0, length);
      const value = this.at(above);
      if (value === undefined || value === null || isJsonMap(value) || Array.isArray(value)) continue;
      const full = plain(normalise(this.#sourced(value), shape));
      if (isJsonMap(full)) this.#edit(above, Object.fromEntries(Object.entries(full).filter(([, member]) => member !== null)));
    }
  }

  #edit(keys: readonly string[], value: Json | undefined): void {
    this.edits.push({ pointer: keys.reduce<string>(child, ""), ...(value === undefined ? {} : { value }) });
    let here = this.#value as Record<string, Json>;
    for (const key of keys.slice(0, -1)) here = (isJsonMap(here[key]) ? here[key] : (here[key] = {})) as Record<string, Json>;
    if (value === undefined) delete here[keys.at(-1)!];
    else here[keys.at(-1)!] = structuredClone(value) as Json;
  }
}

/** The other keys of a choice: `cron` beside `every`. */
function alternatives(keys: readonly string[]): string[][] {
  const last = keys.at(-1)!;
  const above = keys.slice(0, -1);
  const shape = above.reduce<Shape>(shapeOf, CONFIGURATION);
  return (shape.choices ?? []).filter((choice) => choice.includes(last)).flatMap((choice) => choice.filter((key) => key !== last).map((key) => [...above, key]));
}
