/** What a person who watches a run is told about the records it refused: each reason once, and where to look. */
import { listQuarantine, type Database, type Run } from "../../engine/store/index.ts";

/** Reasons that are told; a wrong mapping gives one for every record. */
const MOST = 3;

export async function quarantineNotes(db: Database, run: Run): Promise<string[]> {
  if (run.counters.quarantined === 0) return [];
  const { items } = await listQuarantine(db, run.tenant, { flow: run.flow, status: "open", limit: 200 });
  const byReason = Map.groupBy(items, ({ code, reason }) => `${code}  ${reason}`);
  const told = [...byReason].slice(0, MOST).map(([reason, { length, 0: first }]) => `  ! ${run.tenant}/${run.flow}: ${length} × ${reason}${first?.key === undefined || first.key === null ? "" : `  (key ${first.key}${length > 1 ? ", …" : ""})`}`);
  return [...told, `    They are kept: GET /api/quarantine?tenant=${run.tenant}&flow=${run.flow}`];
}
