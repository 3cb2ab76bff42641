import type { Statement } from "../database.ts";

/** In the order of ids, so that two processes that apply at once do not wait for each other in a circle. */
export const upsertConnector = (id: string, connector: string): Statement => ({
  text: `insert into connectors as c (id, connector) values ($1, $2)
         on conflict (id) do update set connector = excluded.connector, updated_at = now() where c.connector::text <> excluded.connector::text`,
  values: [id, connector],
});

export const deleteOtherConnectors = (ids: readonly string[]): Statement => ({ text: "delete from connectors where id <> all ($1::text[])", values: [[...ids]] });

export const selectConnectors = (after: string | undefined, limit: number): Statement => ({
  text: "select connector from connectors where $1::text is null or id collate \"C\" > $1 order by id collate \"C\" limit $2",
  values: [after ?? null, limit],
});

export const selectConnector = (id: string): Statement => ({ text: "select connector from connectors where id = $1", values: [id] });

export const selectConnectorIds = (): Statement => ({ text: "select id from connectors order by id", values: [] });

/** As the scheduler, over all tenants. What was disconnected counts for nothing; `code` is null where it works or was not tried. */
export const selectConnectorHealth = (tenant: string | undefined): Statement => ({
  text: `select c.connector, case when c.status = 'broken' then coalesce(c.status_code, 'UNKNOWN') end as code, count(*)::int as connections, max(c.status_at) as last_at
         from connections c join tenants t on t.id = c.tenant_id
         where t.deleted_at is null and c.status <> 'disconnected' and ($1::text is null or t.slug = $1) group by 1, 2`,
  values: [tenant ?? null],
});
