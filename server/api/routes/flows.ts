/** The flows of a tenant's plan, and when they run. */
import type { FastifyInstance } from "fastify";
import { scheduleInWords } from "../../../engine/jobs/index.ts";
import { lastRuns, listSchedules } from "../../../engine/store/index.ts";
import { flowGraph, flowGraphOf } from "../flow-graph.ts";
import { connectorOf } from "../provider.ts";
import { closed, id, instant, nullable, query } from "../schemas.ts";
import type { Services } from "../services.ts";

export function registerFlows(server: FastifyInstance, { db, planOf }: Services): void {
  server.get("/api/flows", {
    config: { permission: "flows:read" },
    schema: {
      tags: ["integrations"], summary: "A tenant's flows", querystring: query(),
      response: {
        200: closed({
          data: {
            type: "array",
            items: closed({
              flow: id("The flow.", "learners"), title: nullable({ type: "string" }), enabled: { type: "boolean" }, connection: id("The connection it reads.", "aptem"), connector: id("Its connector.", "aptem"),
              stream: id("The stream it reads.", "users"), entity: id("The entity it writes.", "learner"), mapping: nullable({ type: "string" }), schedule: { type: "string", description: "In words." },
              paused: { type: "boolean" }, skipped: nullable({ type: "string", description: "Why the last tick started nothing: its connection is `not_connected` or `disconnected`." }), next_run_at: nullable(instant("When it is due next.")),
            }),
          },
          next_cursor: nullable({ type: "string" }),
        }),
      },
    },
  }, async ({ tenant }) => {
    const [plan, schedules] = [await planOf(tenant), await listSchedules(db, tenant)];
    const data = Object.values(plan.flows).toSorted((a, b) => a.name.localeCompare(b.name)).map((flow) => {
      const schedule = schedules.find((each) => each.flow === flow.name && each.enabled);
      return {
        flow: flow.name, title: flow.title ?? null, enabled: flow.enabled && plan.connections[flow.connection]?.enabled === true, connection: flow.connection, connector: connectorOf(plan, flow.connection),
        stream: flow.stream, entity: flow.to.entity, mapping: flow.map?.id ?? null, schedule: scheduleInWords(flow.schedule), paused: schedule?.paused !== undefined, skipped: schedule?.skipped?.reason ?? null,
        next_run_at: schedule?.due === undefined || schedule.paused !== undefined ? null : new Date(schedule.due).toISOString(),
      };
    });
    return { data, next_cursor: null };
  });

  server.get("/api/flows/graph", {
    config: { permission: "flows:read" },
    schema: {
      tags: ["integrations"], summary: "A tenant's flows as a graph, with how they go", description: "As they are in force.", querystring: query(),
      response: {
        200: closed({
          ...flowGraph, preset: nullable({ type: "string", description: "What it is pinned to." }),
          health: {
            type: "object", description: "By flow; those that read.",
            additionalProperties: closed({ run: nullable(id("Its newest run.", "0199f6a2-…")), status: nullable({ type: "string" }), error: nullable({ type: "string" }), at: nullable(instant("When that began or ended.")), read: nullable({ type: "integer" }), stored: nullable({ type: "integer" }), next_run_at: nullable(instant("When it is due next.")), paused: { type: "boolean" } }),
          },
        }),
      },
    },
  }, async ({ tenant }) => {
    const [plan, schedules, runs] = [await planOf(tenant), await listSchedules(db, tenant), await lastRuns(db, tenant)];
    const health = Object.fromEntries(Object.keys(plan.flows).map((name) => {
      const schedule = schedules.find((each) => each.flow === name && each.enabled);
      const run = runs.find((each) => each.run.flow === name)?.run;
      return [name, {
        run: run?.id ?? null, status: run?.status ?? null, error: run?.error?.message ?? null, at: run === undefined ? null : run.finished_at ?? run.started_at ?? run.queued_at,
        read: run?.counters.read ?? null, stored: run === undefined ? null : run.counters.created + run.counters.updated,
        next_run_at: schedule?.due === undefined || schedule.paused !== undefined ? null : new Date(schedule.due).toISOString(), paused: schedule?.paused !== undefined,
      }];
    }));
    return { ...flowGraphOf(plan), preset: plan.preset === undefined ? null : plan.preset.release === "head" ? plan.preset.id : `${plan.preset.id}@${plan.preset.release}`, health };
  });
}
