/** Tenants on another release or preset: what gets in the way first, then one proposed change for all of them. */
import { suggest } from "../../engine/errors/nearest.ts";
import { hintOf, messageOf, PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { planMove, listPresets, type MoveConflict, type MovePlan } from "../../engine/plan/index.ts";
import type { Json, Workspace } from "../../engine/manifest/index.ts";
import type { Actor } from "../../engine/store/index.ts";
import { InvalidFields, type ValueProblem } from "../api/errors.ts";
import type { FileEdit, Review } from "../review/index.ts";
import { headOfMain, tenantFile } from "./configuration.ts";
import { proposeEdits, type Proposed } from "./propose.ts";

export interface MoveWanted {
  /** `aptem-hubspot@4`; `aptem-hubspot`: its newest release. Absent: the newest release of the preset that each has. */
  readonly preset?: string;
  readonly inputs?: Readonly<Record<string, Json>>;
  /** Take overrides of parts that are no longer there out of the files. */
  readonly drop_gone?: boolean;
  /** Although there are conflicts: what the tenants override stays as it is. */
  readonly accept?: boolean;
}

/** @throws PlugboardError SERVER_NOT_FOUND */
export async function planMoves(review: Review, tenants: readonly string[], wanted: MoveWanted): Promise<MovePlan[]> {
  const { workspace } = await headOfMain(review);
  return tenants.map((tenant) => planOne(workspace, tenant, wanted));
}

/**
 * @throws PlugboardError TENANT_CONFLICTS with every conflict, unless they are accepted; what cannot be is refused by review
 */
export async function proposeMoves(review: Review, author: Actor, tenants: readonly string[], wanted: MoveWanted): Promise<{ readonly moves: MovePlan[]; readonly change: Proposed | null }> {
  const { workspace } = await headOfMain(review);
  const moves = tenants.map((tenant) => planOne(workspace, tenant, wanted));
  const open = moves.flatMap(({ tenant, to, conflicts }) => conflicts.filter(({ kind }) => !(kind === "gone" && wanted.drop_gone === true) && !(kind === "shadows" && wanted.accept === true)).map((conflict) => problemOf(tenant, to, conflict)));
  if (open.length > 0) throw new InvalidFields("TENANT_CONFLICTS", open, { to: [...new Set(moves.map(({ to }) => to))].join(", ") });
  // As it is written: a pin without a release that names the same one today is another pin.
  const changed = moves.filter(({ tenant, to }) => workspace.tenants.get(tenant)?.value["preset"] !== to);
  const edits = changed.map(({ tenant, to, conflicts }): FileEdit => ({
    file: tenantFile(tenant),
    set: [
      { pointer: "/preset", value: to },
      ...Object.entries(wanted.inputs ?? {}).map(([name, value]) => ({ pointer: `/inputs/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, value })),
      ...conflicts.filter(({ kind }) => kind === "gone").map(({ path }) => ({ pointer: `/${path.replaceAll(".", "/")}` })),
    ],
  }));
  if (edits.length === 0) return { moves, change: null };
  const targets = [...new Set(changed.map(({ to }) => to))].join(", ");
  const title = changed.length === 1 ? `${changed[0]!.tenant}: ${changed[0]!.from ?? "no preset"} → ${targets}` : `${changed.length} tenants → ${targets}`;
  return { moves, change: await proposeEdits(review, author, title, edits, changed.length === 1 ? undefined : changed.map(({ tenant, from }) => `${tenant} (${from ?? "no preset"})`).join(", ")) ?? null };
}

/** Tenants whose file names this preset, and not its newest release. */
export async function behindOf(review: Review, preset: string): Promise<string[]> {
  const { workspace } = await headOfMain(review);
  const found = listPresets(workspace).find(({ id }) => id === preset);
  if (!found) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Preset", name: preset, suggestion: suggest(preset, workspace.presets.keys()) });
  return found.tenants.filter(({ release }) => release !== (found.releases.at(-1) ?? "head")).map(({ id }) => id);
}

function planOne(workspace: Workspace, tenant: string, { preset, inputs }: MoveWanted): MovePlan {
  const manifest = workspace.tenants.get(tenant);
  if (!manifest) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Tenant", name: tenant });
  const own = String(manifest.value["preset"] ?? "").split("@")[0]!;
  const asked = preset ?? own;
  const [id = "", release] = asked.split("@");
  const known = listPresets(workspace);
  const found = known.find((each) => each.id === id);
  if (!found) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Preset", name: asked, suggestion: suggest(id, known.map((each) => each.id)) });
  if (release !== undefined && !found.releases.includes(Number(release))) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Release", name: asked, suggestion: suggest(asked, found.releases.map((number) => `${id}@${number}`)) });
  return planMove(workspace, tenant, release === undefined && found.releases.length > 0 ? `${id}@${found.releases.at(-1)!}` : asked, inputs);
}

function problemOf(tenant: string, to: string, { kind, path, problem, before, after }: MoveConflict): ValueProblem {
  const place = { field: `${tenant}.${path}`, pointer: `/${path.replaceAll(".", "/")}` };
  if (problem !== undefined) { const hint = hintOf(problem.code, problem.params); return { code: problem.code, ...place, message: messageOf(problem.code, problem.params), ...(hint ? { hint } : {}) }; }
  return kind === "gone"
    ? { code: "MANIFEST_UNKNOWN_REFERENCE", ...place, message: `${to} has no '${path}' any more, which ${tenant} overrides.`, hint: "Send drop_gone: true to take the override out." }
    : { code: "PLAN_SHADOWS_NEWER", ...place, message: `${tenant} overrides '${path}': the default ${JSON.stringify(before)} becomes ${JSON.stringify(after)}.`, hint: "Send accept: true to keep the override, or reset it to the default." };
}
