/** Integrations that tenants would like to have: asked for by their people, answered by the operator's. */
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { addRequest, listAllRequests, listRequests, recordAudit, setRequestAnswer, withTenant, type RequestStatus } from "../../../engine/store/index.ts";
import { actorOf } from "../access.ts";
import { closed, id, instant, nullable, page, pagingQuery, query } from "../schemas.ts";
import type { Services } from "../services.ts";
import { afterOf, pageView } from "../views.ts";

const tags = ["requests"];
const request = {
  $id: "IntegrationRequest", title: "Integration request",
  ...closed({
    id: id("The request.", "0199f6a2-…"), tenant: id("Who asks.", "acme"), provider: { type: "string" }, note: { type: "string" }, status: { type: "string", enum: ["open", "planned", "declined", "done"] },
    requested_by: { type: "string" }, requested_at: instant("Asked."), answer: nullable({ type: "string" }), answered_by: nullable({ type: "string" }), answered_at: nullable(instant("Answered.")),
  }),
} as const;
const status = { type: "string", enum: ["open", "planned", "declined", "done"], description: "Only these." } as const;

export function registerRequests(server: FastifyInstance, { db }: Services): void {
  server.addSchema(request);
  const view = <Item extends object>(one: Item): object => ({ answer: null, answered_by: null, answered_at: null, ...one });

  server.get<{ Querystring: { status?: RequestStatus; limit: number; cursor?: string } }>("/api/requests", {
    config: { permission: "requests:read" },
    schema: { tags, summary: "Integration requests, newest first", description: "The operator's staff see those of all tenants that are theirs to see, unless they name one.", querystring: query({ status, ...pagingQuery }), response: { 200: page("IntegrationRequest") } },
  }, async ({ tenant, caller, query: { status: only, limit, cursor } }) => {
    const list = ["requests", tenant, only, caller!.assigned?.join(" ")];
    const filter = { limit, ...(only === undefined ? {} : { status: only }), ...afterOf(list, cursor, 2) };
    const found = tenant !== "" ? await listRequests(db, tenant, filter) : await listAllRequests(db, { ...filter, ...(caller!.assigned === undefined ? {} : { tenants: caller!.assigned }) });
    return pageView(list, found, view);
  });

  server.post<{ Body: { provider: string; note?: string } }>("/api/requests", {
    config: { permission: "requests:write" },
    schema: { tags, summary: "Ask for an integration", querystring: query(), body: closed({ provider: { type: "string", minLength: 1, maxLength: 200, pattern: "\\S", description: "Its name.", examples: ["OneFile"] }, note: { type: "string", maxLength: 5000, description: "What for." } }, ["provider"]), response: { 201: { $ref: "IntegrationRequest#" } } },
  }, async (asked, reply) => {
    const { tenant, body } = asked;
    const made = await withTenant(db, tenant, async (tx) => {
      const one = await addRequest(tx, tenant, { provider: plain(body.provider), note: plain(body.note ?? ""), by: asked.caller!.name });
      await recordAudit(tx, tenant, { actor: actorOf(asked), action: "integration.requested", subject: { kind: "integration_request", id: one.id }, after: { provider: one.provider } });
      return one;
    });
    return reply.code(201).send(view(made));
  });

  server.post<{ Params: { id: string }; Body: { status: Exclude<RequestStatus, "open">; note: string } }>("/api/requests/:id/answer", {
    config: { permission: "requests:answer" },
    schema: { tags, summary: "Answer an integration request", params: closed({ id: id("The request.", "0199f6a2-…") }, ["id"]), querystring: query(), body: closed({ status: { type: "string", enum: ["planned", "declined", "done"] }, note: { type: "string", minLength: 1, maxLength: 5000, description: "What the tenant reads." } }, ["status", "note"]), response: { 200: { $ref: "IntegrationRequest#" } } },
  }, (asked) => withTenant(db, asked.tenant, async (tx) => {
    const answered = await setRequestAnswer(tx, asked.tenant, asked.params.id, { status: asked.body.status, answer: plain(asked.body.note), by: asked.caller!.name });
    if (!answered) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Request", name: asked.params.id });
    const { before, after } = answered;
    await recordAudit(tx, asked.tenant, { actor: actorOf(asked), action: "integration.answered", subject: { kind: "integration_request", id: after.id }, before: { status: before.status }, after: { status: after.status, answer: after.answer ?? "" } });
    return view(after);
  }));
}

/** Without what no column may hold. */
const plain = (text: string): string => text.replaceAll("\0", "").toWellFormed();
