import type { Statement } from "../database.ts";

export interface ConfigurationRow { revision: string | null; commit: string | null; alarm: unknown; updated_at: Date }
export interface ApplicationRow { id: string; revision: string; commit: string | null; change: string | null; how: "apply" | "rollback" | "sync" | "command"; by: string; changed: string[]; at: Date }

/** One revision is put in force at a time, over all tenants; until the end of the transaction. */
export const lockConfiguration = (): Statement => ({ text: "select pg_advisory_xact_lock(hashtextextended('plugboard configuration', 0))", values: [] });

export const selectConfiguration = (tenantId: string): Statement => ({
  text: "select revision, commit, alarm, updated_at from configuration where tenant_id = $1",
  values: [tenantId],
});

/** What is in force is good again: the alarm is over. */
export const putConfiguration = (tenantId: string, revision: string, commit: string | null): Statement => ({
  text: `insert into configuration (tenant_id, revision, commit) values ($1, $2, $3)
         on conflict (tenant_id) do update set revision = excluded.revision, commit = excluded.commit, alarm = null, updated_at = clock_timestamp()`,
  values: [tenantId, revision, commit],
});

export const setAlarm = (tenantId: string, alarm: string | null): Statement => ({
  text: `insert into configuration (tenant_id, alarm) values ($1, $2)
         on conflict (tenant_id) do update set alarm = excluded.alarm, updated_at = clock_timestamp() where configuration.alarm::text is distinct from excluded.alarm::text returning tenant_id`,
  values: [tenantId, alarm],
});

/** The same commit, in other words: what is in force did not change. */
export const setCommit = (tenantId: string, commit: string): Statement => ({
  text: "update configuration set commit = $2, alarm = null, updated_at = clock_timestamp() where tenant_id = $1",
  values: [tenantId, commit],
});

export const insertApplication = (tenantId: string, row: { readonly id: string; readonly revision: string; readonly change: string | null; readonly how: string; readonly by: string; readonly changed: readonly string[] }): Statement => ({
  text: "insert into applications (tenant_id, id, revision, change, how, by, changed) values ($1, $2, $3, $4, $5, $6, $7)",
  values: [tenantId, row.id, row.revision, row.change, row.how, row.by, row.changed],
});

/** With the commit that the revision is of, whatever main was at when it was put in force. */
export const selectApplications = (tenantId: string, limit: number): Statement => ({
  text: `select a.id, a.revision, r.commit, a.change, a.how, a.by, a.changed, a.at from applications a join revisions r on r.id = a.revision
         where a.tenant_id = $1 order by a.at desc, a.id desc limit $2`,
  values: [tenantId, limit],
});
