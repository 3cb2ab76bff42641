/**
 * Compares what the provider was promised with what is stored, and what had to leave with what arrived. It reads the tables as the
 * cluster's owner and asks the engine nothing; what the receiver got, the receiver says.
 */
import type pg from "pg";
import { OLD } from "./fixture.ts";
import type { PushingProvider } from "./provider.ts";
import type { Arrived, FlakyReceiver } from "./receiver.ts";

export interface PushFindings {
  /** Accepted events that were not processed, or whose state is not what is stored. */
  readonly lostEvents: number;
  /** States that had to leave and did not arrive. */
  readonly lostDeliveries: number;
  /** Events that were processed or counted twice; second rows of one record. */
  readonly duplicatedEvents: number;
  /** One state under two delivery ids; a record made twice at the receiver, where it can be looked up. */
  readonly duplicatedDeliveries: number;
  /** Of one key, an older state after a newer one. */
  readonly outOfOrder: number;
  /** Hints after which nothing was read. */
  readonly unread: number;
  /** Deliveries that are not over, or whose outcome nobody knows. */
  readonly unresolved: number;
  /** Rows of a first load that left. */
  readonly sentOfFirstLoad: number;
  /** Wrong signatures, keys used for something else. */
  readonly wrong: number;
  readonly unbalanced: number;
  /** The first few of them, for whoever looks for the cause. */
  readonly evidence: readonly string[];
}

/** As the owner of the cluster: how often each event was processed, whoever did it. */
export const AUDIT = `
  create schema audit;
  create table audit.processed (event uuid not null);
  create function audit.event() returns trigger language plpgsql security definer set search_path = audit as $$
  begin
    insert into processed (event) values (new.id);
    return null;
  end $$;
  create trigger audit_event after update on plugboard.events for each row when (new.status = 'processed' and old.status <> 'processed') execute function audit.event();
`;

export async function judge(client: pg.Pool, provider: PushingProvider, receiver: FlakyReceiver): Promise<PushFindings> {
  const evidence: string[] = [];
  const count = (of: string, wrong: Iterable<string>): number => {
    const all = [...wrong];
    if (all.length > 0) evidence.push(`${of}: ${all.slice(0, 4).join("; ")}${all.length > 4 ? " …" : ""}`);
    return all.length;
  };
  const rows = async <Row extends object>(text: string): Promise<Row[]> => (await client.query<Row>(text)).rows;
  const { sent } = provider;
  const ids = [...sent.ids.orders, ...sent.ids.people];

  const events = await rows<{ event_id: string | null; status: string; reason: string | null; processed: number }>(`
    select e.event_id, e.status, e.reason, (select count(*)::int from audit.processed p where p.event = e.id) as processed from plugboard.events e`);
  const byId = Map.groupBy(events.filter(({ event_id }) => event_id !== null), ({ event_id }) => event_id!);
  const stored = await rows<{ entity: string; ref: string; n: number }>("select entity, data ->> 'ref' as ref, coalesce(data ->> 'n', data ->> 'v')::int as n from plugboard.entity_rows where deleted_at is null");
  const state = new Map(stored.map(({ entity, ref, n }) => [`${entity} ${ref}`, n]));
  const newest = new Map([...sent.people].map(([key, versions]) => [key, Math.max(...versions)]));
  const wanted = [...[...sent.orders].map(([key, n]) => [`order ${key}`, n] as const), ...[...newest].map(([key, v]) => [`person ${key}`, v] as const), ...new Set(sent.hints.map(({ member }) => member))].map((each) => typeof each === "string" ? [`member ${each}`, provider.members.get(each)!] as const : each);
  const old = stored.filter(({ ref }) => ref.startsWith(OLD)).length;
  const lostEvents = count("lost events", [
    ...ids.filter((id) => !byId.get(id)?.some(({ status }) => status === "processed")).map((id) => `${id} is ${byId.get(id)?.[0]?.status ?? "not there"}`),
    ...wanted.filter(([name, n]) => state.get(name) !== n).map(([name, n]) => `${name} is ${state.get(name) ?? "not there"} instead of ${n}`),
    ...events.filter(({ event_id, status }) => event_id === null && status !== "processed").map(({ status, reason }) => `a hint is ${status}: ${reason}`),
    ...old === provider.archived ? [] : [`${old} of ${provider.archived} rows of the first load`],
  ]);

  const reads = await rows<{ flow: string; read: number }>("select flow, sum(read)::int as read from plugboard.runs where trigger = 'webhook' group by flow");
  const duplicatedEvents = count("duplicated events", [
    ...events.filter(({ processed }) => processed > 1).map(({ event_id, processed }) => `${event_id ?? "a hint"} processed ${processed} times`),
    ...[...byId].filter(([, all]) => all.length > 1).map(([id, all]) => `${id} is there ${all.length} times`),
    ...(["orders", "people"] as const).map((flow) => [flow, reads.find((each) => each.flow === flow)?.read ?? 0, sent.ids[flow].size] as const).filter(([, read, of]) => read > of).map(([flow, read, of]) => `${flow} counts ${read} records of ${of} events`),
    ...stored.length === state.size ? [] : [`${stored.length} rows of ${state.size} records`],
  ]);
  const uncounted = count("not counted", (["orders", "people"] as const).filter((flow) => (reads.find((each) => each.flow === flow)?.read ?? 0) < sent.ids[flow].size));

  const arrivedNotes = new Set([...receiver.notes.values()].map(({ ref, n }) => `${ref} ${n}`));
  const arrivedHooks = new Set(receiver.hooks.map(({ ref, n }) => `${ref} ${n}`));
  const made = Map.groupBy(receiver.members.values(), ({ ref }) => ref);
  const lostDeliveries = count("lost deliveries", [
    ...[...sent.orders].flatMap(([key, last]) => Array.from({ length: last }, (_, index) => `${key} ${index + 1}`)).filter((name) => !arrivedNotes.has(name)),
    ...[...newest].map(([key, v]) => `${key} ${v}`).filter((name) => !arrivedHooks.has(name)),
    ...[...new Set(sent.hints.map(({ member }) => member))].filter((member) => !made.get(member)?.some(({ v }) => v === provider.members.get(member))).map((member) => `${member} is ${made.get(member)?.[0]?.v ?? "not there"} at the receiver instead of ${provider.members.get(member)}`),
  ]);

  const states = Map.groupBy(receiver.arrived.filter(({ id }) => id !== undefined), ({ what, ref, n }) => `${what} ${ref} ${n}`);
  const duplicatedDeliveries = count("duplicated deliveries", [
    ...[...states].map(([name, all]) => [name, new Set(all.map(({ id }) => id)).size] as const).filter(([, size]) => size > 1).map(([name, size]) => `${name} came under ${size} ids`),
    ...[...made].filter(([, all]) => all.length > 1).map(([ref, all]) => `${ref} was made ${all.length} times`),
  ]);
  const lines = Map.groupBy(receiver.arrived, ({ what, ref }: Arrived) => `${what === "update" ? "create" : what} ${ref}`);
  const outOfOrder = count("out of order", [...lines].flatMap(([name, all]) => all.flatMap(({ n }, index) => (index > 0 && n < all[index - 1]!.n ? [`${name}: ${n} after ${all[index - 1]!.n}`] : []))));
  const unread = count("not read after its hint", sent.hints.filter(({ member, since }) => !provider.reads.get(member)?.some((at) => at >= since)).map(({ member }) => member));

  const open = await rows<{ status: string; flow: string; reason: string | null }>("select status, flow, reason from plugboard.deliveries where status not in ('delivered', 'unchanged')");
  const unresolved = count("unresolved", open.map(({ status, flow, reason }) => `${flow} ${status}: ${reason}`));
  const sentOfFirstLoad = count("sent of the first load", receiver.arrived.filter(({ ref }) => ref.startsWith(OLD)).map(({ ref }) => ref));
  const balance = await rows<{ flow: string; trigger: string }>("select flow, trigger from plugboard.runs where read <> created + updated + unchanged + superseded + deleted + filtered + quarantined");
  return {
    lostEvents: lostEvents + uncounted, lostDeliveries, duplicatedEvents, duplicatedDeliveries, outOfOrder, unread, unresolved, sentOfFirstLoad, wrong: count("wrong", receiver.wrong),
    unbalanced: count("unbalanced", balance.map(({ flow, trigger }) => `${flow} (${trigger})`)), evidence,
  };
}

/** What must be zero when the storm is over and everything has settled. */
export function violationsOf(findings: PushFindings): string[] {
  const { evidence: _, ...counts } = findings;
  return Object.entries(counts).filter(([, found]) => found > 0).map(([name, found]) => `${name}: ${found}`);
}
