import type { Statement } from "../database.ts";

export interface ReadIds { readonly tenantId: string; readonly connection: string; readonly stream: string; readonly key: string }
const ids = (read: ReadIds): unknown[] => [read.tenantId, read.connection, read.stream, read.key];
const IT_IS = "tenant_id = $1 and connection = $2 and stream = $3 and key = $4";

/** `asks` is JSON text: [{stream, key, event, fires}]. Those of one key share a read; one that is under way is followed by another. */
export const askReads = (tenantId: string, connection: string, asks: string): Statement => ({
  text: `with ask as (select * from jsonb_to_recordset($3) as a (stream text, key text, event uuid, fires boolean)),
         read as (
           insert into pending_reads as p (tenant_id, connection, stream, key, fires) select $1, $2, stream, key, bool_or(fires) from ask group by stream, key order by stream, key
           on conflict (tenant_id, connection, stream, key) do update set asked = p.asked + 1, fires = p.fires or excluded.fires
           returning stream, key, asked)
         insert into event_reads as w (tenant_id, connection, stream, key, event_id, asked)
         select distinct on (ask.stream, ask.key, ask.event) $1, $2, ask.stream, ask.key, ask.event, read.asked from ask join read on read.stream = ask.stream and read.key = ask.key
         on conflict (tenant_id, connection, stream, key, event_id) do update set asked = excluded.asked`,
  values: [tenantId, connection, asks],
});

export interface DueRead { tenant: string; connection: string; stream: string; key: string }

/** Over all tenants, as the scheduler. */
export const selectDueReads = (limit: number): Statement => ({
  text: `select t.slug as tenant, p.connection, p.stream, p.key from pending_reads p join tenants t on t.id = p.tenant_id and t.deleted_at is null
         where p.due_at <= clock_timestamp() and (p.lease_until is null or p.lease_until < clock_timestamp()) order by p.due_at limit $1`,
  values: [limit],
});

export const selectNextRead = (): Statement => ({ text: "select min(greatest(due_at, coalesce(lease_until, due_at))) as due_at from pending_reads", values: [] });

export interface ClaimedRead { epoch: number; fires: boolean; attempts: number; /** Decimal seconds since the epoch: what changed after this is newer than what the read gives. */ as_of: string }

/** The next epoch. 0 rows: another worker was first, or it is not due any more. */
export const claimRead = (read: ReadIds, owner: string, leaseSeconds: number): Statement => ({
  text: `update pending_reads set epoch = epoch + 1, owner = $5, taken = asked, attempts = attempts + 1, lease_until = clock_timestamp() + make_interval(secs => $6)
         where ${IT_IS} and due_at <= clock_timestamp() and (lease_until is null or lease_until < clock_timestamp())
         returning epoch::int, fires, attempts, extract(epoch from clock_timestamp())::text as as_of`,
  values: [...ids(read), owner, leaseSeconds],
});

/** First statement of a read's transaction: locks it. 0 rows: fenced. */
export const fenceRead = (read: ReadIds, epoch: number): Statement => ({
  text: `select asked = taken as answered from pending_reads where ${IT_IS} and epoch = $5 for update`,
  values: [...ids(read), epoch],
});

/** Answered: gone. Asked again meanwhile: due at once. */
export const finishRead = (read: ReadIds, epoch: number): Statement => ({
  text: `with again as (update pending_reads set lease_until = null, owner = null, due_at = clock_timestamp(), attempts = 0, reason = null where ${IT_IS} and epoch = $5 and asked > taken)
         delete from pending_reads where ${IT_IS} and epoch = $5 and asked = taken`,
  values: [...ids(read), epoch],
});

/** Tried again later. */
export const delayRead = (read: ReadIds, epoch: number, seconds: number, reason: string): Statement => ({
  text: `update pending_reads set lease_until = null, owner = null, due_at = clock_timestamp() + make_interval(secs => $6), reason = $7 where ${IT_IS} and epoch = $5`,
  values: [...ids(read), epoch, seconds, reason],
});

/** Before them, and in a statement of its own: two reads that one event asked for would each see the other's still open, and neither would end it. */
export const lockAsking = (read: ReadIds): Statement => ({
  text: `select 1 from events e where e.tenant_id = $1 and e.status = 'reading'
           and e.id in (select w.event_id from event_reads w where w.tenant_id = $1 and w.connection = $2 and w.stream = $3 and w.key = $4) order by e.id for update`,
  values: ids(read),
});

/** Those that this read answers wait for it no more; those that wait for nothing else are over. Ends that were given before (failed) stay. */
export const answerEvents = (read: ReadIds, epoch: number, status: string, code: string | null, reason: string | null): Statement => ({
  text: `with answered as (
           delete from event_reads w using pending_reads p where p.tenant_id = $1 and p.connection = $2 and p.stream = $3 and p.key = $4 and p.epoch = $5
             and w.tenant_id = $1 and w.connection = $2 and w.stream = $3 and w.key = $4 and w.asked <= p.taken returning w.event_id)
         update events e set status = case when $6 = 'failed' or not exists (select 1 from event_reads o where o.tenant_id = $1 and o.event_id = e.id and not (o.connection = $2 and o.stream = $3 and o.key = $4)) then $6 else e.status end,
           code = coalesce($7, code), reason = coalesce($8, reason), finished_at = clock_timestamp()
         from answered a where e.tenant_id = $1 and e.id = a.event_id and e.status = 'reading' returning e.id`,
  values: [...ids(read), epoch, status, code, reason],
});
