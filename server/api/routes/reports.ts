/** A tenant's reports, with the filters that show it nobody else's rows. */
import type { FastifyInstance } from "fastify";
import { reportsOf } from "../../organisations/reports.ts";
import { closed, id } from "../schemas.ts";
import type { Services } from "../services.ts";

const filter = closed({
  $schema: { type: "string" }, target: closed({ table: { type: "string" }, column: { type: "string" } }), operator: { type: "string" }, values: { type: "array", items: { type: "string" } }, filterType: { type: "integer", description: "1: basic." },
  displaySettings: closed({ isLockedInViewMode: { type: "boolean" }, isHiddenInViewMode: { type: "boolean" } }),
});

export function registerReports(server: FastifyInstance, { planOf }: Services): void {
  server.get<{ Params: { tenant: string } }>("/api/tenants/:tenant/reports", {
    config: { permission: "reports:read" },
    schema: {
      tags: ["reports"], summary: "The caller's reports", description: "Those that name the caller's role, with the tenant's labels as filters in the form of Power BI's client (`IBasicFilter`).",
      params: closed({ tenant: id("The organisation.", "acme") }, ["tenant"]), querystring: closed({}),
      response: { 200: closed({ data: { type: "array", items: closed({ report: { type: "string" }, roles: { type: "array", items: { type: "string" } }, labels: { type: "object", additionalProperties: { type: "array", items: { type: "string" } } }, filters: { type: "array", items: filter } }) } }) },
    },
  }, async (request) => ({ data: reportsOf(await planOf(request.tenant), request.grant === "narrow" ? request.caller!.role ?? request.caller!.within ?? "" : undefined) }));
}
