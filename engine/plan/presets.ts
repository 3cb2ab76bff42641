/** Presets as a whole: which there are, who is on which release, and what differs between two of them. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Manifest, Workspace } from "../manifest/types.ts";
import { diffPlans, type PlanChange } from "./diff.ts";
import { newestRelease } from "./preset-layer.ts";
import { resolvePlan } from "./resolve.ts";
import type { TenantPlan } from "./types.ts";

export interface PresetSummary {
  readonly id: string;
  readonly title: string;
  readonly recommended: boolean;
  /** Numbers, oldest first. */
  readonly releases: readonly number[];
  readonly tenants: readonly { readonly id: string; readonly release: number | "head" }[];
}

export function listPresets(workspace: Workspace): PresetSummary[] {
  const ids = new Set([...workspace.presets.keys(), ...workspace.releases.keys()]);
  const tenants = [...workspace.tenants.values()].map(({ id, value }) => ({ id, pin: String(value["preset"] ?? "").split("@") }));
  return [...ids].toSorted().map((id) => {
    const layers = workspace.presets.get(id) ?? [];
    const said = Object.assign({}, ...layers.map(({ value }) => value)) as Manifest["value"];
    return {
      id,
      title: typeof said["title"] === "string" ? said["title"] : id,
      recommended: said["recommended"] === true,
      releases: [...(workspace.releases.get(id)?.keys() ?? [])].toSorted((a, b) => a - b),
      tenants: tenants.filter(({ pin }) => pin[0] === id).map((tenant) => ({ id: tenant.id, release: tenant.pin[1] === undefined ? (newestRelease(workspace, id) ?? "head") : Number(tenant.pin[1]) })),
    };
  });
}

/**
 * What a tenant without overrides would see when it moves.
 * @param before `acme@1`, or `acme` for the head of the preset. @throws PlugboardError MANIFEST_UNKNOWN_REFERENCE
 */
export function diffPresets(workspace: Workspace, before: string, after: string): PlanChange[] {
  return diffPlans(planOfPreset(workspace, before), planOfPreset(workspace, after));
}

/** The plan of a tenant that says nothing but its preset. Without a number: the head. */
export function planOfPreset(workspace: Workspace, pin: string): TenantPlan {
  const { plan, problems } = resolvePlan(workspaceOfPreset(workspace, pin), ONLY_PRESET);
  const unknown = problems.find(({ code, at }) => code === "MANIFEST_UNKNOWN_REFERENCE" && at?.file === pin);
  if (unknown) throw new PlugboardError(unknown.code, unknown.params);
  return plan;
}

/** Id of the tenant in it that says nothing but its preset. */
export const ONLY_PRESET = "preset";

/** The workspace with such a tenant alone: what it explains are the preset's defaults. Without a number: the head. */
export function workspaceOfPreset(workspace: Workspace, pin: string): Workspace {
  const tenant: Manifest = {
    kind: "tenant", id: ONLY_PRESET, layer: "workspace", file: pin, text: "", value: { tenant: ONLY_PRESET, preset: pin },
    locate: () => ({ file: pin, line: 1, col: 1 }), written: () => ({ style: "other" }),
  };
  return { ...workspace, tenants: new Map([[ONLY_PRESET, tenant]]), ...(pin.includes("@") ? {} : { releases: new Map() }) };
}
