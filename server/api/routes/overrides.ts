/** What a tenant changes on top of its preset, and where it stands: every change of it is proposed. */
import type { FastifyInstance, FastifyRequest, FastifyReply } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import type { Workspace } from "../../../engine/manifest/index.ts";
import { effectiveValues, overrideEdits, type OverrideChange } from "../../../engine/plan/index.ts";
import { headOfMain, tenantFile } from "../../organisations/configuration.ts";
import { planMoves, proposeMoves, type MoveWanted } from "../../organisations/move.ts";
import { proposeEdits } from "../../organisations/propose.ts";
import { actorOf } from "../access.ts";
import { closed, id, nullable } from "../schemas.ts";
import { reviewOf, type Services } from "../services.ts";
import { changes, moveAnswer, wanted } from "./presets.ts";

const tags = ["overrides"];
const params = closed({ tenant: id("The organisation.", "acme") }, ["tenant"]);
const proposed = { anyOf: [{ type: "null" }, { type: "object", additionalProperties: true }], description: "The proposed change; null when the file says all of it already." } as const;
const answer = closed({ edits: { type: "array", items: closed({ pointer: { type: "string" }, value: {} }), description: "What is stored: only what differs." }, change: proposed });
const body = closed({ changes, title: { type: "string", maxLength: 200 } }, ["changes"]);
const place = closed({ layer: { type: "string" }, file: { type: "string" }, line: { type: "integer" }, col: { type: "integer" } });

/** What a tenant's own people may be given: field by field, and how often. */
const MAPPINGS = /^\/flows\/[^/]+\/map(\/|$)/;
const FREQUENCY = /^\/flows\/[^/]+\/from\/(every|cron|time_zone|sweep)$/;

interface Asked { Params: { tenant: string }; Body: { changes: OverrideChange[]; title?: string } }

/** @throws PlugboardError SERVER_NOT_FOUND; who else is here is told to nobody. */
function own(workspace: Workspace, tenant: string): Workspace {
  if (!workspace.tenants.has(tenant)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Configuration of tenant", name: tenant });
  return workspace;
}

export function registerOverrides(server: FastifyInstance, services: Services): void {
  const head = async (tenant: string): Promise<Workspace> => own((await headOfMain(reviewOf(services))).workspace, tenant);

  server.get<{ Params: { tenant: string }; Querystring: { overridden?: boolean } }>("/api/tenants/:tenant/overrides", {
    config: { permission: "overrides:read" },
    schema: {
      tags, summary: "Every effective value beside its default", description: "As Git's main says it, each with the file, line and layer it comes from.", params, querystring: closed({ overridden: { type: "boolean", description: "Only what the tenant overrides." } }),
      response: { 200: closed({ preset: nullable({ type: "string" }), data: { type: "array", items: closed({ path: { type: "string" }, pointer: { type: "string" }, value: {}, overridden: { type: "boolean" }, origin: place, default: { anyOf: [{ type: "null" }, closed({ value: {}, origin: place })] } }) } }) },
    },
  }, async (request) => {
    const workspace = await head(request.tenant);
    const values = effectiveValues(workspace, request.tenant).filter(({ overridden }) => overridden || request.query.overridden !== true);
    const pin = workspace.tenants.get(request.tenant)!.value["preset"];
    return { preset: typeof pin === "string" ? pin : null, data: values.map((value) => ({ ...value, default: value.default ?? null })) };
  });

  const patch = (url: string, permission: "overrides:propose" | "mappings:propose" | "frequency:propose", summary: string, allowed: RegExp | undefined): void => {
    server.patch<Asked>(url, {
      config: { permission },
      schema: { tags, summary, description: "A value that equals its default takes the override back; one without `value` too. Nothing is in force before it was reviewed.", params, querystring: closed({}), body, response: { 200: answer, 201: answer } },
    }, (request, reply) => propose(request, reply, allowed));
  };
  const propose = async (request: FastifyRequest<Asked>, reply: FastifyReply, allowed: RegExp | undefined): Promise<FastifyReply> => {
    const { tenant } = request;
    const edits = overrideEdits(await head(tenant), tenant, request.body.changes);
    const foreign = allowed && edits.find(({ pointer }) => !allowed.test(pointer));
    if (foreign !== undefined) throw new PlugboardError("SERVER_ROLE_FORBIDDEN", { role: request.caller!.role ?? "caller", permission: "overrides:propose" });
    const title = request.body.title ?? `${tenant}: ${request.body.changes.map(({ at }) => at).slice(0, 3).join(", ")}${request.body.changes.length > 3 ? " …" : ""}`;
    const change = await proposeEdits(reviewOf(services), actorOf(request), title, [{ file: tenantFile(tenant), set: edits }]);
    return reply.code(change === undefined ? 200 : 201).send({ edits, change: change ?? null });
  };
  patch("/api/tenants/:tenant/overrides", "overrides:propose", "Propose overrides", undefined);
  patch("/api/tenants/:tenant/mappings", "mappings:propose", "Propose field mappings", MAPPINGS);
  patch("/api/tenants/:tenant/frequency", "frequency:propose", "Propose how often flows run", FREQUENCY);

  server.post<{ Params: { tenant: string }; Body: MoveWanted; Querystring: { dry_run?: boolean } }>("/api/tenants/:tenant/preset", {
    config: { permission: "overrides:propose" },
    schema: {
      tags, summary: "Move a tenant to another release or preset", description: "Old schedules stop, new ones start, records keep where they came from; `dry_run=true` says so first, with everything that gets in the way.",
      params, querystring: closed({ dry_run: { type: "boolean" } }), body: closed({ preset: { type: "string", maxLength: 200, description: "`aptem@4`, or `aptem` for its newest release. Left out: the newest release of its own.", examples: ["aptem@4"] }, ...wanted }), response: { 200: moveAnswer, 201: moveAnswer },
    },
  }, async (request, reply) => {
    const review = reviewOf(services);
    await head(request.tenant);
    if (request.query.dry_run === true) return { moves: await planMoves(review, [request.tenant], request.body), change: null };
    const made = await proposeMoves(review, actorOf(request), [request.tenant], request.body);
    return reply.code(made.change === null ? 200 : 201).send(made);
  });
}

