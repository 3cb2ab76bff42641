/** Which revision is in force, since when, and what is wrong with what Git says now. */
import { PLATFORM } from "./audit.ts";
import { type Database, withTenant } from "./database.ts";
import { type ApplicationRow, type ConfigurationRow, selectApplications, selectConfiguration, setAlarm, setCommit } from "./sql/configuration.ts";

export interface Alarm {
  /** A code of the catalogue. */
  readonly code: string;
  readonly message: string;
  /** The commit that is not in force. */
  readonly commit?: string;
  /** ISO instant. */
  readonly at: string;
}

export interface Configuration {
  /** Absent before the first one. */
  readonly revision?: string;
  /** The commit it is of; absent for a workspace outside Git. */
  readonly commit?: string;
  /** The last good revision stays in force while there is one. */
  readonly alarm?: Alarm;
}

export interface Application { readonly id: string; readonly revision: string; readonly commit?: string; readonly change?: string; readonly how: ApplicationRow["how"]; readonly by: string; readonly changed: readonly string[]; readonly at: string }

export const readConfiguration = (db: Database): Promise<Configuration> => withTenant(db, PLATFORM, async (tx) => {
  const [row] = await tx.run<ConfigurationRow>(selectConfiguration(tx.tenantId));
  return {
    ...(row?.revision == null ? {} : { revision: row.revision }), ...(row?.commit == null ? {} : { commit: row.commit }), ...(row?.alarm == null ? {} : { alarm: row.alarm as Alarm }),
  };
});

/** @returns false: it said so already. */
export const raiseAlarm = (db: Database, alarm: Omit<Alarm, "at">, at: string): Promise<boolean> => withTenant(db, PLATFORM, async (tx) => {
  const [row] = await tx.run<ConfigurationRow>(selectConfiguration(tx.tenantId));
  const known = row?.alarm as Alarm | null | undefined;
  if (known && known.code === alarm.code && known.commit === alarm.commit && known.message === alarm.message) return false;
  await tx.run(setAlarm(tx.tenantId, JSON.stringify({ ...alarm, at })));
  return true;
});

/** Main moved to a commit that says the same. */
export const noteCommit = (db: Database, commit: string): Promise<void> => withTenant(db, PLATFORM, async (tx) => { await tx.run(setCommit(tx.tenantId, commit)); });

/** Newest first. */
export const listApplications = (db: Database, limit: number): Promise<Application[]> => withTenant(db, PLATFORM, async (tx) =>
  (await tx.run<ApplicationRow>(selectApplications(tx.tenantId, limit))).map(({ id, revision, commit, change, how, by, changed, at }) => ({
    id, revision, how, by, changed, at: at.toISOString(), ...(commit === null ? {} : { commit }), ...(change === null ? {} : { change }),
  })));
