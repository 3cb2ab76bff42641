/** What is under way over all tenants, in numbers: read as the scheduler, who sees states and times and nothing else. */
import { asScheduler, type Database } from "../../engine/store/database.ts";
import type { Workload } from "./metrics.ts";

export function readWorkload(db: Database): Promise<Omit<Workload, "queueDepth">> {
  return asScheduler(db, async (tx) => {
    const rows = await tx.run<{ status: keyof Workload["runs"]; count: number; seconds: number }>({
      text: `select status, count(*)::int as count, extract(epoch from now() - min(queued_at))::float8 as seconds
             from runs where status in ('queued', 'running', 'waiting') group by status`,
      values: [],
    });
    const of = (status: keyof Workload["runs"]) => rows.find((row) => row.status === status);
    return {
      runs: { queued: of("queued")?.count ?? 0, running: of("running")?.count ?? 0, waiting: of("waiting")?.count ?? 0 },
      oldestRunningSeconds: of("running")?.seconds ?? 0,
    };
  });
}
