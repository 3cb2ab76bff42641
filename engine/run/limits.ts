/** The limits of a connector, as one gate in front of every request. */
import type { Answer, Buckets, Limiter, OutgoingRequest } from "../components/kinds.ts";
import type { HttpPlan, LimitPlan } from "../plan/types.ts";
import { buildLimiter } from "./build-context.ts";
import type { Pause } from "./pause.ts";

export interface Gate {
  /** Waits until every limit grants; `leave` gives places back once the answer is read. */
  enter(request: OutgoingRequest, seconds: number): Promise<{ leave(): Promise<void> }>;
  observe(request: OutgoingRequest, answer: Answer, now: number): Promise<void>;
  /** All workers leave the provider alone until then (milliseconds since the epoch). */
  block(request: OutgoingRequest, until: number): Promise<void>;
}

export interface Owner { readonly connector: string; readonly tenant: string; readonly connection: string; readonly account?: string | undefined }

/** How long to wait before asking again for a place that someone else holds. */
const PLACE_MILLISECONDS = 200;

export function createGate(http: HttpPlan, owner: Owner, buckets: Buckets, pause: Pause): Gate {
  const declared = Object.entries(http.limits).map(([name, plan]) => ({ bucket: bucketName(name, plan.per, owner), limiter: buildLimiter(plan, `http.limits.${name}`) }));
  // A connector without limits still shares what a 429 says: one bucket that only ever blocks.
  const silent = { bucket: bucketName("all", "account", owner), limiter: buildLimiter({ per: "account" }, "http.limits") };
  const limitsOf = (request: OutgoingRequest): readonly { bucket: string; limiter: Limiter }[] => {
    const applying = declared.filter(({ limiter }) => limiter.applies(request));
    return applying.length === 0 ? [silent] : applying;
  };

  return {
    async enter(request, seconds) {
      const held: [string, string][] = [];
      const leave = async (): Promise<void> => { for (const [bucket, place] of held.splice(0)) await buckets.leave(bucket, place); };
      try {
        for (const { bucket, limiter } of limitsOf(request)) {
          for (let wait = await limiter.take(bucket, buckets); wait > 0; wait = await limiter.take(bucket, buckets)) await pause.for(wait, "the limit of requests is used up");
          if (limiter.enter === undefined) continue;
          let place = await limiter.enter(`${bucket}:places`, buckets, seconds);
          for (; place === undefined; place = await limiter.enter(`${bucket}:places`, buckets, seconds)) await pause.for(PLACE_MILLISECONDS, "all places at the provider are taken");
          held.push([`${bucket}:places`, place]);
        }
      } catch (thrown) {
        await leave();
        throw thrown;
      }
      return { leave };
    },
    async observe(request, answer, now) {
      for (const { bucket, limiter } of limitsOf(request)) await limiter.observe(answer, bucket, buckets, now);
    },
    async block(request, until) {
      for (const { bucket } of limitsOf(request)) await buckets.block(bucket, until);
    },
  };
}

/** Connections to one account share its buckets, whoever owns them; without an account the connection is its own. */
function bucketName(name: string, per: LimitPlan["per"], { connector, tenant, connection, account }: Owner): string {
  if (per === "app") return `${connector}:app:${name}`;
  return per === "account" && account !== undefined ? `${connector}:account:${account}:${name}` : `${connector}:connection:${tenant}/${connection}:${name}`;
}
