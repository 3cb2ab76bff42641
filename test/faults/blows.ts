/** What is done to the workers, and when: a list that follows from the seed. */
import type { ProbePoint } from "../../engine/run/ports.ts";
import { seeded } from "../../server/demo/data/random.ts";

export type Blow =
  /** kill -9, by itself, the `nth` time it passes a point; or from outside after some milliseconds, wherever it is then. */
  | { readonly what: "kill"; readonly point: ProbePoint; readonly nth: number }
  | { readonly what: "kill_anywhere"; readonly afterMilliseconds: number }
  /** SIGSTOP at a point; SIGCONT when another worker has taken over. */
  | { readonly what: "stop"; readonly point: ProbePoint; readonly nth: number };

/** Passed once per attempt. */
const AT_START: readonly ProbePoint[] = ["claimed", "begun"];
/** Passed for every page (the requests oftener: they are tried again). */
const PER_PAGE: readonly ProbePoint[] = ["before_request", "after_response", "mapped", "before_commit", "after_fence", "after_write", "after_commit"];
/** Passed once per complete pass. */
const AT_END: readonly ProbePoint[] = ["before_complete", "after_complete"];
/** Where a worker that wakes up again does harm if it can. Between fence and commit it holds the row's lock: nobody can take over. */
const STOPS: readonly ProbePoint[] = ["before_commit", "mapped", "after_response", "after_commit", "after_write", "begun"];

export const POINTS: readonly ProbePoint[] = [...AT_START, ...PER_PAGE, ...AT_END];

export interface Blows { readonly storm: readonly Blow[]; readonly atEnd: readonly Blow[] }

/**
 * `kills` deaths: every point in turn with one at a random moment after each round, the last two at the end of the pass;
 * and `stops` zombies between them. `pages` of the whole sync, so that the storm does not outlast it.
 */
export function makeBlows({ seed, kills, stops, pages }: { seed: number; kills: number; stops: number; pages: number }): Blows {
  const random = seeded(seed + 2);
  const atEnd: readonly Blow[] = kills >= AT_END.length ? AT_END.map((point) => ({ what: "kill", point, nth: 1 })) : [];
  const round = [...AT_START, ...PER_PAGE, undefined];
  // A stop costs about four pages (most are its successor's), a death at the nth passage about nth - 1.
  const pagesPerDeath = Math.max(0, 0.85 * pages - 4 * stops) / Math.max(1, kills);
  const furthest = Math.max(2, Math.floor(2 * pagesPerDeath));
  const deaths = Array.from({ length: kills - atEnd.length }, (_, index): Blow => {
    const point = round[index % round.length];
    // Staggered, not drawn: a short storm too must die both at the first and at a later passage of each kind of step.
    const nth = 1 + (index + Math.floor(index / round.length)) % furthest;
    return point === undefined ? { what: "kill_anywhere", afterMilliseconds: random.whole(1, 250) } : { what: "kill", point, nth: AT_START.includes(point) ? 1 : nth };
  });
  const zombies = Array.from({ length: stops }, (_, index): Blow => {
    const point = STOPS[index % STOPS.length]!;
    return { what: "stop", point, nth: AT_START.includes(point) ? 1 : random.whole(1, 2) };
  });
  // Spread evenly: before how many of the deaths each stop comes.
  const storm = [...deaths.map((blow, index) => ({ blow, at: index })), ...zombies.map((blow, index) => ({ blow, at: (index + 0.5) * deaths.length / stops - 0.5 }))]
    .sort((a, b) => a.at - b.at).map(({ blow }) => blow);
  return { storm, atEnd };
}
