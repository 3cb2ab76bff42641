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
