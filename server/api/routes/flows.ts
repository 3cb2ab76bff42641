/** The flows of a tenant's plan, and when they run. */
import type { FastifyInstance } from "fastify";
import { lastRuns, listSchedules } from "../../../engine/store/index.ts";
import { flowGraph, flowGraphOf } from "../flow-graph.ts";
import { flowSchema, flowViews } from "../flows.ts";
import { closed, id, instant, nullable, query } from "../schemas.ts";
import type { Services } from "../services.ts";

export function registerFlows(server: FastifyInstance, { db, planOf }: Services): void {
  server.get("/api/flows", {
    config: { permission: "flows:read" },
    schema: {
      tags: ["integrations"], summary: "A tenant's flows", description: "All of them: those that read, and those that send when our own data changes; each with how it goes.", querystring: query(),
      response: {
        200: closed({ data: { type: "array", items: flowSchema }, next_cursor: nullable({ type: "string" }) }),
      },
    },
  }, async ({ tenant }) => ({ data: await flowViews(db, await planOf(tenant)), next_cursor: null }));

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
