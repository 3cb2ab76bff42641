/** A tenant's plan: the effective tree, compiled and checked. */
import type { Problem } from "../errors/plugboard-error.ts";
import { limitedEntity } from "../manifest/limit-names.ts";
import type { JsonObject, Manifest, Workspace } from "../manifest/types.ts";
import { compileChangeFlow, isChangeFlow } from "./compile-change-flow.ts";
import { compileConnector } from "./compile-connector.ts";
import { compileFlow, isEnabled } from "./compile-flow.ts";
import { numbers, optional, record } from "./compile-request.ts";
import { effectiveTree } from "./effective.ts";
import { originsOf } from "./origins.ts";
import { problemAt, withoutRepeats, type Report } from "./problems.ts";
import { at, members, plain, text, type Sourced } from "./sourced.ts";
import type { ConnectionPlan, ConnectorPlan, EntityPlan, FlowPlan, TenantPlan } from "./types.ts";

export interface Resolved { readonly plan: TenantPlan; readonly problems: readonly Problem[] }

/**
 * What cannot be planned (a flow of an unknown stream, say) is left out of the plan and reported; a plan with errors must
 * not be applied.
 * @throws PlugboardError PLAN_UNKNOWN_TENANT
 */
export function resolvePlan(workspace: Workspace, tenantId: string): Resolved {
  const { tree, preset, connectorOf, isComplete, problems: found } = effectiveTree(workspace, tenantId);
  const problems = [...found];
  const report: Report = (problem) => void (isComplete && problems.push(problem));

  const connectors = record(at(tree, "connectors"), (node, key) => {
    const compiled = compiledOnce(node, key, workspace);
    compiled.problems.forEach(report);
    return compiled.connector;
  });
  const connections = record(at(tree, "connections"), (node, id) => compileConnection(node, id, connectorOf.get(id) ?? "", report));
  const labels = record(at(tree, "labels"), (label) => text(label) ?? "");
  const entities = members(at(tree, "entities"));
  const around = { connections, connectors, labels, entities: entities.map(([id]) => id), attachments: workspace.attachments };
  const [changing, reading] = [members(at(tree, "flows")).filter(([, node]) => isChangeFlow(node)), members(at(tree, "flows")).filter(([, node]) => !isChangeFlow(node))];
  const flows = reading.flatMap(([name, node]) => {
    const flow = compileFlow(name, node, around, report);
    return flow ? [[name, flow] as const] : [];
  });
  const changeFlows = changing.flatMap(([name, node]) => {
    const flow = compileChangeFlow(name, node, around, report);
    return flow ? [[name, flow] as const] : [];
  });
  const used = new Set([...flows.map(([, flow]) => flow.to.entity), ...changeFlows.map(([, flow]) => flow.entity)]);
  const plan: TenantPlan = {
    tenant: { id: tenantId, title: text(at(tree, "title")) ?? tenantId, ...optional("subdomain", text(at(tree, "subdomain"))) },
    ...optional("preset", preset),
    inputs: object(at(tree, "inputs")),
    labels,
    connections,
    connectors,
    entities: Object.fromEntries(entities.filter(([id]) => used.has(id)).map(([id, node]) => [id, { ...compileEntity(id, node, flows.map(([, flow]) => flow)), ...optional("limit", limitOf(id, at(tree, "limits"))) }])),
    flows: Object.fromEntries(flows),
    ...(changeFlows.length > 0 ? { change_flows: Object.fromEntries(changeFlows) } : {}),
    reports: record(at(tree, "reports"), listOf),
    policy: object(at(tree, "policy")),
    limits: numbers(at(tree, "limits")),
    origins: originsOf(tree),
  };
  return { plan, problems: withoutRepeats(problems) };
}

/** What was resolved of a workspace. */
export interface ResolvedWorkspace { readonly workspace: Workspace; readonly tenants: ReadonlyMap<string, Resolved> }

/**
 * Every tenant, and each problem once, however many tenants share it.
 * @param before resolved earlier. Where one says the same but for tenants, a tenant whose file is the same manifest has the same
 *   plan: the very object.
 */
export function resolveAll(workspace: Workspace, before: readonly ResolvedWorkspace[] = []): { readonly plans: ReadonlyMap<string, TenantPlan>; readonly problems: readonly Problem[]; readonly resolved: ResolvedWorkspace; /** Of those before, the one that was found. */ readonly from: ResolvedWorkspace | undefined } {
  const known = before.find((each) => saysTheSameButForTenants(each.workspace, workspace));
  const resolved = [...workspace.tenants].map(([id, manifest]) => [id, (known?.workspace.tenants.get(id) === manifest ? known.tenants.get(id) : undefined) ?? resolvePlan(workspace, id)] as const);
  return {
    plans: new Map(resolved.map(([id, { plan }]) => [id, plan])),
    problems: withoutRepeats(resolved.flatMap(([, { problems }]) => problems)),
    resolved: { workspace, tenants: new Map(resolved) },
    from: known,
  };
}

/** A plan is made of its tenant's file and of everything that is no tenant's: here, of the same manifests in the same order. */
function saysTheSameButForTenants(a: Workspace, b: Workspace): boolean {
  const same = <Value>(one: ReadonlyMap<unknown, Value>, other: ReadonlyMap<unknown, Value>, alike: (x: Value, y: Value) => boolean): boolean => {
    const entries = [...other];
    return one.size === entries.length && [...one].every(([key, value], index) => entries[index]![0] === key && alike(value, entries[index]![1]));
  };
  const listed = (x: readonly Manifest[], y: readonly Manifest[]): boolean => x.length === y.length && x.every((manifest, index) => manifest === y[index]);
  const identical = (x: unknown, y: unknown): boolean => x === y;
  return a.unreadable.size === 0 && b.unreadable.size === 0 && a.settings === b.settings
    && (["connectors", "mappings", "entities", "presets"] as const).every((room) => same(a[room], b[room], listed))
    && same(a.releases, b.releases, (x, y) => same(x, y, identical)) && same(a.attachments, b.attachments, identical);
}

interface Compiled { readonly connector: ConnectorPlan; readonly problems: readonly Problem[] }
const compiled = new WeakMap<Sourced, Compiled>();

/** Tenants share a connector's tree, so they share what is compiled from it. */
function compiledOnce(node: Sourced, key: string, workspace: Workspace): Compiled {
  const problems: Problem[] = [];
  const result = compiled.get(node) ?? { connector: compileConnector(node, key, workspace, (problem) => void problems.push(problem)), problems };
  compiled.set(node, result);
  return result;
}

function compileConnection(node: Sourced, id: string, connector: string, report: Report): ConnectionPlan {
  if (!at(node, "connector") && !at(node, "use"))
    report(problemAt(node.source, "MANIFEST_MISSING_FIELD", { field: "connector", where: `connections.${id}`, expected: "a connector's id" }));
  return {
    connector,
    enabled: isEnabled(node),
    labels: record(at(node, "labels"), (label) => text(label) ?? ""),
    config: object(at(node, "config")),
    locks: listOf(at(node, "locks")),
  };
}

function compileEntity(id: string, node: Sourced, flows: readonly FlowPlan[]): EntityPlan {
  const prefer = at(node, "prefer");
  const mapped = flows.filter((flow) => flow.to.entity === id).flatMap((flow) => Object.keys(flow.map?.fields ?? {}));
  const custom = mapped.flatMap((field) => (field.startsWith("custom.") ? [field.slice("custom.".length)] : []));
  return {
    schema: object(at(node, "schema")),
    match: listOf(at(node, "match")),
    prefer: text(prefer) === "newest" ? "newest" : listOf(prefer),
    custom: [...new Set(custom)].toSorted(),
  };
}

/** A tenant's own limit counts, however its preset calls the entity. */
function limitOf(entity: string, limits: Sourced | undefined): EntityPlan["limit"] {
  const named = members(limits).filter(([name]) => limitedEntity(name, [entity]) !== undefined);
  const [name, node] = named.find(([, { source }]) => source.layer === "tenant") ?? named[0] ?? [];
  return name === undefined ? undefined : { name, most: Number(text(node)) };
}

const object = (node: Sourced | undefined): JsonObject => (node?.kind === "map" ? (plain(node) as JsonObject) : {});

const listOf = (node: Sourced | undefined): string[] => (node?.kind === "list" ? node.items.map((item) => String(plain(item))) : node ? [String(plain(node))] : []);
