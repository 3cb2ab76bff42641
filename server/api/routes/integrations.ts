/** A tenant's connections under the paths that the products use: start a sync, see how it stands, what happened. */
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { triggerRun } from "../../../engine/jobs/index.ts";
import type { RunMode } from "../../../engine/run/ports.ts";
import { describeConnection, lastEvents, lastRuns, listConnections, listRuns, listSchedules, type Run } from "../../../engine/store/index.ts";
import type { Standing } from "../../connecting/standing.ts";
import { connectionView, plannedConnection, shownDetail } from "../connections.ts";
import { flowSchema, flowViews } from "../flows.ts";
import { connectionOf, connectorOf, flowsToSync } from "../provider.ts";
import { closed, id, instant, nullable, page, pagingQuery, query, standing } from "../schemas.ts";
import type { Services } from "../services.ts";
import { afterOf, pageView, runView } from "../views.ts";

interface Asked { Params: { provider: string }; Querystring: { connection?: string; limit: number; cursor?: string } }

const params = closed({ provider: id("A connection's name, or the connector of exactly one connection.", "hubspot") }, ["provider"]);
const connection = id("Picks one, where the provider fits several connections.", "hubspot_us");
const tags = ["integrations"];

export function registerIntegrations(server: FastifyInstance, { db, jobs, planOf }: Services): void {
  server.post<Asked & { Body: { mode?: RunMode; entities?: string[] } | null }>("/api/integrations/:provider/sync", {
    config: { permission: "sync:run" },
    schema: {
      tags, summary: "Start a sync", description: "Queues one run per enabled flow of the connection. A flow that has a run queued already is not queued twice (`coalesced`).",
      params, querystring: query({ connection }),
      body: {
        ...closed({
          mode: { type: "string", enum: ["full", "incremental"], description: "full reads everything and finds deletions; incremental what changed. Left out: full when never complete or when a sweep is due." },
          entities: { type: "array", items: id("An entity.", "learner"), minItems: 1, maxItems: 100, description: "Only the flows that write these.", examples: [["learner"]] },
        }),
        type: ["object", "null"],
      },
      response: {
        202: closed({
          runs: { type: "array", items: closed({ id: id("The run.", "0199f6a2-…"), flow: id("Its flow.", "learners"), status: { type: "string" }, coalesced: { type: "boolean", description: "It was queued already." } }) },
        }),
      },
    },
  }, async (request, reply) => {
    const plan = await planOf(request.tenant);
    const name = connectionOf(plan, request.params.provider, request.query.connection);
    const { mode, entities } = request.body ?? {};
    if ((await describeConnection(db, request.tenant, name))?.paused !== undefined) throw new PlugboardError("AUTH_NOT_CONNECTED", { connection: name, state: "paused", suggestion: "Enable it to go on." });
    const runs = [];
    for (const flow of flowsToSync(plan, name, entities)) {
      const created = await triggerRun(jobs.queue, db, request.tenant, { flow: flow.name, connection: name, trigger: "api", requestedBy: request.caller!.name, ...(mode === undefined ? {} : { mode }) });
      if (created?.run !== undefined) runs.push({ id: created.run.id, flow: flow.name, status: created.run.status, coalesced: created.coalesced });
    }
    return reply.code(202).send({ runs });
  });

  server.get("/api/integrations", {
    config: { permission: "status:read" },
    schema: {
      tags, summary: "A tenant's integrations, and how they stand", querystring: query(),
      response: { 200: closed({ data: { type: "array", items: closed({ connection: id("The connection.", "hubspot"), connector: id("Its connector.", "hubspot"), title: { type: "string" }, state: standing }) } }) },
    },
  }, async ({ tenant, grant }) => {
    const [plan, states, runs, schedules] = [await planOf(tenant), await listConnections(db, tenant), await lastRuns(db, tenant), await listSchedules(db, tenant)];
    const names = Object.keys(plan.connections).filter((name) => plan.connectors[plan.connections[name]!.connector] !== undefined).toSorted();
    return {
      data: await Promise.all(names.map(async (name) => {
        const { connector, title, state } = (await connectionView(plannedConnection(plan, name), states.find((each) => each.connection === name), { runs, schedules })) as { connector: string; title: string; state: Standing };
        return { connection: name, connector, title, state: grant === "narrow" ? badgeOf(state) : state };
      })),
    };
  });

  server.get<Asked>("/api/integrations/:provider/status", {
    config: { permission: "status:read" },
    schema: {
      tags, summary: "How a connection stands", params, querystring: query({ connection }),
      response: {
        200: closed({
          connection: id("The connection.", "hubspot"), connector: id("Its connector.", "hubspot"), enabled: { type: "boolean" }, state: standing,
          status: { type: "string", enum: ["not_connected", "untested", "ok", "broken", "disconnected"], description: "What is known about its credential; `not_connected` when nothing was entered, `disconnected` when it was taken away again." },
          detail: { anyOf: [{ type: "null" }, closed({ code: { type: "string" }, message: { type: "string" }, hint: { type: "string" } })] },
          account: { anyOf: [{ type: "null" }, closed({ id: { type: "string" }, label: { type: "string" } })] },
          status_at: nullable(instant("When that was found out.")),
          last_event_at: nullable(instant("When its provider last sent something.")),
          without_event: nullable({ type: "integer", minimum: 0, description: "Records that the newest polls found changed, and of which no event came. More than a few: its webhooks do not reach us. Null where none ever came." }),
          flows: { type: "array", items: flowSchema, description: "Those that read it, and those that send to it." },
        }),
      },
    },
  }, async (request) => {
    const { tenant } = request;
    const plan = await planOf(tenant);
    const name = connectionOf(plan, request.params.provider, request.query.connection);
    const [state, last, schedules] = [await describeConnection(db, tenant, name), await lastRuns(db, tenant, name), await listSchedules(db, tenant)];
    const { state: stands } = (await connectionView(plannedConnection(plan, name), state, { runs: last, schedules })) as { state: Standing };
    if (request.grant === "narrow") {
      return { connection: name, connector: connectorOf(plan, name), enabled: plan.connections[name]!.enabled, state: badgeOf(stands), status: state?.status ?? "not_connected", detail: null, account: null, status_at: null, last_event_at: null, without_event: null, flows: [] };
    }
    const flows = await flowViews(db, plan, name);
    const silent = flows.flatMap(({ without_event }) => without_event ?? []);
    return {
      connection: name, connector: connectorOf(plan, name), enabled: plan.connections[name]!.enabled, state: stands, without_event: silent.length === 0 ? null : silent.reduce((sum, each) => sum + each, 0),
      status: state?.status ?? "not_connected", detail: shownDetail(state), account: state?.account ?? null, status_at: state?.status_at ?? null, last_event_at: (await lastEvents(db, request.tenant, [name])).get(name) ?? null,
      flows,
    };
  });

  server.get<Asked>("/api/integrations/:provider/history", {
    config: { permission: "status:read" },
    schema: { tags, summary: "A connection's runs, newest first", params, querystring: query({ connection, ...pagingQuery }), response: { 200: page("Run") } },
  }, async (request) => {
    const { tenant, query: { limit, cursor } } = request;
    const name = connectionOf(await planOf(tenant), request.params.provider, request.query.connection);
    const list = ["history", tenant, name];
    // Narrow: that they ran and when, not why they failed nor who asked.
    const view = request.grant === "narrow" ? (run: Run) => ({ ...runView(run), requested_by: null, error: null, held_sweep: null }) : runView;
    return pageView(list, await listRuns(db, tenant, { connection: name, limit, ...afterOf(list, cursor, 2) }), view);
  });
}

/** Connected or not, and when last. */
const badgeOf = ({ name, last_sync_at }: Standing): Standing => ({ name, reason: null, since: null, last_sync_at, next_run_at: null });
