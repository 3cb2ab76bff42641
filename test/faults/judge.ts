/** Compares what is stored with what the provider holds. It reads the tables as the cluster's owner and asks the engine nothing. */
import type pg from "pg";
import { judgeAudit, readAudit, readEnded, type AuditFindings } from "./audit.ts";
import { isStorable, type FaultyProvider } from "./provider.ts";

export interface Findings extends AuditFindings {
  /** Records that exist at the provider, should be stored, and are not; or are stored with an old content. */
  readonly lost: number;
  readonly outdated: number;
  /** A second live contribution, entity row or creation of one record. */
  readonly duplicated: number;
  /** Rows of records that do not exist, or must not be stored. Only after a complete sweep of a calm provider must there be none. */
  readonly surplus: number;
  /** Records that were ended although they were there all the time; most come back with the next read, so only the audit knows. */
  readonly wronglyEnded: number;
  /** Records that cannot be stored and are not in quarantine. */
  readonly notQuarantined: number;
  /** Runs whose counters do not balance. */
  readonly unbalanced: number;
  /** Runs that reached no end. */
  readonly unfinished: number;
}

/**
 * Records that were there, unchanged, from before the first pass until now, when it is complete, and are not stored. (What
 * changed meanwhile may be left to the next window.) Asked at that moment: a later full read would mend the loss, and hide it.
 */
export async function countLost(client: pg.Client, provider: FaultyProvider): Promise<number> {
  const { rows } = await client.query<{ key: string }>("select key from plugboard.contributions where deleted_at is null");
  const live = new Set(rows.map(({ key }) => key));
  return [...provider.original.values()].filter((item) => provider.items.get(item.id) === item && isStorable(item) && !live.has(item.id)).length;
}

export async function judge(client: pg.Client, provider: FaultyProvider): Promise<Findings> {
  const stored = await client.query<{ key: string; amount: number; title: string; rows: number }>(`
    select c.key, (c.data ->> 'amount')::float as amount, c.data ->> 'title' as title,
           (select count(*)::int from plugboard.entity_rows e where e.tenant_id = c.tenant_id and e.entity = c.entity and e.id = c.row_id and e.deleted_at is null) as rows
      from plugboard.contributions c where c.deleted_at is null`);
  const live = new Map<string, { amount: number; title: string }[]>();
  for (const row of stored.rows) live.set(row.key, [...live.get(row.key) ?? [], row]);

  let [lost, outdated, surplus, duplicated] = [0, 0, 0, 0];
  for (const item of provider.items.values()) {
    if (!isStorable(item)) continue;
    const found = live.get(item.id) ?? [];
    if (found.length === 0) lost += 1;
    else if (found.some(({ amount, title }) => amount !== item.amount || title !== item.title)) outdated += 1;
  }
  for (const [key, found] of live) {
    const item = provider.items.get(key);
    if (item === undefined || !isStorable(item)) surplus += found.length;
    duplicated += found.length - 1;
  }
  lost += stored.rows.filter(({ rows }) => rows === 0).length;

  const one = async <Row extends object>(text: string): Promise<Row> => (await client.query<Row>(text)).rows[0]!;
  const { entities } = await one<{ entities: number }>("select count(*)::int as entities from plugboard.entity_rows where deleted_at is null");
  duplicated += Math.max(0, entities - live.size);
  const { created, contributions } = await one<{ created: number; contributions: number }>("select (select coalesce(sum(created), 0)::int from plugboard.runs) as created, (select count(*)::int from plugboard.contributions) as contributions");
  duplicated += Math.max(0, created - contributions);

  const { rows: quarantined } = await client.query<{ key: string }>("select distinct key from plugboard.quarantine where status = 'open'");
  const held = new Set(quarantined.map(({ key }) => key));
  const notQuarantined = [...provider.items.values()].filter((item) => item.kind === "booked" && typeof item.amount === "string" && !held.has(item.id)).length;

  const { unbalanced, unfinished } = await one<{ unbalanced: number; unfinished: number }>(`
    select count(*) filter (where read <> created + updated + unchanged + superseded + deleted + filtered + quarantined)::int as unbalanced,
           count(*) filter (where status in ('queued', 'running', 'waiting'))::int as unfinished from plugboard.runs`);
  const wronglyEnded = (await readEnded(client)).filter((key) => provider.items.has(key)).length;
  return { lost, outdated, wronglyEnded, duplicated, surplus, notQuarantined, unbalanced, unfinished, ...judgeAudit(await readAudit(client)) };
}

/** What must be zero at the end, in a calm provider, after a complete sweep. */
export function violationsOf(findings: Findings): string[] {
  const names = ["lost", "outdated", "duplicated", "surplus", "wronglyEnded", "notQuarantined", "unbalanced", "unfinished", "staleWrites", "checkpointRegressions", "epochRegressions"] as const;
  return names.filter((name) => findings[name] > 0).map((name) => `${name}: ${findings[name]}`);
}
