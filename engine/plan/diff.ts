/** What changes for a tenant between two plans, in the words of a person who reviews it. */
import type { Json } from "../manifest/types.ts";
import { originOfPointer } from "./plan-pointers.ts";
import { child, isJsonMap, sameJson } from "./sourced.ts";
import type { FieldPlan, FlowPlan, Origin, TenantPlan } from "./types.ts";

/** `select`: other fields are asked for, so records read before lack them until a resync. */
export type ChangeKind = "preset" | "tenant" | "connection" | "flow" | "schedule" | "select" | "filter" | "field" | "entity" | "connector" | "inputs" | "labels" | "reports" | "policy" | "limits";

export interface PlanChange {
  readonly kind: ChangeKind;
  readonly change: "added" | "removed" | "changed";
  /** The connection, flow, entity or connector it belongs to; otherwise the key. */
  readonly name: string;
  /** In the plan's words: `flows.learners.schedule`, `flows.learners.map.fields.custom.division`. */
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
  /** Where `before` and `after` are written. */
  readonly from?: Origin;
  readonly to?: Origin;
}

/** Semantic: what runs, when, and with which fields. Equal plans give an empty list, also when they were written differently. */
export function diffPlans(a: TenantPlan, b: TenantPlan): PlanChange[] {
  const changes: PlanChange[] = [];
  const add = (kind: ChangeKind, name: string, pointer: string, before: unknown, after: unknown): void => {
    if (sameJson(before, after)) return;
    changes.push({
      kind, name, path: pointer.slice(1).split("/").map(unescape).join("."),
      change: before === undefined ? "added" : after === undefined ? "removed" : "changed",
      ...(before === undefined ? {} : { before: before as Json, ...origin("from", a, pointer) }),
      ...(after === undefined ? {} : { after: after as Json, ...origin("to", b, pointer) }),
    });
  };
  const leaves = (kind: ChangeKind, name: string, pointer: string, before: unknown, after: unknown): void => {
    // Rules are tried in their order, so that is part of what they say.
    if (pointer.endsWith("/errors") && isJsonMap(before) && isJsonMap(after) && sameJson(Object.keys(before).toSorted(), Object.keys(after).toSorted())) add(kind, name, pointer, Object.keys(before), Object.keys(after));
    if (isJsonMap(before) && isJsonMap(after)) for (const key of keysOf(before, after)) leaves(kind, name, child(pointer, key), before[key], after[key]);
    else add(kind, name, pointer, before, after);
  };
  const each = <T>(kind: ChangeKind, pointer: string, before: Readonly<Record<string, T>>, after: Readonly<Record<string, T>>, changed: (name: string, at: string, before: T, after: T) => void, whole: (value: T) => unknown): void => {
    for (const name of keysOf(before, after)) {
      const [old, now] = [before[name], after[name]];
      if (old !== undefined && now !== undefined) changed(name, child(pointer, name), old, now);
      else add(kind, name, child(pointer, name), old && whole(old), now && whole(now));
    }
  };

  add("preset", b.preset?.id ?? a.preset?.id ?? "", "/preset", pin(a), pin(b));
  for (const key of ["title", "subdomain"] as const) add("tenant", key, `/tenant/${key}`, a.tenant[key], b.tenant[key]);
  each("connection", "/connections", a.connections, b.connections, (name, at, before, after) => leaves("connection", name, at, before, after), (connection) => connection);
  each("flow", "/flows", a.flows, b.flows, (name, at, before, after) => {
    add("flow", name, `${at}/stream`, sourceOf(before), sourceOf(after));
    for (const key of ["title", "enabled", "to", "labels", "caps", "quarantine"] as const) leaves("flow", name, `${at}/${key}`, before[key], after[key]);
    add("select", name, `${at}/select`, before.select, after.select);
    add("flow", name, `${at}/map/id`, before.map?.id, after.map?.id);
    add("filter", name, `${at}/map/where`, before.map?.where, after.map?.where);
    const [old, now] = [before.map?.fields ?? {}, after.map?.fields ?? {}];
    for (const field of keysOf(old, now)) add("field", name, child(`${at}/map/fields`, field), written(old[field]), written(now[field]));
  }, sourceAndTarget);
  each("flow", "/change_flows", a.change_flows ?? {}, b.change_flows ?? {}, (name, at, before, after) => leaves("flow", name, at, before, after), ({ entity, to, enabled }) => ({ entity, to, enabled }));
  for (const name of keysOf(a.flows, b.flows)) addSchedule(name, a.flows[name], b.flows[name], add);
  each("entity", "/entities", a.entities, b.entities, (name, at, { limit: _, ...before }, { limit: __, ...after }) => leaves("entity", name, at, before, after), ({ match, prefer }) => ({ match, prefer }));
  each("connector", "/connectors", a.connectors, b.connectors, (name, at, before, after) => leaves("connector", name, at, before, after), ({ title }) => title);
  for (const key of ["inputs", "labels", "reports", "policy", "limits"] as const)
    for (const name of keysOf(a[key], b[key])) leaves(key, name, child(`/${key}`, name), a[key][name], b[key][name]);
  return changes;
}

/**
 * A schedule belongs to what is read: a flow that now reads another stream stops one and starts one, though its name and
 * interval stay. A disabled flow has none.
 */
function addSchedule(name: string, before: FlowPlan | undefined, after: FlowPlan | undefined, add: (kind: ChangeKind, name: string, pointer: string, before: unknown, after: unknown) => void): void {
  const at = child("/flows", name);
  const [old, now] = [running(before), running(after)];
  if (old && now && before && after && sourceOf(before) !== sourceOf(after)) {
    add("schedule", name, `${at}/schedule`, old, undefined);
    add("schedule", name, `${at}/schedule`, undefined, now);
  } else add("schedule", name, `${at}/schedule`, old, now);
}

const running = (flow: FlowPlan | undefined): Json | undefined =>
  flow?.enabled && flow.schedule ? { ...flow.schedule, reads: sourceOf(flow), ...(flow.sweep_seconds === undefined ? {} : { sweep_seconds: flow.sweep_seconds }) } : undefined;

const sourceOf = (flow: FlowPlan): string => `${flow.connection}.${flow.stream}`;
const sourceAndTarget = (flow: FlowPlan): Json => ({ from: sourceOf(flow), ...(flow.map?.id === undefined ? {} : { map: flow.map.id }), to: flow.to.entity });
const pin = (plan: TenantPlan): string | undefined => plan.preset && `${plan.preset.id}@${plan.preset.release}`;

const written = (field: FieldPlan | undefined): Json | undefined =>
  field && ("expression" in field ? field.expression : "constant" in field ? field.constant : { ref: field.ref, key: field.key });

function origin<Key extends "from" | "to">(key: Key, plan: TenantPlan, pointer: string): { readonly [K in Key]?: Origin } {
  const found = originOfPointer(plan, pointer);
  return (found ? { [key]: found } : {}) as { readonly [K in Key]?: Origin };
}

const keysOf = (a: object, b: object): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])];
const unescape = (key: string): string => key.replaceAll("~1", "/").replaceAll("~0", "~");
