import type { Statement } from "../database.ts";

/**
 * Whether something may be sent to the target: null, or in how many seconds to ask again. Where it was closed for long enough, the
 * first to ask tries, and the others wait for what it finds. It waits for nobody: who asks has deliveries locked that whoever is
 * noting how the target did may be about to touch.
 */
export const passBreaker = (tenantId: string, target: string, probeSeconds: number): Statement => ({
  text: `with free as (select target from breakers where tenant_id = $1 and target = $2 and opened_until <= clock_timestamp() and (probing_until is null or probing_until <= clock_timestamp()) for update skip locked),
         probing as (update breakers b set probing_until = clock_timestamp() + make_interval(secs => $3) from free where b.tenant_id = $1 and b.target = free.target returning 1)
         select case when b.opened_until is null or exists (select from probing) then null
                     else greatest(0.1, extract(epoch from greatest(b.opened_until, b.probing_until) - clock_timestamp()))::float8 end as wait, exists (select from probing) as probing, b.reason
         from breakers b where b.tenant_id = $1 and b.target = $2`,
  values: [tenantId, target, probeSeconds],
});

/** Counts a failure; from the `most`th in a row the target is left alone, each time for twice as long. */
export const failBreaker = (tenantId: string, target: string, reason: string, most: number, firstSeconds: number, longestSeconds: number): Statement => ({
  text: `insert into breakers as b (tenant_id, target, failures, reason) values ($1, $2, 1, $3)
         on conflict (tenant_id, target) do update set failures = b.failures + 1, reason = excluded.reason, probing_until = null, updated_at = clock_timestamp(),
           opened_until = case when b.failures + 1 >= $4 then clock_timestamp() + make_interval(secs => least($6::float8, $5::float8 * power(2, least(20, b.failures + 1 - $4)))) end
         returning extract(epoch from opened_until - clock_timestamp())::float8 as opened`,
  values: [tenantId, target, reason, most, firstSeconds, longestSeconds],
});

/** The one that was to try sent nothing: the next may. */
export const releaseProbe = (tenantId: string, target: string): Statement => ({
  text: "update breakers set probing_until = null where tenant_id = $1 and target = $2",
  values: [tenantId, target],
});

export const closeBreaker = (tenantId: string, target: string): Statement => ({
  text: "delete from breakers where tenant_id = $1 and target = $2 returning opened_until is not null as opened",
  values: [tenantId, target],
});

/** Somebody mended the target: the next one tries it now. */
export const tryBreaker = (tenantId: string, target: string): Statement => ({
  text: "update breakers set opened_until = clock_timestamp(), probing_until = null where tenant_id = $1 and target = $2 and opened_until > clock_timestamp()",
  values: [tenantId, target],
});

export const selectBreakers = (tenantId: string): Statement => ({
  text: "select target, failures, opened_until, reason from breakers where tenant_id = $1 order by target",
  values: [tenantId],
});
