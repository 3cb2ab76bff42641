/**
 * What runs are doing right now, as server-sent events. A line is a hint of what changed; what counts is what GET answers.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import type { RunProgress } from "../../../engine/jobs/progress.ts";
import { id, query } from "../schemas.ts";
import type { Services } from "../services.ts";

/** Proxies close what is silent for a minute. */
const BEAT_MILLISECONDS = 20_000;
/** A page that was left open and forgotten asks again; so does one whose session ended meanwhile. */
const LONGEST_MILLISECONDS = 15 * 60_000;
/** Of one tenant, in this process. */
const MOST_WATCHERS = 100;

export function registerLive(server: FastifyInstance, { jobs }: Services): void {
  const watchers = new Map<string, number>();
  const open = new Set<() => void>();
  server.addHook("preClose", async () => { for (const end of open) end(); });

  server.get<{ Querystring: { run?: string } }>("/api/live", {
    config: { permission: "runs:read" },
    schema: { tags: ["runs"], summary: "Progress of runs as it happens", description: "Server-sent events named `run`: `{ run, flow, status, counters, checkpoint, waiting }`. The stream ends after 15 minutes; browsers ask again by themselves.", querystring: query({ run: id("Only of this run.", "0199f6a2-7b1e-7c1d-9d55-0f2f6f1c3a10") }) },
  }, async ({ tenant, query: { run } }, reply) => {
    const others = watchers.get(tenant) ?? 0;
    if (others >= MOST_WATCHERS) throw new PlugboardError("SERVER_TOO_MANY_TRIES", { seconds: 30 });
    watchers.set(tenant, others + 1);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff" });
    raw.write("retry: 3000\n\n");
    // A reader that cannot keep up misses lines; it reads the whole state again when it notices the end of a run.
    const tell = (progress: RunProgress): void => {
      if (progress.tenant !== tenant || (run !== undefined && progress.run !== run) || raw.writableNeedDrain) return;
      raw.write(`event: run\ndata: ${JSON.stringify(lineOf(progress))}\n\n`);
    };
    const unwatch = jobs.board.watch(tell);
    const beat = setInterval(() => raw.write(": still here\n\n"), BEAT_MILLISECONDS);
    const end = (): void => {
      if (!open.delete(end)) return;
      unwatch();
      clearInterval(beat);
      clearTimeout(longest);
      const left = (watchers.get(tenant) ?? 1) - 1;
      if (left === 0) watchers.delete(tenant);
      else watchers.set(tenant, left);
      raw.end();
    };
    const longest = setTimeout(end, LONGEST_MILLISECONDS);
    open.add(end);
    raw.on("close", end);
    raw.on("error", end);
    return reply;
  });
}

const lineOf = ({ run, flow, status, counters, progress }: RunProgress): object => ({
  run, flow, status: status ?? "running", counters: counters ?? progress?.counters ?? null, checkpoint: progress?.checkpoint ?? null,
  waiting: progress?.waiting === undefined ? null : { reason: progress.waiting.reason, until: new Date(progress.waiting.until).toISOString() },
});
