/** Runs: list, look at, read the log of, cancel; and what a held sweep waits for. */
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { approveSweep, getRun, listRuns, listSweepHolds, readRunLog, recordAudit, rejectSweep, requestCancel, withTenant, type Run, type RunStatus } from "../../../engine/store/index.ts";
import { actorOf } from "../access.ts";
import { closed, count, id, instant, page, pagingQuery, query, run as runSchema } from "../schemas.ts";
import type { Services } from "../services.ts";
import { afterOf, pageView, runView } from "../views.ts";

interface ById { Params: { id: string }; Querystring: { limit: number; cursor?: string } }

const params = closed({ id: id("The run.", "0199f6a2-7b1e-7c1d-9d55-0f2f6f1c3a10") }, ["id"]);
const tags = ["runs"];
/** Lines of a log that say what was asked of a provider. */
const REQUESTS: ReadonlySet<string> = new Set(["request", "retry"]);

export function registerRuns(server: FastifyInstance, { db }: Services): void {
  const found = async (tenant: string, run: string): Promise<Run> => {
    const known = await getRun(db, tenant, run);
    if (known === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Run", name: run });
    return known;
  };

  server.get<{ Querystring: { flow?: string; connection?: string; status?: RunStatus; limit: number; cursor?: string } }>("/api/runs", {
    config: { permission: "runs:read" },
    schema: {
      tags, summary: "Runs, newest first",
      querystring: query({ flow: id("Only of this flow.", "learners"), connection: id("Only of this connection.", "aptem"), status: { type: "string", enum: runSchema.properties.status.enum, description: "Only with this status." }, ...pagingQuery }),
      response: { 200: page("Run") },
    },
  }, async ({ tenant, query: { limit, cursor, ...filter } }) => {
    const { flow, connection, status } = filter;
    const list = ["runs", tenant, flow, connection, status];
    return pageView(list, await listRuns(db, tenant, { ...(flow ? { flow } : {}), ...(connection ? { connection } : {}), ...(status ? { status } : {}), limit, ...afterOf(list, cursor, 2) }), runView);
  });

  server.get<ById>("/api/runs/:id", { config: { permission: "runs:read" }, schema: { tags, summary: "One run", params, querystring: query(), response: { 200: { $ref: "Run#" } } } },
    async ({ tenant, params: { id } }) => {
      const run = await found(tenant, id);
      // What it held may have been decided since, or a newer sweep knows better.
      const waits = run.sweep?.held !== undefined && (await listSweepHolds(db, tenant)).some((hold) => hold.run === id);
      return { ...runView(run), ...(waits ? {} : { held_sweep: null }) };
    });

  server.get<ById>("/api/runs/:id/log", {
    config: { permission: "logs:read" },
    schema: {
      tags, summary: "A run's log, oldest first", params, querystring: query(pagingQuery),
      response: {
        200: closed({
          data: { type: "array", items: closed({ at: instant("When."), level: { type: "string" }, event: { type: "string", description: "A stable word: `request retry wait page checkpoint sweep skipped replay`." }, message: { type: "string" }, data: { type: "object", additionalProperties: true } }) },
          next_cursor: { type: ["string", "null"] },
        }),
      },
    },
  }, async ({ tenant, grant, params: { id }, query: { limit, cursor } }) => {
    await found(tenant, id);
    const list = ["log", tenant, id];
    const { items, ...more } = await readRunLog(db, tenant, id, { limit, ...afterOf(list, cursor, 1) });
    return pageView(list, { items: grant === "narrow" ? items.filter(({ event }) => !REQUESTS.has(event)) : items, ...more }, grant === "narrow" ? ({ data: _, ...line }) => line : (line) => line);
  });

  server.post<ById>("/api/runs/:id/cancel", {
    config: { permission: "runs:cancel" },
    schema: { tags, summary: "Cancel a run", description: "A queued or waiting run is cancelled at once; a running one ends after the page it is at and keeps its checkpoint.", params, querystring: query(), response: { 202: { $ref: "Run#" } } },
  }, async ({ tenant, grant, caller, params: { id } }, reply) => {
    if (grant === "narrow" && (await found(tenant, id)).requested_by === undefined) throw new PlugboardError("SERVER_ABOVE_ROLE", { detail: "a schedule started this run, and you may cancel those that a person started" });
    const cancelled = await requestCancel(db, tenant, id, caller!.name);
    if (cancelled === undefined) throw new PlugboardError("SERVER_TOO_LATE", { kind: "Run", name: id, status: (await found(tenant, id)).status });
    return reply.code(202).send(runView(cancelled));
  });

  server.post<ById>("/api/runs/:id/approve-sweep", {
    config: { permission: "sweeps:approve" },
    schema: { tags, summary: "Let a held sweep delete", description: "A sweep that missed more than a fifth of the rows, and more than 50, deletes nothing until this. Rows written since are kept.", params, querystring: query(), response: { 200: closed({ swept: count("Rows ended.") }) } },
  }, async (request) => {
    const { tenant, caller, params: { id } } = request;
    await found(tenant, id);
    return withTenant(db, tenant, async (tx) => {
      const { swept } = await approveSweep(tx, tenant, id, caller!.name);
      await recordAudit(tx, tenant, { actor: actorOf(request), action: "sweep.approved", subject: { kind: "run", id }, after: { swept } });
      return { swept };
    });
  });

  server.post<ById>("/api/runs/:id/reject-sweep", {
    config: { permission: "sweeps:approve" },
    schema: { tags, summary: "Keep what a held sweep would delete", description: "The rows stay. The next sweep looks again.", params, querystring: query(), response: { 204: { type: "null" } } },
  }, async (request, reply) => {
    const { tenant, caller, params: { id } } = request;
    await found(tenant, id);
    await withTenant(db, tenant, async (tx) => {
      await rejectSweep(tx, tenant, id, caller!.name);
      await recordAudit(tx, tenant, { actor: actorOf(request), action: "sweep.rejected", subject: { kind: "run", id } });
    });
    return reply.code(204).send();
  });
}
