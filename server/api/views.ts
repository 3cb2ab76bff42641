/** How things of the store look through the HTTP door. */
import type { ListIdentity } from "./page-cursor.ts";
import { printCursor, readCursor } from "./page-cursor.ts";
import type { Page, Run } from "../../engine/store/index.ts";

export function runView(run: Run): object {
  const { counters, started_at, finished_at } = run;
  return {
    id: run.id, flow: run.flow, connection: run.connection, status: run.status, mode: run.mode ?? run.requested_mode ?? null, trigger: run.trigger, requested_by: run.requested_by ?? null,
    attempt: run.attempt, revision: run.revision, queued_at: run.queued_at, started_at: started_at ?? null, finished_at: finished_at ?? null, resume_at: run.resume_at ?? null,
    seconds: started_at === undefined || finished_at === undefined ? null : (Date.parse(finished_at) - Date.parse(started_at)) / 1000,
    counters: { ...counters, stored: counters.created + counters.updated },
    error: run.error ?? null, cancel_requested: run.cancel_by !== undefined && finished_at === undefined,
    held_sweep: run.sweep?.held ?? null,
  };
}

/** Where a page begins, as the store wants it; `parts` is how many values its positions have. */
export function afterOf(list: ListIdentity, cursor: string | undefined, parts: number): { after?: readonly string[] } {
  return cursor === undefined ? {} : { after: readCursor(list, cursor, parts) };
}

export function pageView<Item>(list: ListIdentity, { items, next }: Page<Item>, view: (item: Item) => unknown): { data: unknown[]; next_cursor: string | null } {
  return { data: items.map(view), next_cursor: next === undefined ? null : printCursor(list, next) };
}
