/**
 * What a tenant's configuration says, for another tenant to begin from: never who it is, what was entered for it (credentials,
 * accounts, config of its connections), or its people.
 */
import { suggest } from "../errors/nearest.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Json, JsonObject, Workspace } from "../manifest/types.ts";
import { child, isJsonMap, sameJson } from "./sourced.ts";

/** Parts of a tenant's file that describe how, not who. */
const PARTS = ["flows", "connections", "entities", "labels", "reports", "policy"] as const;
/** Of a connection: what a customer enters, or is known by. */
const OF_CUSTOMER = ["config", "title"];

export interface Template {
  readonly template: 1;
  /** The preset that it overrides. */
  readonly preset: string | null;
  readonly configuration: JsonObject;
}

export interface TemplateConflict {
  readonly pointer: string;
  /** What the tenant says there itself, and what the template would. */
  readonly mine: Json;
  readonly theirs: Json;
}

/** @throws PlugboardError PLAN_UNKNOWN_TENANT */
export function exportTemplate(workspace: Workspace, tenantId: string): Template & { readonly left_out: readonly string[] } {
  const { value } = manifestOf(workspace, tenantId);
  const leftOut = ["title", "description", "subdomain", "inputs", "limits"].filter((key) => value[key] !== undefined);
  const configuration: Record<string, Json> = {};
  for (const part of PARTS) {
    const said = value[part];
    if (said === undefined) continue;
    configuration[part] = part !== "connections" || !isJsonMap(said) ? said : Object.fromEntries(Object.entries(said).flatMap(([id, connection]): [string, Json][] => {
      if (!isJsonMap(connection)) return [[id, connection]];
      const kept = Object.entries(connection).filter(([key]) => !OF_CUSTOMER.includes(key));
      leftOut.push(...OF_CUSTOMER.filter((key) => connection[key] !== undefined).map((key) => `connections.${id}.${key}`));
      return kept.length === 0 ? [] : [[id, Object.fromEntries(kept)]];
    }));
    if (isJsonMap(configuration[part]) && Object.keys(configuration[part]).length === 0) delete configuration[part];
  }
  return { template: 1, preset: typeof value["preset"] === "string" ? value["preset"] : null, configuration, left_out: leftOut };
}

/**
 * The edits that lay a template over a tenant's file. Where the tenant says something else itself that is a conflict, and
 * stays as it is unless `replace`.
 * @throws PlugboardError PLAN_UNKNOWN_TENANT; MANIFEST_UNKNOWN_REFERENCE for a connector that this workspace has not; PLAN_UNKNOWN_PATH for a part that no template has
 */
export function importTemplate(workspace: Workspace, tenantId: string, template: Template, replace = false): { edits: { pointer: string; value: Json }[]; conflicts: TemplateConflict[] } {
  const { value } = manifestOf(workspace, tenantId);
  for (const part of Object.keys(template.configuration)) {
    if (!(PARTS as readonly string[]).includes(part)) throw new PlugboardError("PLAN_UNKNOWN_PATH", { path: part, tenant: tenantId, suggestion: suggest(part, PARTS) });
  }
  for (const connection of Object.values(mapOf(template.configuration["connections"]))) {
    const connector = mapOf(connection)["connector"];
    if (typeof connector === "string" && !workspace.connectors.has(connector)) throw new PlugboardError("MANIFEST_UNKNOWN_REFERENCE", { kind: "Connector", name: connector, suggestion: suggest(connector, workspace.connectors.keys()) });
    const ofCustomer = OF_CUSTOMER.find((key) => mapOf(connection)[key] !== undefined);
    if (ofCustomer !== undefined) throw new PlugboardError("PLAN_UNKNOWN_PATH", { path: `connections.….${ofCustomer}`, tenant: tenantId, suggestion: "What was entered for one customer is no part of a template." });
  }
  const edits: { pointer: string; value: Json }[] = [];
  const conflicts: TemplateConflict[] = [];
  const lay = (theirs: Json, mine: Json | undefined, pointer: string): void => {
    if (isJsonMap(theirs) && isJsonMap(mine)) {
      for (const [key, member] of Object.entries(theirs)) lay(member, Object.hasOwn(mine, key) ? mine[key] : undefined, child(pointer, key));
      return;
    }
    if (sameJson(theirs, mine)) return;
    if (mine !== undefined) conflicts.push({ pointer, mine, theirs });
    if (mine === undefined || replace) edits.push({ pointer, value: theirs });
  };
  for (const [part, theirs] of Object.entries(template.configuration)) lay(theirs, value[part], child("", part));
  return { edits, conflicts };
}

function manifestOf(workspace: Workspace, tenantId: string): { readonly value: JsonObject } {
  const manifest = workspace.tenants.get(tenantId);
  if (!manifest) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant: tenantId, suggestion: suggest(tenantId, workspace.tenants.keys()) });
  return manifest;
}

const mapOf = (value: Json | undefined): JsonObject => (isJsonMap(value) ? value : {});
