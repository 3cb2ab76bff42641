/** What the flows could not store: look at it, and have it tried again. */
import type { FastifyInstance } from "fastify";
import { isReplayable, replayQuarantine, triggerRun } from "../../../engine/jobs/index.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import { getQuarantined, listQuarantine, type QuarantineStatus } from "../../../engine/store/index.ts";
import { closed, count, id, instant, nullable, pagingQuery, query } from "../schemas.ts";
import type { Services } from "../services.ts";
import { afterOf, pageView } from "../views.ts";

const tags = ["records"];
const queued = { id: id("The run.", "0199f6a2-…"), flow: id("Its flow.", "learners"), status: { type: "string" }, coalesced: { type: "boolean", description: "It was queued already, and does this too." } } as const;

export function registerQuarantine(server: FastifyInstance, { db, jobs, planOf }: Services): void {
  server.get<{ Querystring: { status: QuarantineStatus; flow?: string; run?: string; code?: string; limit: number; cursor?: string } }>("/api/quarantine", {
    config: { permission: "quarantine:read" },
    schema: {
      tags, summary: "Records that could not be stored, newest first", description: "Why, and which; never the record itself.",
      querystring: query({ status: { type: "string", enum: ["open", "resolved", "replayed", "discarded"], default: "open" }, flow: id("Only of this flow.", "learners"), run: { type: "string", format: "uuid", description: "Only of this run." }, code: { type: "string", maxLength: 100, description: "Only those refused with this code.", examples: ["LIMIT_REACHED"] }, ...pagingQuery }),
      response: {
        200: closed({
          data: {
            type: "array",
            items: closed({
              id: { type: "string" }, run: { type: "string" }, connection: { type: "string" }, flow: { type: "string" }, stream: { type: "string" }, entity: { type: "string" }, key: nullable({ type: "string" }),
              code: { type: "string" }, reason: { type: "string" }, revision: { type: "string" }, status: { type: "string" }, seen: count("How often it was refused."), created_at: instant("First."), updated_at: instant("When the provider sent it last."),
            }),
          },
          next_cursor: nullable({ type: "string" }),
        }),
      },
    },
  }, async ({ tenant, query: { status, flow, run, code, limit, cursor } }) => {
    const list = ["quarantine", tenant, status, flow, run, code];
    return pageView(list, await listQuarantine(db, tenant, { status, ...(flow ? { flow } : {}), ...(run ? { run } : {}), ...(code ? { code } : {}), limit, ...afterOf(list, cursor, 2) }), (item) => ({ ...item, key: item.key ?? null }));
  });

  server.post<{ Params: { id: string } }>("/api/quarantine/:id/replay", {
    config: { permission: "quarantine:replay" },
    schema: {
      tags, summary: "Try a quarantined record again", description: "Queues a run of its flow that tries it first, whatever configuration it failed under. Stored, it is `resolved`; refused again, it stays with the new reason. A newer record is never overwritten.",
      params: closed({ id: { type: "string", format: "uuid", description: "The quarantined record." } }, ["id"]), querystring: query(), response: { 202: closed(queued) },
    },
  }, async ({ tenant, caller, params }, reply) => {
    const found = await getQuarantined(db, tenant, params.id);
    if (found === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Quarantined record", name: params.id });
    if (found.status !== "open") throw new PlugboardError("SERVER_TOO_LATE", { kind: "Quarantined record", name: params.id, status: found.status });
    if (!isReplayable(await planOf(tenant), found)) throw new PlugboardError("SERVER_NOTHING_TO_SYNC", { connection: found.connection });
    const created = await triggerRun(jobs.queue, db, tenant, { flow: found.flow, connection: found.connection, trigger: "replay", requestedBy: caller!.name, replay: { ids: [found.id] } });
    const run = created!.run!;
    return reply.code(202).send({ id: run.id, flow: run.flow, status: run.status, coalesced: created!.coalesced });
  });

  server.post<{ Body: { flow?: string; connection?: string; code?: string } | null }>("/api/quarantine/replay", {
    config: { permission: "quarantine:replay" },
    schema: {
      tags, summary: "Try quarantined records again", description: "Queues a run for every flow that has open ones of this scope. After a change of the configuration this happens by itself.",
      querystring: query(),
      body: {
        ...closed({ flow: id("Only of this flow.", "learners"), connection: id("Only of this connection.", "hubspot"), code: { type: "string", maxLength: 100, description: "Only those refused with this code.", examples: ["MAPPING_INVALID"] } }),
        required: [], type: ["object", "null"],
      },
      response: {
        202: closed({
          runs: { type: "array", items: closed({ ...queued, records: count("Open records it will try.") }) },
          kept: { type: "array", description: "Flows that are disabled or gone: their records stay.", items: closed({ connection: { type: "string" }, flow: { type: "string" }, records: count("Open records.") }) },
        }),
      },
    },
  }, async ({ tenant, caller, body }, reply) => {
    const plan = await planOf(tenant);
    const { flow, connection, code } = body ?? {};
    if (flow !== undefined && plan.flows[flow] === undefined) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: `Tenant '${tenant}' has no flow '${flow}'.`, field: "body.flow", suggestion: suggest(flow, Object.keys(plan.flows)) });
    if (connection !== undefined && plan.connections[connection] === undefined) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: `Tenant '${tenant}' has no connection '${connection}'.`, field: "body.connection", suggestion: suggest(connection, Object.keys(plan.connections)) });
    const scope = { ...(flow === undefined ? {} : { flow }), ...(connection === undefined ? {} : { connection }), ...(code === undefined ? {} : { code }) };
    return reply.code(202).send(await replayQuarantine(jobs.queue, db, tenant, plan, { ...scope, trigger: "replay", requestedBy: caller!.name }));
  });
}
