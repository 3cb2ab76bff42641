import type { Statement } from "../database.ts";

export interface QueueIds { readonly tenantId: string; readonly connection: string; readonly queue: string }
const ids = (queue: QueueIds): unknown[] => [queue.tenantId, queue.connection, queue.queue];

/** What a revision says about queues. One that is gone is switched off, and keeps its place in case it comes back. */
export const replaceQueuePolls = (tenantId: string, polls: string): Statement => ({
  text: `with given as (select * from jsonb_to_recordset($2) as g (connection text, queue text, every_seconds integer)),
         off as (update queue_polls q set enabled = false where q.tenant_id = $1 and q.enabled and not exists (select 1 from given g where g.connection = q.connection and g.queue = q.queue))
         insert into queue_polls as q (tenant_id, connection, queue, every_seconds) select $1, connection, queue, every_seconds from given
         on conflict (tenant_id, connection, queue) do update set every_seconds = excluded.every_seconds, enabled = true, due_at = case when q.enabled then q.due_at else now() end
         where not q.enabled or q.every_seconds <> excluded.every_seconds`,
  values: [tenantId, polls],
});

/** Over all tenants, as the scheduler. */
export const selectDueQueues = (limit: number): Statement => ({
  text: `select t.slug as tenant, q.connection, q.queue from queue_polls q join tenants t on t.id = q.tenant_id and t.deleted_at is null and t.status = 'active'
         where q.enabled and q.due_at <= clock_timestamp() and (q.lease_until is null or q.lease_until < clock_timestamp()) order by q.due_at limit $1`,
  values: [limit],
});

export const selectNextQueue = (): Statement => ({ 
  text: "select min(greatest(q.due_at, coalesce(q.lease_until, q.due_at))) as due_at from queue_polls q join tenants t on t.id = q.tenant_id and t.deleted_at is null and t.status = 'active' where q.enabled",
  values: [],
});

export const claimQueue = (queue: QueueIds, owner: string, leaseSeconds: number): Statement => ({
  text: `update queue_polls set epoch = epoch + 1, owner = $4, lease_until = clock_timestamp() + make_interval(secs => $5)
         where tenant_id = $1 and connection = $2 and queue = $3 and enabled and due_at <= clock_timestamp() and (lease_until is null or lease_until < clock_timestamp())
         returning epoch::int, cursor, every_seconds, failures`,
  values: [...ids(queue), owner, leaseSeconds],
});

export const finishQueue = (queue: QueueIds, epoch: number, afterSeconds: number, cursor: object | null, error: object | null): Statement => ({
  text: `update queue_polls set lease_until = null, owner = null, polled_at = clock_timestamp(), due_at = clock_timestamp() + make_interval(secs => $5), cursor = coalesce($6, cursor), error = $7,
           failures = case when $7::jsonb is null then 0 else failures + 1 end
         where tenant_id = $1 and connection = $2 and queue = $3 and epoch = $4`,
  values: [...ids(queue), epoch, afterSeconds, cursor === null ? null : JSON.stringify(cursor), error === null ? null : JSON.stringify(error)],
});
