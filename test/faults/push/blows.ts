/** What is done to server, workers and database, and when: a list that follows from the seed. */
import type { EventPoint } from "../../../engine/jobs/process-events.ts";
import type { DeliveryPoint } from "../../../engine/jobs/index.ts";
import { seeded } from "../../../server/demo/data/random.ts";

export type Point = EventPoint | DeliveryPoint;

export type Blow =
  /** kill -9: a worker by itself, the `nth` time it passes a point; or from outside after some milliseconds, wherever it is then. */
  | { readonly what: "kill"; readonly who: "worker"; readonly at: Point; readonly nth: number }
  | { readonly what: "kill"; readonly who: "worker" | "server"; readonly at?: undefined; readonly afterMilliseconds: number }
  /** SIGSTOP; SIGCONT when another has taken over. A server is only slow to answer: what it was sent comes again meanwhile. */
  | { readonly what: "stop"; readonly who: "worker"; readonly at: Point; readonly nth: number }
  | { readonly what: "stop"; readonly who: "server"; readonly at?: undefined; readonly afterMilliseconds: number }
  /** Every session is cut; where the rig has the database to itself, it dies at once and starts again. */
  | { readonly what: "cut"; readonly who: "database"; readonly at?: undefined; readonly afterMilliseconds: number };

/** In the order of what happens to an event: from the inbox to the mark on its delivery. */
export const POINTS: readonly Point[] = [
  "events_taken", "events_mapped", "events_written", "before_commit", "after_commit", "read_claimed", "read_done", "read_written",
  "changes_taken", "outbox_written", "outbox_committed", "claimed", "attempt_begun", "before_send", "after_send", "before_mark", "after_mark",
];
/**
 * Where a worker that wakes up again does harm if it can. Not between its last look at the lease and the request: what a stopped
 * process sends when it wakes up there nobody can hold back, and only the provider's own key makes it harmless.
 */
const STOPS: readonly Point[] = ["after_send", "events_written", "claimed", "read_done", "before_mark", "changes_taken", "before_commit", "attempt_begun", "read_written", "outbox_written"];

export interface Storm { readonly seed: number; readonly kills: number; readonly stops: number; readonly cuts: number; readonly who?: "worker" | "server" | undefined; readonly points?: readonly Point[] | undefined }

/** `points`: those alone. Of the kills two of three strike workers, every point in turn with one at a random moment after each round; the rest the server. */
export function makeStorm({ seed, kills, stops, cuts, who, points }: Storm): Blow[] {
  const random = seeded(seed + 3);
  const round = points ?? [...random.shuffle(POINTS), undefined];
  let struck = 0;
  const deaths = Array.from({ length: kills }, (_, index): Blow => {
    const afterMilliseconds = random.whole(1, 80);
    if (who === "server" || (who === undefined && index % 3 === 2)) return { what: "kill", who: "server", afterMilliseconds };
    const at = round[struck++ % round.length];
    return at === undefined ? { what: "kill", who: "worker", afterMilliseconds } : { what: "kill", who: "worker", at, nth: random.whole(1, 4) };
  });
  const zombies = Array.from({ length: stops }, (_, index): Blow =>
    index % 3 === 2 ? { what: "stop", who: "server", afterMilliseconds: random.whole(1, 120) } : { what: "stop", who: "worker", at: STOPS[index % STOPS.length]!, nth: random.whole(1, 3) });
  const outages = Array.from({ length: cuts }, (): Blow => ({ what: "cut", who: "database", afterMilliseconds: random.whole(1, 200) }));
  const storm = random.shuffle([...deaths, ...zombies.slice(1), ...outages]);
  // It sleeps for long: the others strike meanwhile.
  return [...zombies.slice(0, 1), ...storm];
}
