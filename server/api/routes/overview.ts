/** How flows did and what waits, in numbers: of one organisation, or of all that the caller may see. */
import type { FastifyInstance } from "fastify";
import { listTenants, PLATFORM, proposedChanges, readOverviews, type TenantOverview } from "../../../engine/store/index.ts";
import { closed, count, id, instant, nullable, query } from "../schemas.ts";
import type { Services } from "../services.ts";

const HOUR = 3_600_000;
/** Up to so many days are shown by the hour. */
const DAYS_BY_HOUR = 3;
/** Each is read as itself: with more organisations than these, the newest are left out, and the answer says so. */
const MOST_TENANTS = 500;
const MOST_LINES = 50;

const counts = { succeeded: count("Runs."), with_quarantine: count("That could not take every record."), failed: count("Runs."), cancelled: count("Cancelled, or another one did their work."), under_way: count("Queued, running or waiting."), stored: count("Records stored."), quarantined: count("Records quarantined.") } as const;
const waiting = { holds: count("Deliveries that wait for a person."), events: count("Events that wait for their connection."), sweeps: count("Sweeps that would delete too much."), quarantine: count("Records."), requests: count("Integrations that were asked for.") } as const;
type Counts = Record<keyof typeof counts, number>;

export function registerOverview(server: FastifyInstance, { db, planOf }: Services): void {
  server.get<{ Querystring: { days: number } }>("/api/overview", {
    config: { permission: "overview:read" },
    schema: {
      tags: ["operations"], summary: "How flows did, and what waits", description: "By the hour (UTC) up to three days, by the day otherwise. The operator's people see all organisations that are theirs to see, unless they name one.",
      querystring: query({ days: { type: "integer", minimum: 1, maximum: 30, default: 7, description: "How far back." } }),
      response: {
        200: closed({
          since: instant("From then on."), step: { type: "string", enum: ["hour", "day"] }, organisations: closed({ shown: count("Those in these numbers."), all: count("Those there are.") }), truncated: { type: "boolean", description: "An organisation had more runs than are counted: the oldest are left out." },
          totals: closed(counts),
          history: { type: "array", description: "Without gaps.", items: closed({ at: instant("It begins."), ...counts, seconds: nullable({ type: "number", description: "A run took, on average." }), longest: nullable({ type: "number", description: "The longest took." }) }) },
          providers: { type: "array", description: "By connector, most failures first.", items: closed({ connector: { type: "string" }, title: { type: "string" }, succeeded: count("Runs."), failed: count("Runs."), stored: count("Records."), last_failed_at: nullable(instant("The last failure.")), codes: { type: "array", description: "Why, most frequent first.", items: closed({ code: { type: "string" }, count: count("Runs.") }) } }) },
          connections: { type: "array", description: "That only a person can mend.", items: closed({ tenant: { type: "string" }, organisation: { type: "string" }, connection: { type: "string" }, title: { type: "string" }, code: nullable({ type: "string" }), message: nullable({ type: "string" }), since: nullable(instant("Since when.")) }) },
          waiting: closed({ ...waiting, changes: count("Of the configuration, proposed or approved.") }),
          tenants: { type: "array", description: "By organisation, most trouble first.", items: closed({ tenant: id("The organisation.", "acme"), title: { type: "string" }, ...counts, waiting: count("What waits, together.") }) },
        }),
      },
    },
  }, async ({ tenant, caller, query: { days } }) => {
    const step = days <= DAYS_BY_HOUR ? "hour" as const : "day" as const;
    const width = step === "hour" ? HOUR : 24 * HOUR;
    // Whole buckets only: the first one is not half empty.
    const since = Math.floor(Date.now() / width) * width - (step === "hour" ? days * 24 - 1 : days - 1) * width;
    const all = (await listTenants(db)).filter(({ slug, revision, status }) => revision !== undefined && status !== "erasing" && (tenant === "" ? slug !== PLATFORM && (caller!.assigned?.includes(slug) ?? true) : slug === tenant));
    const shown = all.slice(0, MOST_TENANTS);
    const found = await readOverviews(db, shown.map(({ slug }) => slug), new Date(since), step);
    const titles = new Map(shown.map(({ slug, title }) => [slug, title]));
    const names = new Map<string, string>();
    const connections = [];
    for (const each of found) {
      // Plans are read for names only, so of few.
      if (each.broken.length === 0 && each.history.every(({ connector }) => names.has(connector))) continue;
      const plan = await planOf(each.tenant).catch(() => undefined);
      for (const [name, { title }] of Object.entries(plan?.connectors ?? {})) names.set(name, title ?? name);
      for (const { connection, connector, ...why } of each.broken) {
        if (plan?.connections[connection]?.enabled === true) connections.push({ tenant: each.tenant, organisation: titles.get(each.tenant)!, connection, title: names.get(connector) ?? connector, ...why });
      }
    }
    return {
      since: new Date(since).toISOString(), step, organisations: { shown: found.length, all: all.length }, truncated: found.some(({ truncated }) => truncated),
      totals: totalOf(found.flatMap(({ history }) => history)),
      history: historyOf(found, since, width),
      providers: providersOf(found).map((each) => ({ ...each, title: names.get(each.connector) ?? each.connector })),
      connections: connections.toSorted((a, b) => ((a.since ?? "") < (b.since ?? "") ? 1 : -1)).slice(0, MOST_LINES),
      waiting: { ...waitingOf(found), changes: tenant === "" ? await proposedChanges(db) : await proposedChanges(db, tenant) },
      tenants: found.map((each) => ({ tenant: each.tenant, title: titles.get(each.tenant)!, ...totalOf(each.history), waiting: Object.values(each.waiting).reduce((sum, one) => sum + one, 0) }))
        .toSorted((a, b) => b.failed - a.failed || b.waiting - a.waiting || (a.title < b.title ? -1 : 1)).slice(0, MOST_LINES),
    };
  });
}

const none = (): Counts => ({ succeeded: 0, with_quarantine: 0, failed: 0, cancelled: 0, under_way: 0, stored: 0, quarantined: 0 });

function totalOf(buckets: readonly Counts[]): Counts {
  const total = none();
  for (const bucket of buckets) for (const name of Object.keys(total) as (keyof Counts)[]) total[name] += bucket[name];
  return total;
}

function historyOf(found: readonly TenantOverview[], since: number, width: number): object[] {
  const byTime = Map.groupBy(found.flatMap(({ history }) => history), ({ at }) => at);
  const end = Math.floor(Date.now() / width) * width;
  return Array.from({ length: (end - since) / width + 1 }, (_, index) => {
    const at = since + index * width;
    const rows = byTime.get(at) ?? [];
    const ended = rows.reduce((sum, row) => sum + row.ended, 0);
    return { at: new Date(at).toISOString(), ...totalOf(rows), seconds: ended === 0 ? null : rows.reduce((sum, row) => sum + row.seconds, 0) / ended, longest: ended === 0 ? null : Math.max(...rows.map(({ longest }) => longest)) };
  });
}

function providersOf(found: readonly TenantOverview[]): { readonly connector: string; readonly succeeded: number; readonly failed: number; readonly stored: number; readonly last_failed_at: string | null; readonly codes: readonly object[] }[] {
  const reasons = Map.groupBy(found.flatMap(({ failures }) => failures), ({ connector }) => connector);
  return [...Map.groupBy(found.flatMap(({ history }) => history), ({ connector }) => connector)].map(([connector, rows]) => {
    const { succeeded, with_quarantine, failed, stored } = totalOf(rows);
    const last = Math.max(0, ...rows.map(({ lastFailedAt }) => lastFailedAt ?? 0));
    const codes = [...Map.groupBy(reasons.get(connector) ?? [], ({ code }) => code)].map(([code, lines]) => ({ code, count: lines.reduce((sum, line) => sum + line.count, 0) }));
    return { connector, succeeded: succeeded + with_quarantine, failed, stored, last_failed_at: last === 0 ? null : new Date(last).toISOString(), codes: codes.toSorted((a, b) => b.count - a.count).slice(0, 5) };
  }).toSorted((a, b) => b.failed - a.failed || b.succeeded - a.succeeded).slice(0, MOST_LINES);
}

function waitingOf(found: readonly TenantOverview[]): Record<keyof typeof waiting, number> {
  const sum = { holds: 0, events: 0, sweeps: 0, quarantine: 0, requests: 0 };
  for (const { waiting: one } of found) for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += one[name];
  return sum;
}
