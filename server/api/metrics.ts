/**
 * Prometheus metrics at /metrics. Needs a key with `metrics:read`: behind a reverse proxy on the same host every caller looks
 * like loopback, so the address proves nothing. What is true of the whole installation is read from the database when scraped;
 * request durations and records are counted by this process.
 */
import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ProgressBoard } from "../../engine/jobs/progress.ts";

/** What is under way, over all tenants. */
export interface Workload {
  /** Unfinished runs by status. */
  readonly runs: Readonly<Record<"queued" | "running" | "waiting", number>>;
  /** Jobs that could start now. */
  readonly queueDepth: number;
  /** Seconds since the oldest running run was asked for; 0 when none runs. */
  readonly oldestRunningSeconds: number;
}

export function installMetrics(server: FastifyInstance, readWorkload: () => Promise<Workload>, board: ProgressBoard | undefined): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "plugboard_" });
  const runs = new Gauge({ name: "plugboard_runs", help: "Unfinished runs by status.", labelNames: ["status"], registers: [registry] });
  const depth = new Gauge({ name: "plugboard_queue_depth", help: "Jobs that could start now.", registers: [registry] });
  const oldest = new Gauge({ name: "plugboard_oldest_running_seconds", help: "Seconds since the oldest running run was asked for; 0 when none runs.", registers: [registry] });
  const up = new Gauge({ name: "plugboard_database_up", help: "1 when the database answered this scrape.", registers: [registry] });
  const ended = new Counter({ name: "plugboard_runs_ended_total", help: "Runs that ended since this process started, on any worker, by status.", labelNames: ["status"], registers: [registry] });
  const records = new Counter({ name: "plugboard_records_total", help: "Records of those runs by outcome.", labelNames: ["outcome"], registers: [registry] });
  const durations = new Histogram({
    name: "plugboard_http_request_duration_seconds", help: "Duration of HTTP requests by route and status.", labelNames: ["method", "route", "status"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10], registers: [registry],
  });

  const stopWatching = board?.watch(({ status, counters }) => {
    if (status === undefined || status === "queued" || status === "waiting") return;       // not over: another attempt follows
    ended.inc({ status });
    for (const outcome of ["created", "updated", "unchanged", "superseded", "deleted", "filtered", "quarantined", "swept"] as const) records.inc({ outcome }, counters?.[outcome] ?? 0);
  });
  server.addHook("onClose", async () => stopWatching?.());
  server.addHook("onResponse", async (request, reply) => {
    // The pattern, never the path itself: ids would make a series each.
    durations.observe({ method: request.method, route: request.routeOptions.url ?? "(none)", status: String(reply.statusCode) }, reply.elapsedTime / 1000);
  });

  server.get("/metrics", { config: { permission: "metrics:read" }, schema: { tags: ["operations"], summary: "Prometheus metrics", response: { 200: { type: "string" } } } }, async (_request, reply) => {
    try {
      const workload = await readWorkload();
      for (const [status, count] of Object.entries(workload.runs)) runs.set({ status }, count);
      depth.set(workload.queueDepth);
      oldest.set(workload.oldestRunningSeconds);
      up.set(1);
    } catch {
      up.set(0);                                           // the other metrics still say something
    }
    return reply.type(registry.contentType).serializer((text: string) => text).send(await registry.metrics());
  });
  return registry;
}
