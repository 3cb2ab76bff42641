/** A tenant's configuration as a template for others: how, never who. */
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { exportTemplate, importTemplate, type Template } from "../../../engine/plan/index.ts";
import { headOfMain, tenantFile } from "../../organisations/configuration.ts";
import { proposeEdits } from "../../organisations/propose.ts";
import { actorOf } from "../access.ts";
import { closed, id, nullable } from "../schemas.ts";
import { reviewOf, type Services } from "../services.ts";

const tags = ["overrides"];
const params = closed({ tenant: id("The organisation.", "acme") }, ["tenant"]);
const free = { type: "object", additionalProperties: true } as const;
const template = { template: { type: "integer", enum: [1] }, preset: nullable({ type: "string" }), configuration: free } as const;

export function registerTemplates(server: FastifyInstance, services: Services): void {
  const head = async (tenant: string) => {
    const { workspace } = await headOfMain(reviewOf(services));
    if (!workspace.tenants.has(tenant)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Configuration of tenant", name: tenant });
    return workspace;
  };

  server.get<{ Params: { tenant: string } }>("/api/tenants/:tenant/template", {
    config: { permission: "overrides:propose" },
    schema: { tags, summary: "A tenant's configuration as a template", description: "Without credentials, accounts, what was entered for its connections, and its people.", params, querystring: closed({}), response: { 200: closed({ ...template, left_out: { type: "array", items: { type: "string" }, description: "What is this tenant's alone." } }) } },
  }, async (request) => exportTemplate(await head(request.tenant), request.tenant));

  const answer = closed({ conflicts: { type: "array", items: closed({ pointer: { type: "string" }, mine: {}, theirs: {} }) }, edits: { type: "array", items: closed({ pointer: { type: "string" }, value: {} }) }, preset_differs: { type: "boolean", description: "The template is of another preset." }, change: { anyOf: [{ type: "null" }, free] } });
  server.post<{ Params: { tenant: string }; Body: { template: Template; replace?: boolean }; Querystring: { dry_run?: boolean } }>("/api/tenants/:tenant/template", {
    config: { permission: "overrides:propose" },
    schema: {
      tags, summary: "Propose a template for a tenant", description: "What the tenant says otherwise itself is a conflict, and stays unless `replace`.", params, querystring: closed({ dry_run: { type: "boolean" } }),
      body: closed({ template: { ...closed({ ...template, left_out: { type: "array", items: { type: "string" } } }, ["template", "configuration"]) }, replace: { type: "boolean" } }, ["template"]), response: { 200: answer, 201: answer },
    },
  }, async (request, reply) => {
    const { tenant, body } = request;
    const workspace = await head(tenant);
    const { edits, conflicts } = importTemplate(workspace, tenant, body.template, body.replace === true);
    const mine = String(workspace.tenants.get(tenant)!.value["preset"] ?? "").split("@")[0];
    const change = request.query.dry_run === true || edits.length === 0 ? undefined
      : await proposeEdits(reviewOf(services), actorOf(request), `${tenant}: template${body.template.preset ? ` of ${body.template.preset}` : ""}`, [{ file: tenantFile(tenant), set: edits }]);
    return reply.code(change === undefined ? 200 : 201).send({ conflicts, edits, preset_differs: (body.template.preset ?? "").split("@")[0] !== mine, change: change ?? null });
  });
}
