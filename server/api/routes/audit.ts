/** The audit log: who did what, when, from where, before and after. */
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { endLapsedImpersonations, listAudit, PLATFORM, type AuditFilter, type AuditLine } from "../../../engine/store/index.ts";
import { csvLine } from "../../people/csv.ts";
import { closed, id, instant, nullable, pagingQuery, query } from "../schemas.ts";
import type { Services } from "../services.ts";
import { afterOf, pageView } from "../views.ts";

const tags = ["audit"];
const EXPORT_PAGE = 1000;

interface Asked { actor?: string; action?: string; subject?: string; since?: string; until?: string }

const filters = { actor: id("Id of who did it.", "0199f6a2-…"), action: id("What was done.", "connection.entered"), subject: id("Id of what it was done to.", "hubspot"), since: instant("From then on."), until: instant("Before then.") } as const;
const line = closed({
  id: { type: "string" }, at: instant("When."), actor: closed({ kind: { type: "string" }, id: { type: "string" }, name: { type: "string" }, impersonator: { type: "string", description: "Who it really was." }, ip: { type: "string" }, request: { type: "string", description: "Id of the request." } }),
  action: { type: "string" }, subject: closed({ kind: { type: "string" }, id: { type: "string" } }), before: nullable({ type: "object", additionalProperties: true }), after: nullable({ type: "object", additionalProperties: true, description: "Of secrets, fingerprints." }), reason: { type: "string" },
});

export function registerAudit(server: FastifyInstance, { db }: Services): void {
  server.get<{ Querystring: Asked & { limit: number; cursor?: string } }>("/api/audit", {
    config: { permission: "audit:read" },
    schema: { tags, summary: "The audit log, newest first", description: "Of a tenant; without one, of the operator.", querystring: query({ ...filters, ...pagingQuery }), response: { 200: closed({ data: { type: "array", items: line }, next_cursor: nullable({ type: "string" }) }) } },
  }, async (request) => {
    const place = await placeOf(request);
    const { limit, cursor } = request.query;
    const asked = filterOf(request);
    const list = ["audit", place, asked.actor, asked.action, asked.subject, asked.since, asked.until];
    const found = await listAudit(db, place, { ...asked, limit: limit + 1, ...afterOf(list, cursor, 2) as { after?: readonly [string, string] } });
    const items = found.slice(0, limit);
    return pageView(list, { items, ...(found.length > limit ? { next: positionOf(items.at(-1)!) } : {}) }, (each) => each);
  });

  server.get<{ Querystring: Asked & { format: "ndjson" | "csv" } }>("/api/audit/export", {
    config: { permission: "audit:read" },
    schema: {
      tags, summary: "The audit log as a file, newest first", description: "`ndjson`: one line of JSON each, as it is stored. `csv`: for spreadsheets; a cell that would be a formula begins with an apostrophe.",
      querystring: query({ ...filters, format: { type: "string", enum: ["ndjson", "csv"], default: "ndjson" } }), response: { 200: { type: "string" } },
    },
  }, async (request, reply) => {
    const place = await placeOf(request);
    const { format } = request.query;
    reply.header("content-disposition", `attachment; filename="audit-${place}.${format}"`).type(format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson");
    return reply.send(Readable.from(exported(place, filterOf(request), format)));
  });

  /** In pages of its own, so that an export of any length holds no transaction and no memory. */
  async function* exported(place: string, asked: Omit<AuditFilter, "limit">, format: "ndjson" | "csv"): AsyncGenerator<string> {
    if (format === "csv") yield csvLine(["at", "actor", "actor_kind", "actor_id", "impersonator", "action", "subject_kind", "subject_id", "before", "after", "reason", "ip", "request", "id"]);
    for (let after: readonly [string, string] | undefined; ;) {
      const page = await listAudit(db, place, { ...asked, limit: EXPORT_PAGE, ...(after === undefined ? {} : { after }) });
      if (page.length > 0) yield page.map(format === "csv" ? csvOf : (each) => `${JSON.stringify(each)}\n`).join("");
      if (page.length < EXPORT_PAGE) return;
      after = positionOf(page.at(-1)!);
    }
  }

  /** An impersonation whose time was over before anybody looked has ended by the time somebody does. */
  async function placeOf({ tenant }: FastifyRequest): Promise<string> {
    const place = tenant === "" ? PLATFORM : tenant;
    if (place !== PLATFORM) await endLapsedImpersonations(db, place);
    return place;
  }
}

/** Narrow, in the operator's own log: one's own acts. */
function filterOf({ query: asked, grant, tenant, caller }: FastifyRequest<{ Querystring: Asked }>): Omit<AuditFilter, "limit"> {
  const { actor, action, subject, since, until } = asked;
  const own = grant === "narrow" && (tenant === "" || tenant === PLATFORM) ? { actor: caller!.id } : {};
  return { ...(actor ? { actor } : {}), ...(action ? { action } : {}), ...(subject ? { subject } : {}), ...(since ? { since } : {}), ...(until ? { until } : {}), ...own };
}

const positionOf = ({ at, id: row }: AuditLine): readonly [string, string] => [at, row];

const json = (value: unknown): string | undefined => value === undefined ? undefined : JSON.stringify(value);
const csvOf = ({ id: row, at, actor, action, subject, before, after, reason }: AuditLine): string =>
  csvLine([at, actor.name, actor.kind, actor.id, actor.impersonator, action, subject.kind, subject.id, json(before), json(after), reason, actor.ip, actor.request, row]);
