/** A tenant on another release, or another preset: what changes, and first of all what gets in the way. */
import type { Problem } from "../errors/plugboard-error.ts";
import type { Json, JsonObject, Manifest, Workspace } from "../manifest/types.ts";
import { diffPlans, type PlanChange } from "./diff.ts";
import { withMappings } from "./effective.ts";
import { lintSuperseded } from "./lint-overrides.ts";
import { normalise } from "./merge.ts";
import { presetLayer, type PresetLayer } from "./preset-layer.ts";
import { resolvePlan } from "./resolve.ts";
import { CONFIGURATION } from "./shape.ts";
import { at, isJsonMap, locationOf, members, scalar, sourced, type Sourced, type SourcedMap } from "./sourced.ts";
import type { Origin, TenantPlan } from "./types.ts";

/**
 * `shadows`: the tenant overrides a default that is another one there; it keeps its own. `gone`: it overrides a part that is no
 * longer there. `input`: the preset asks for something that the tenant does not say. `error`: the configuration would be wrong.
 */
export interface MoveConflict {
  readonly kind: "shadows" | "gone" | "input" | "error";
  readonly path: string;
  readonly at?: Pick<Origin, "file" | "line" | "col">;
  readonly yours?: Json;
  readonly before?: Json;
  readonly after?: Json;
  /** Of an error, and of an input. */
  readonly problem?: Problem;
}

export interface MovePlan {
  readonly tenant: string;
  readonly from?: string;
  readonly to: string;
  readonly conflicts: readonly MoveConflict[];
  /** Everything that differs for the tenant. */
  readonly changes: readonly PlanChange[];
  /** Flows whose schedule ends, and those that begin one. Records keep the connection they came from. */
  readonly stops: readonly string[];
  readonly starts: readonly string[];
  /** Connections that nobody has entered yet, and those that are no longer used. */
  readonly connect: readonly string[];
  readonly leaves: readonly string[];
}

/**
 * @param pin `acme@4`, or `acme` for its newest release. @param inputs answers to what the preset asks, over the tenant's own.
 * @throws PlugboardError PLAN_UNKNOWN_TENANT
 */
export function planMove(workspace: Workspace, tenantId: string, pin: string, inputs: Readonly<Record<string, Json>> = {}): MovePlan {
  const before = resolvePlan(workspace, tenantId);
  const manifest = workspace.tenants.get(tenantId)!;
  const given = Object.keys(inputs).length === 0 ? {} : { inputs: { ...(manifest.value["inputs"] as object | undefined), ...inputs } };
  const repinned: Manifest = { ...manifest, value: { ...manifest.value, preset: pin, ...given } as Manifest["value"] };
  const conflicts = conflictsOf(workspace, manifest, repinned);
  // What is gone stands in the way by itself; whatever else is wrong is wrong without it.
  const moved: Manifest = { ...repinned, value: without(repinned.value, conflicts.flatMap(({ kind, path }) => (kind === "gone" ? [path] : []))) };
  const after = resolvePlan({ ...workspace, tenants: new Map([...workspace.tenants, [tenantId, moved]]) }, tenantId);
  const changes = diffPlans(before.plan, after.plan);
  const schedules = (change: "added" | "removed") => changes.filter((each) => each.kind === "schedule" && each.change === change).map(({ name }) => name);
  return {
    tenant: tenantId, ...(before.plan.preset ? { from: pinOf(before.plan) } : {}), to: after.plan.preset ? pinOf(after.plan) : pin,
    conflicts: [...conflicts, ...newErrors(before.problems, after.problems)], changes,
    stops: schedules("removed"), starts: schedules("added"),
    connect: Object.keys(after.plan.connections).filter((id) => connectorOf(before.plan, id) !== connectorOf(after.plan, id)),
    leaves: Object.keys(before.plan.connections).filter((id) => !(id in after.plan.connections)),
  };
}

/** @param paths `flows.learners` */
function without(value: JsonObject, paths: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([room, entries]) => [room, isJsonMap(entries) ? Object.fromEntries(Object.entries(entries).filter(([name]) => !paths.includes(`${room}.${name}`))) : entries]));
}

const connectorOf = ({ connections, connectors }: TenantPlan, id: string): string | undefined => connectors[connections[id]?.connector ?? ""]?.id;
const pinOf = ({ preset }: TenantPlan): string => (preset!.release === "head" ? preset!.id : `${preset!.id}@${preset!.release}`);

function conflictsOf(workspace: Workspace, manifest: Manifest, moved: Manifest): MoveConflict[] {
  const file = sourced(manifest, "tenant") as SourcedMap;
  const own = normalise(file, CONFIGURATION);
  const layerOf = (of: Manifest): PresetLayer | undefined => {
    const pin = of.value["preset"];
    return typeof pin === "string" ? presetLayer(workspace, scalar(pin, { ...file.source, pointer: "/preset" }), () => {}) : undefined;
  };
  const [was, becomes] = [layerOf(manifest), layerOf(moved)];
  if (!was || !becomes) return [];
  const [older, newer] = [withMappings(workspace, was), withMappings(workspace, becomes)];
  const gone = goneParts(own, older, newer);
  const conflicts: MoveConflict[] = gone.map(({ path, node }) => ({ kind: "gone", path, at: locationOf(node.source, "key") }));
  lintSuperseded(own, older, newer, becomes.release, ({ params, at: where }) => {
    const path = String(params["path"]);
    if (!gone.some((part) => path.startsWith(`${part.path}.`))) conflicts.push({ kind: "shadows", path, ...(where ? { at: where } : {}), before: JSON.parse(String(params["pinned"])) as Json, after: JSON.parse(String(params["newest"])) as Json });
  });
  return conflicts;
}

/** Parts of the older preset that the tenant changes and the newer one has not. What the tenant says in full stands by itself. */
function goneParts(own: Sourced, older: Sourced | undefined, newer: Sourced | undefined): { path: string; node: Sourced }[] {
  return (["connections", "flows"] as const).flatMap((room) => members(at(own, room)).flatMap(([name, node]) => {
    const whole = room === "connections" ? at(node, "connector") ?? at(node, "use") : at(node, "use") ?? (at(node, "from") && at(node, "to"));
    return at(older, room, name) && !at(newer, room, name) && !whole ? [{ path: `${room}.${name}`, node }] : [];
  }));
}

function newErrors(before: readonly Problem[], after: readonly Problem[]): MoveConflict[] {
  const identity = ({ code, at: where, params }: Problem): string => JSON.stringify([code, where?.line, params]);
  const known = new Set(before.map(identity));
  return after.filter((problem) => problem.severity === "error" && !known.has(identity(problem))).map((problem) => {
    const field = String(problem.params["field"] ?? problem.pointer ?? "");
    return { kind: problem.code === "MANIFEST_MISSING_FIELD" && field.startsWith("inputs.") ? "input" as const : "error" as const, path: field, problem, ...(problem.at ? { at: problem.at } : {}) };
  });
}

