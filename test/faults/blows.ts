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
  const furthest = Math.max(1, Math.floor(1.4 * pages / (kills + 2 * stops)));
  const nth = (point: ProbePoint) => AT_START.includes(point) ? 1 : random.whole(1, furthest);
  const round = [...AT_START, ...PER_PAGE, undefined];
  const deaths = Array.from({ length: Math.max(0, kills - AT_END.length) }, (_, index): Blow => {
    const point = round[index % round.length];
    return point === undefined ? { what: "kill_anywhere", afterMilliseconds: random.whole(1, 250) } : { what: "kill", point, nth: nth(point) };
  });
  const storm: Blow[] = [];
  for (const [index, death] of deaths.entries()) {
    if (Math.floor((index + 1) * stops / deaths.length) > Math.floor(index * stops / deaths.length)) {
      const point = STOPS[storm.filter(({ what }) => what === "stop").length % STOPS.length]!;
      storm.push({ what: "stop", point, nth: nth(point) });
    }
    storm.push(death);
  }
  return { storm, atEnd: kills >= AT_END.length ? AT_END.map((point) => ({ what: "kill", point, nth: 1 })) : [] };
}
