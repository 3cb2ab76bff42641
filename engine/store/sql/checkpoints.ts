import type { Checkpoint } from "../../run/ports.ts";
import type { Statement } from "../database.ts";

export interface FlowIds { readonly tenantId: string; readonly connection: string; readonly flow: string }

/** The next epoch, whoever had the one before. 0 rows: the tenant is suspended, or on its way out, and nothing begins. */
export const takeOverFlow = (flow: FlowIds, owner: string, revision: string, leaseSeconds: number): Statement => ({
  text: `insert into checkpoints as c (tenant_id, connection, flow, epoch, owner, revision, lease_until)
         select id, $2, $3, 1, $4, $5, now() + make_interval(secs => $6) from tenants where id = $1 and deleted_at is null and status in ('creating', 'active') for key share
         on conflict (tenant_id, connection, flow) do update set epoch = c.epoch + 1, owner = excluded.owner, revision = excluded.revision,
           lease_until = excluded.lease_until, updated_at = now()
         returning epoch::int, checkpoint`,
  values: [flow.tenantId, flow.connection, flow.flow, owner, revision, leaseSeconds],
});

/** Left by a pass that was given up: the next sweep may get the same number. */
export const forgetSeen = (flow: FlowIds): Statement => ({
  text: "delete from sweep_seen where tenant_id = $1 and connection = $2 and flow = $3",
  values: [flow.tenantId, flow.connection, flow.flow],
});

/**
 * First statement of every writing transaction of a run: moves the checkpoint of this epoch (0 rows: fenced), then takes the
 * entity's turn and tells its time. `at` is later than that of every page committed before, of any connection.
 */
export const fence = (flow: FlowIds, epoch: number, checkpoint: Checkpoint, leaseSeconds: number, entity: string, joins: boolean): Statement => ({
  text: `with before as (select checkpoint #>> '{pass,begun_at}' as begun_at from checkpoints where tenant_id = $1 and connection = $2 and flow = $3),
         fenced as (update checkpoints set checkpoint = $5, lease_until = now() + make_interval(secs => $6), updated_at = now()
                    where tenant_id = $1 and connection = $2 and flow = $3 and epoch = $4 returning tenant_id)
         insert into entity_clocks as clock (tenant_id, entity, at, joined) select tenant_id, $7, clock_timestamp(), $8 from fenced
         on conflict (tenant_id, entity) do update set at = greatest(clock_timestamp(), clock.at + interval '1 microsecond'), joined = clock.joined or excluded.joined
         returning at::text, joined, (select begun_at from before),
           exists (select 1 from quarantine q where q.tenant_id = $1 and q.connection = $2 and q.flow = $3 and q.status = 'open' and q.key is not null) as has_quarantine,
           exists (select 1 from change_flows w where w.tenant_id = $1 and w.entity = $7 and w.enabled) as watched`,
  values: [flow.tenantId, flow.connection, flow.flow, epoch, JSON.stringify(checkpoint), leaseSeconds, entity, joins],
});

/** Takes the entity's turn outside of a run. */
export const tickEntity = (tenantId: string, entity: string): Statement => ({
  text: `insert into entity_clocks as clock (tenant_id, entity, at) values ($1, $2, clock_timestamp())
         on conflict (tenant_id, entity) do update set at = greatest(clock_timestamp(), clock.at + interval '1 microsecond')
         returning at::text, joined, exists (select 1 from change_flows w where w.tenant_id = $1 and w.entity = $2 and w.enabled) as watched`,
  values: [tenantId, entity],
});

export const lengthenLease = (flow: FlowIds, epoch: number, leaseSeconds: number): Statement => ({
  text: `update checkpoints set lease_until = now() + make_interval(secs => $5) where tenant_id = $1 and connection = $2 and flow = $3 and epoch = $4 returning epoch`,
  values: [flow.tenantId, flow.connection, flow.flow, epoch, leaseSeconds],
});
