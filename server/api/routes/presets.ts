/** Presets: what they are, their defaults, releases, who is on which, and moving tenants on. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import type { Json, Workspace } from "../../../engine/manifest/index.ts";
import { cutRelease, diffPresets, effectiveValues, listPresets, ONLY_PRESET, planOfPreset, workspaceOfPreset, type PresetSummary } from "../../../engine/plan/index.ts";
import { headOfMain } from "../../organisations/configuration.ts";
import { behindOf, planMoves, proposeMoves, type MoveWanted } from "../../organisations/move.ts";
import { presetEdits } from "../../organisations/preset-edits.ts";
import { proposeEdits, type Proposed } from "../../organisations/propose.ts";
import { knownPlan } from "../reach.ts";
import { actorOf } from "../access.ts";
import { flowGraphOf } from "../flow-graph.ts";
import { closed, id, query } from "../schemas.ts";
import { reviewOf, type Services } from "../services.ts";

const tags = ["presets"];
const params = closed({ preset: id("The preset.", "aptem-hubspot") }, ["preset"]);
const free = { type: "object", additionalProperties: true } as const;
const proposed = { anyOf: [{ type: "null" }, free], description: "The proposed change; null when there was nothing to change." } as const;
export const change = closed({ at: { type: "string", maxLength: 500, description: "A path (`flows.learners.from.every`) or JSON pointer.", examples: ["flows.learners.from.every"] }, value: { description: "Left out: back to the default. Null: removed.", examples: ["15m"] } }, ["at"]);
export const changes = { type: "array", minItems: 1, maxItems: 500, items: change } as const;
export const wanted = { inputs: { ...free, description: "Answers to what the preset asks." }, drop_gone: { type: "boolean", description: "Take out overrides of parts that are no longer there." }, accept: { type: "boolean", description: "Although overrides hide what changes." } } as const;
export const moveAnswer = closed({ moves: { type: "array", items: free }, change: proposed });

export function registerPresets(server: FastifyInstance, services: Services): void {
  const list = async (): Promise<Workspace> => (await headOfMain(reviewOf(services))).workspace;
  const summary = (workspace: Workspace, preset: PresetSummary): object => {
    const plan = planOfPreset(workspace, preset.releases.length === 0 ? preset.id : `${preset.id}@${preset.releases.at(-1)!}`);
    return {
      preset: preset.id, title: preset.title, description: String(workspace.presets.get(preset.id)?.findLast(({ value }) => typeof value["description"] === "string")?.value["description"] ?? "") || null,
      recommended: preset.recommended, releases: preset.releases, newest: preset.releases.at(-1) ?? null, tenants: preset.tenants,
      connections: Object.entries(plan.connections).map(([connection, { connector }]) => ({ connection, connector: plan.connectors[connector]?.id ?? connector, title: plan.connectors[connector]?.title ?? connector })),
    };
  };
  const find = (workspace: Workspace, asked: string): PresetSummary => {
    const all = listPresets(workspace);
    const found = all.find(({ id: preset }) => preset === asked);
    if (!found) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Preset", name: asked, suggestion: suggest(asked, all.map((each) => each.id)) });
    return found;
  };
  /** A tenant's own people see the preset that they have, and no other. */
  const ownOnly = async (tenant: string, preset: string): Promise<object | undefined> => {
    const plan = await services.planOf(tenant);
    if (plan.preset?.id !== preset) return undefined;
    return { preset, title: preset, connections: Object.entries(plan.connections).map(([connection, { connector }]) => ({ connection, connector: plan.connectors[connector]?.id ?? connector, title: plan.connectors[connector]?.title ?? connector })) };
  };

  server.get("/api/presets", {
    config: { permission: "presets:read" }, schema: { tags, summary: "Presets, the recommended ones first", querystring: query(), response: { 200: closed({ data: { type: "array", items: free } }) } },
  }, async (request) => {
    if (isOfTenant(request)) {
      const own = (await services.planOf(request.tenant)).preset?.id;
      return { data: own === undefined ? [] : [await ownOnly(request.tenant, own)] };
    }
    const workspace = await list();
    return { data: listPresets(workspace).toSorted((a, b) => Number(b.recommended) - Number(a.recommended)).map((preset) => only(request.caller!.assigned, summary(workspace, preset))) };
  });

  server.get<{ Params: { preset: string }; Querystring: { release?: string } }>("/api/presets/:preset", {
    config: { permission: "presets:read" },
    schema: { tags, summary: "One preset: its effective defaults, each with where it is written, and its flows as a graph", description: "The head, or with `release` a frozen one.", params, querystring: query({ release: { type: "string", pattern: "^(head|[0-9]{1,9})$", description: "A number, or `head`. Left out: the head." } }), response: { 200: free } },
  }, async (request) => {
    const { preset } = request.params;
    if (isOfTenant(request)) {
      const own = await ownOnly(request.tenant, preset);
      if (own === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Preset", name: preset });
      return own;
    }
    const workspace = await list();
    const found = find(workspace, preset);
    const pin = pinOf(found, request.query.release);
    const values = effectiveValues(workspaceOfPreset(workspace, pin), ONLY_PRESET).map(({ path, pointer, value, origin }) => ({ path, pointer, value, origin }));
    const inputs = workspace.presets.get(preset)?.findLast(({ value }) => value["inputs"] !== undefined)?.value["inputs"] ?? {};
    return { ...only(request.caller!.assigned, summary(workspace, found)), graph: flowGraphOf(planOfPreset(workspace, pin)), release: pin.includes("@") ? Number(pin.split("@")[1]) : "head", inputs, values };
  });

  server.patch<{ Params: { preset: string }; Body: { changes: { at: string; value?: Json }[] } }>("/api/presets/:preset", {
    config: { permission: "configuration:propose" },
    schema: { tags, summary: "Propose other defaults", description: "Changes the head: tenants on a release are not touched. What equals the built-in preset is not written.", params, querystring: closed({}), body: closed({ changes }, ["changes"]), response: { 200: closed({ change: proposed }), 201: closed({ change: proposed }) } },
  }, async (request, reply) => {
    const { preset } = request.params;
    const made = await proposeEdits(reviewOf(services), actorOf(request), `${preset}: ${request.body.changes.length === 1 ? request.body.changes[0]!.at : "other defaults"}`, presetEdits(await list(), preset, request.body.changes));
    return reply.code(made === undefined ? 200 : 201).send({ change: known(request, made) });
  });

  server.post<{ Params: { preset: string } }>("/api/presets/:preset/releases", {
    config: { permission: "configuration:propose" },
    schema: { tags, summary: "Propose a release", description: "Freezes the head and the mappings that it uses. Tenants move to it one by one.", params, querystring: closed({}), response: { 201: closed({ release: { type: "integer" }, file: { type: "string" }, change: proposed }) } },
  }, async (request, reply) => {
    const workspace = await list();
    find(workspace, request.params.preset);
    const { number, file, text, preset } = cutRelease(workspace, request.params.preset);
    return reply.code(201).send({ release: number, file, change: known(request, await proposeEdits(reviewOf(services), actorOf(request), `${preset}: release ${number}`, [{ file, text }])) });
  });

  server.get<{ Params: { preset: string }; Querystring: { from: string; to: string } }>("/api/presets/:preset/diff", {
    config: { permission: "configuration:propose" },
    schema: { tags, summary: "What differs between two releases", description: "As a tenant without overrides would see it.", params, querystring: closed({ from: { type: "string", pattern: "^(head|[0-9]{1,9})$" }, to: { type: "string", pattern: "^(head|[0-9]{1,9})$", default: "head" } }, ["from"]), response: { 200: closed({ from: { type: "string" }, to: { type: "string" }, changes: { type: "array", items: free } }) } },
  }, async (request) => {
    const workspace = await list();
    const found = find(workspace, request.params.preset);
    const [from, to] = [pinOf(found, request.query.from), pinOf(found, request.query.to)];
    return { from, to, changes: diffPresets(workspace, from, to).filter(({ kind }) => kind !== "preset") };
  });

  server.post<{ Params: { preset: string }; Body: MoveWanted & { tenants?: string[] }; Querystring: { dry_run?: boolean } }>("/api/presets/:preset/upgrade", {
    config: { permission: "configuration:propose" },
    schema: {
      tags, summary: "Move many tenants to another release", description: "Without `tenants`: all of this preset that are not on its newest release. Conflicts come first; then it is one proposed change.",
      params, querystring: closed({ dry_run: { type: "boolean", description: "Only what would happen, and what gets in the way." } }),
      body: closed({ tenants: { type: "array", minItems: 1, maxItems: 1000, uniqueItems: true, items: id("A tenant.", "acme") }, release: { type: "integer", minimum: 1, description: "Left out: the newest." }, ...wanted }), response: { 200: moveAnswer, 201: moveAnswer },
    },
  }, async (request, reply) => {
    const review = reviewOf(services);
    const { assigned } = request.caller!;
    const { preset } = request.params;
    const { release, ...body } = request.body as MoveWanted & { tenants?: string[]; release?: number };
    const tenants = (body.tenants ?? await behindOf(review, preset)).filter((tenant) => body.tenants !== undefined || assigned === undefined || assigned.includes(tenant));
    const foreign = tenants.find((tenant) => assigned !== undefined && !assigned.includes(tenant));
    if (foreign !== undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Tenant", name: foreign });
    const move: MoveWanted = { ...body, preset: release === undefined ? preset : `${preset}@${release}` };
    if (request.query.dry_run === true) return { moves: await planMoves(review, tenants, move), change: null };
    const made = await proposeMoves(review, actorOf(request), tenants, move);
    return reply.code(made.change === null ? 200 : 201).send(made);
  });
}

/** Who belongs to a tenant sees that tenant's preset, a key too: a key is granted in full, within its tenant. */
const isOfTenant = ({ grant, caller }: FastifyRequest): boolean => grant === "narrow" || caller!.tenant !== undefined;

const known = (request: FastifyRequest, made: Proposed | undefined): Proposed | null => (made === undefined ? null : { ...made, plan: made.plan && knownPlan(request, made.plan) });

/** Of an engineer: only the tenants assigned to them are named. */
const only = (assigned: readonly string[] | undefined, preset: object): object =>
  assigned === undefined ? preset : { ...preset, tenants: (preset as PresetSummary).tenants.filter(({ id: tenant }) => assigned.includes(tenant)) };

/** @throws PlugboardError SERVER_NOT_FOUND */
function pinOf({ id: preset, releases }: PresetSummary, release: string | undefined): string {
  if (release === undefined || release === "head") return preset;
  if (!releases.includes(Number(release))) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Release", name: `${preset}@${release}`, suggestion: suggest(`${preset}@${release}`, releases.map((number) => `${preset}@${number}`)) });
  return `${preset}@${release}`;
}
