import type { Statement } from "../database.ts";
import type { Counters } from "../../run/ports.ts";

export interface RunRow {
  replay: object | null; id: string; flow: string; connection: string; trigger: string; requested_by: string | null; requested_mode: "full" | "incremental" | null;
  mode: "full" | "incremental" | null; status: string; revision: string; attempt: number; crashes: number; owner: string | null;
  read: number; created: number; updated: number; unchanged: number; superseded: number; deleted: number; filtered: number; quarantined: number;
  swept: number; pages: number; requests: number; retries: number; bytes: number;
  checkpoint: object | null; sweep: object | null; error: object | null; cancel_by: string | null;
  slot: Date | null; resume_at: Date | null; queued_at: Date; started_at: Date | null; finished_at: Date | null; queued_at_text: string;
}

const COUNTERS = ["read", "created", "updated", "unchanged", "superseded", "deleted", "filtered", "quarantined", "swept", "pages", "requests", "retries", "bytes"] as const;
/** Counters as numbers: the driver would give 64-bit integers as text. */
const COLUMNS = `id, flow, connection, trigger, requested_by, requested_mode, mode, status, revision, attempt, crashes, owner,
  ${COUNTERS.map((name) => `${name}::float8 as ${name}`).join(", ")},
  checkpoint, sweep, error, cancel_by, replay, slot, resume_at, queued_at, started_at, finished_at, queued_at::text as queued_at_text`;

export interface NewRun {
  readonly id: string; readonly flow: string; readonly connection: string; readonly trigger: string; readonly requestedBy: string | null;
  readonly mode: string | null; readonly revision: string; readonly slot: Date | null; readonly replay: object | null;
}

/** 0 rows: one is queued already, or this slot had its run. */
export const insertRun = (tenantId: string, run: NewRun): Statement => ({
  text: `insert into runs (tenant_id, id, flow, connection, trigger, requested_by, requested_mode, revision, slot, replay)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing returning id`,
  values: [tenantId, run.id, run.flow, run.connection, run.trigger, run.requestedBy, run.mode, run.revision, run.slot, text(run.replay)],
});

export const selectQueuedRun = (tenantId: string, flow: string): Statement => ({
  text: `select ${COLUMNS} from runs where tenant_id = $1 and flow = $2 and status = 'queued'`,
  values: [tenantId, flow],
});

/** The run that waits takes over what another request asks for beyond its own. */
export const widenRun = (tenantId: string, run: string): Statement => ({
  text: "update runs set requested_mode = 'full' where tenant_id = $1 and id = $2",
  values: [tenantId, run],
});

/** A run that has not begun does what is in force when it is asked for again, not what was when it was first. */
export const renewRun = (tenantId: string, run: string, revision: string, connection: string): Statement => ({
  text: `update runs set revision = $3, connection = $4 where tenant_id = $1 and id = $2 and status = 'queued' and started_at is null returning ${COLUMNS}`,
  values: [tenantId, run, revision, connection],
});

export const widenReplay = (tenantId: string, run: string, replay: object): Statement => ({
  text: "update runs set replay = $3 where tenant_id = $1 and id = $2",
  values: [tenantId, run, text(replay)],
});

/** crashes is counted before the work: a worker that dies cannot count. A page sets it back. */
export const claimRun = (tenantId: string, run: string, owner: string, leaseSeconds: number): Statement => ({
  text: `update runs set status = 'running', attempt = attempt + 1, crashes = crashes + 1, owner = $3, lease_until = now() + make_interval(secs => $4),
           started_at = coalesce(started_at, now()), resume_at = null, claimed_counters = jsonb_build_object('requests', requests, 'retries', retries, 'bytes', bytes)
         where tenant_id = $1 and id = $2 and (status = 'queued' or status = 'waiting')
         returning ${COLUMNS}`,
  values: [tenantId, run, owner, leaseSeconds],
});

export const selectActiveRun = (tenantId: string, flow: string): Statement => ({
  text: `select ${COLUMNS} from runs where tenant_id = $1 and flow = $2 and status in ('running', 'waiting')`,
  values: [tenantId, flow],
});

export interface FinishedRun {
  readonly status: string; readonly mode: string | null; readonly error: object | null; readonly sweep: object | null; readonly checkpoint: object | null;
  readonly resumeAt: Date | null; readonly counters: Pick<Counters, "requests" | "retries" | "bytes"> | undefined;
  /** Its worker was lost: the count of crashes goes on. */
  readonly keepCrashes: boolean;
}

export const lockAttempt = (tenantId: string, run: string, attempt: number): Statement => ({
  text: `select ${COLUMNS} from runs where tenant_id = $1 and id = $2 and status = 'running' and attempt = $3 for update`,
  values: [tenantId, run, attempt],
});

/** Only the attempt that runs may say how it ended: a zombie's word about a later attempt changes nothing. */
export const finishRun = (tenantId: string, run: string, attempt: number, end: FinishedRun): Statement => ({
  text: `update runs set status = $4, mode = coalesce($5, mode), error = $6, sweep = coalesce($7, sweep), checkpoint = coalesce($8, checkpoint), resume_at = $9, lease_until = null, owner = null,
           finished_at = case when $4 in ('queued', 'waiting') then null else now() end,
           crashes = case when $13 or $4 not in ('queued', 'waiting') then crashes else 0 end,
           requests = greatest(requests, coalesce((claimed_counters ->> 'requests')::bigint + $10, 0)),
           retries = greatest(retries, coalesce((claimed_counters ->> 'retries')::bigint + $11, 0)),
           bytes = greatest(bytes, coalesce((claimed_counters ->> 'bytes')::bigint + $12, 0))
         where tenant_id = $1 and id = $2 and status = 'running' and attempt = $3
         returning ${COLUMNS}`,
  values: [tenantId, run, attempt, end.status, end.mode, text(end.error), text(end.sweep), text(end.checkpoint), end.resumeAt,
    end.counters?.requests ?? null, end.counters?.retries ?? null, end.counters?.bytes ?? null, end.keepCrashes],
});

/** A page's counters, and the keys its sweep saw. `seen` null: no sweep. */
export const countPage = (tenantId: string, run: string, counts: Readonly<Record<string, number>>, leaseSeconds: number,
  seen: { connection: string; flow: string; sweep: number; keys: readonly string[] } | undefined): Statement => ({
  text: `with seen as (insert into sweep_seen (tenant_id, connection, flow, sweep, keys) select $1, $5, $6, $7, $8 where $7::bigint is not null)
         update runs set lease_until = case when status = 'running' then now() + make_interval(secs => $4) else lease_until end, crashes = 0,
           ${COUNTERS.map((name) => `${name} = ${name} + coalesce(($3::jsonb ->> '${name}')::bigint, 0)`).join(", ")}
         where tenant_id = $1 and id = $2`,
  values: [tenantId, run, JSON.stringify(counts), leaseSeconds, seen?.connection ?? null, seen?.flow ?? null, seen?.sweep ?? null, seen?.keys ?? null],
});

export const lengthenRunLease = (tenantId: string, run: string, leaseSeconds: number): Statement => ({
  text: "update runs set lease_until = now() + make_interval(secs => $3) where tenant_id = $1 and id = $2 and status = 'running'",
  values: [tenantId, run, leaseSeconds],
});

export const selectCancel = (tenantId: string, run: string): Statement => ({
  text: "select cancel_by from runs where tenant_id = $1 and id = $2 and cancel_by is not null",
  values: [tenantId, run],
});

/** A run nobody works on is cancelled at once; one under way is asked to stop after its page. */
export const requestCancel = (tenantId: string, run: string, by: string): Statement => ({
  text: `update runs set cancel_by = coalesce(cancel_by, $3), cancel_at = coalesce(cancel_at, now()),
           status = case when status in ('queued', 'waiting') then 'cancelled' else status end,
           finished_at = case when status in ('queued', 'waiting') then now() end
         where tenant_id = $1 and id = $2 and status in ('queued', 'running', 'waiting')
         returning ${COLUMNS}`,
  values: [tenantId, run, by],
});

export const selectRun = (tenantId: string, run: string): Statement => ({
  text: `select ${COLUMNS} from runs where tenant_id = $1 and id = $2`,
  values: [tenantId, run],
});

/** Newest first. */
export const selectRuns = (tenantId: string, filter: { flow: string | null; connection: string | null; status: string | null }, after: readonly [string, string] | undefined, limit: number): Statement => ({
  text: `select ${COLUMNS} from runs
         where tenant_id = $1 and ($2::text is null or flow = $2) and ($3::text is null or connection = $3) and ($4::text is null or status = $4)
           and ($5::timestamptz is null or (queued_at, id) < ($5, $6::uuid))
         order by queued_at desc, id desc limit $7`,
  values: [tenantId, filter.flow, filter.connection, filter.status, after?.[0] ?? null, after?.[1] ?? null, limit],
});

/** The newest run of every flow, and the newest that succeeded. */
export const selectLastRuns = (tenantId: string, connection: string | null): Statement => ({
  text: `select distinct on (flow) ${COLUMNS}, (select max(s.finished_at) from runs s where s.tenant_id = runs.tenant_id and s.flow = runs.flow and s.status like 'succeeded%') as succeeded_at
         from runs where tenant_id = $1 and ($2::text is null or connection = $2) order by flow, queued_at desc`,
  values: [tenantId, connection],
});

/** Of every flow the newest poll that succeeded, the first one left out: how many records it found changed. */
export const selectPolls = (tenantId: string, connection: string | null): Statement => ({
  text: `select distinct on (r.flow) r.flow, (r.created + r.updated + r.deleted + r.swept)::int as changed from runs r
         where r.tenant_id = $1 and ($2::text is null or r.connection = $2) and r.trigger <> 'webhook' and r.status like 'succeeded%'
           and exists (select from runs b where b.tenant_id = $1 and b.flow = r.flow and b.connection = r.connection and b.trigger <> 'webhook' and b.status like 'succeeded%' and b.queued_at < r.queued_at)
         order by r.flow, r.queued_at desc`,
  values: [tenantId, connection],
});

/** Over all tenants, as the scheduler. */
export const selectLostRuns = (limit: number): Statement => ({
  text: `select t.slug as tenant, r.id as run from runs r join tenants t on t.id = r.tenant_id and t.deleted_at is null
         where r.status = 'running' and r.lease_until < now() order by r.lease_until limit $1`,
  values: [limit],
});

/** Runs that wait for a worker, or whose time to go on has come: each should have a job. */
export const selectClaimableRuns = (limit: number): Statement => ({
  text: `select t.slug as tenant, r.id as run from runs r join tenants t on t.id = r.tenant_id and t.deleted_at is null
         where r.status = 'queued' or (r.status = 'waiting' and r.resume_at <= now()) order by r.queued_at limit $1`,
  values: [limit],
});

export const lockLostRun = (tenantId: string, run: string): Statement => ({
  text: `select ${COLUMNS} from runs where tenant_id = $1 and id = $2 and status = 'running' and lease_until < now() for update skip locked`,
  values: [tenantId, run],
});

/** Runs whose worker is known to be gone need not wait for their lease to run out. */
export const selectOwners = (tenantId: string): Statement => ({
  text: "select distinct owner from runs where tenant_id = $1 and status = 'running' and owner is not null",
  values: [tenantId],
});

export const endLeases = (tenantId: string, owners: readonly string[]): Statement => ({
  text: "update runs set lease_until = now() - interval '1 second' where tenant_id = $1 and status = 'running' and owner = any($2) returning id",
  values: [tenantId, owners],
});

/** Makes room for a run of the flow that goes back to the queue. */
export const supersedeQueued = (tenantId: string, flow: string): Statement => ({
  text: "update runs set status = 'superseded', finished_at = now() where tenant_id = $1 and flow = $2 and status = 'queued' returning id, requested_mode, replay",
  values: [tenantId, flow],
});

export const insertLog = (tenantId: string, run: string, lines: string): Statement => ({
  text: `insert into run_log (tenant_id, run_id, at, level, event, message, data)
         select $1, $2, coalesce(at, clock_timestamp()), level, event, message, data from jsonb_to_recordset($3) as l (at timestamptz, level text, event text, message text, data jsonb)`,
  values: [tenantId, run, lines],
});

export const selectLog = (tenantId: string, run: string, after: string, limit: number): Statement => ({
  text: "select seq::text as seq, at, level, event, message, data from run_log where tenant_id = $1 and run_id = $2 and seq > $3 order by run_log.seq limit $4",
  values: [tenantId, run, after, limit],
});

const text = (value: object | null): string | null => value === null ? null : JSON.stringify(value);
