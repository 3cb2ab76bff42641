/**
 * What a change does to data: the records that were read last, run through the mapping as it is and as it would be. Nothing
 * is stored and nothing is asked of a provider.
 */
import { setImmediate } from "node:timers/promises";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { Json, JsonObject } from "../../engine/manifest/types.ts";
import type { TenantPlan } from "../../engine/plan/index.ts";
import { compileMapper, type MappedPage } from "../../engine/run/map-page.ts";
import { effectiveConfig, withoutSecrets } from "../../engine/run/variables.ts";
import { describeConnection, newestRaw, type Database, type Keyring } from "../../engine/store/index.ts";

/** Records of one flow that are looked at, flows over all tenants, and records of all of them, at most: a review must not become a sync. */
const MAX_RECORDS = 200;
const MAX_FLOWS = 60;
const MAX_RECORDS_OF_ALL = 6000;
const MAX_SAMPLES = 5;
/** Seconds for all of it; what was not looked at by then is said. */
const MAX_SECONDS = 20;

export interface Sample {
  readonly key: string;
  readonly outcome: "newly_invalid" | "newly_filtered" | "newly_valid" | "newly_kept" | "changed";
  readonly before?: JsonObject;
  readonly after?: JsonObject;
  /** Why it is refused. */
  readonly reason?: string;
}

export interface FlowEffect {
  readonly tenant: string;
  readonly flow: string;
  /** `aptem.users` → `learner` */
  readonly stream: string;
  readonly entity: string;
  readonly looked_at: number;
  readonly newly_invalid: number;
  readonly newly_filtered: number;
  readonly newly_valid: number;
  readonly newly_kept: number;
  readonly changed: number;
  /** Field → records in which it differs. */
  readonly fields: Readonly<Record<string, number>>;
  /** Why records would be refused, most first. */
  readonly reasons: readonly { readonly reason: string; readonly records: number }[];
  readonly samples: readonly Sample[];
  /** Why it says less than it could. */
  readonly note?: string;
}

export interface DataEffect { readonly flows: readonly FlowEffect[]; /** Flows that were not looked at: too many, or no time. */ readonly left_out: number; /** Records of each that were looked at, at most: fewer when there are many flows. */ readonly records_each: number }

type Plans = ReadonlyMap<string, TenantPlan>;

export async function dataEffect({ db, keyring }: { readonly db: Database; readonly keyring: Keyring }, before: Plans, after: Plans, { samples = MAX_SAMPLES } = {}): Promise<DataEffect> {
  const wanted = [...after].flatMap(([tenant, plan]) => { const old = before.get(tenant); return old && old !== plan ? affectedFlows(old, plan).map((flow) => ({ tenant, old, plan, flow })) : []; });
  const flows: FlowEffect[] = [];
  const until = Date.now() + MAX_SECONDS * 1000;
  const chosen = spread(wanted, MAX_FLOWS);
  const most = Math.min(MAX_RECORDS, Math.floor(MAX_RECORDS_OF_ALL / Math.max(1, chosen.length)));
  for (const { tenant, old, plan, flow } of chosen) {
    if (Date.now() > until) break;
    flows.push(await effectOnFlow(db, keyring, tenant, old, plan, flow, samples, most));
    await setImmediate();
  }
  return { flows: flows.toSorted((a, b) => b.newly_invalid - a.newly_invalid || b.changed - a.changed), left_out: wanted.length - flows.length, records_each: most };
}

/** Of very many, some from everywhere: the first ones would be one kind of customer. */
const spread = <Value>(all: readonly Value[], most: number): readonly Value[] => all.length <= most ? all : Array.from({ length: most }, (_, index) => all[Math.floor((index * all.length) / most)]!);

/** Flows that read and write as before, and make something else of it. */
function affectedFlows(before: TenantPlan, after: TenantPlan): string[] {
  const text = (plan: TenantPlan, name: string): string => {
    const flow = plan.flows[name]!;
    const stream = plan.connectors[flow.connector]?.streams[flow.stream];
    return JSON.stringify([flow.map?.fields, flow.map?.where, plan.entities[flow.to.entity]?.schema, stream?.types, stream?.key, stream?.with, plan.inputs]);
  };
  return Object.keys(after.flows).filter((name) => {
    const [old, now] = [before.flows[name], after.flows[name]!];
    return old !== undefined && old.connection === now.connection && old.stream === now.stream && old.to.entity === now.to.entity && text(before, name) !== text(after, name);
  });
}

async function effectOnFlow(db: Database, keyring: Keyring, tenant: string, before: TenantPlan, after: TenantPlan, name: string, samples: number, most: number): Promise<FlowEffect> {
  const flow = after.flows[name]!;
  const empty = { tenant, flow: name, stream: `${flow.connection}.${flow.stream}`, entity: flow.to.entity, looked_at: 0, newly_invalid: 0, newly_filtered: 0, newly_valid: 0, newly_kept: 0, changed: 0, fields: {}, reasons: [], samples: [] };
  let raws: readonly Json[];
  try {
    raws = await newestRaw(db, keyring, tenant, { connection: flow.connection, stream: flow.stream, entity: flow.to.entity }, most);
  } catch (thrown) {
    if (thrown instanceof PlugboardError && thrown.code === "PLAN_UNKNOWN_TENANT") return { ...empty, note: "nothing is stored for this tenant yet" };
    throw thrown;
  }
  if (raws.length === 0) return { ...empty, note: "no record of it is kept as it was sent" };
  const asked = flow.select.filter((field) => !before.flows[name]!.select.includes(field));
  const note = asked.length === 0 || before.flows[name]!.select.length === 0 ? undefined : `it now asks for ${asked.slice(0, 5).join(", ")}: records read before lack ${asked.length === 1 ? "it" : "them"} until everything is read again`;
  const [was, is] = [await mapper(db, before, name), await mapper(db, after, name)];
  const counts = { newly_invalid: 0, newly_filtered: 0, newly_valid: 0, newly_kept: 0, changed: 0 };
  const fields = new Map<string, number>();
  const reasons = new Map<string, number>();
  const found: Sample[] = [];
  for (const raw of raws) {
    const [old, now] = [outcomeOf(await was([raw])), outcomeOf(await is([raw]))];
    const outcome = compare(old, now);
    if (outcome === undefined) continue;
    counts[outcome]++;
    if (outcome === "newly_invalid") reasons.set(now.reason!, (reasons.get(now.reason!) ?? 0) + 1);
    if (outcome === "changed") for (const field of differingFields(old.data!, now.data!)) fields.set(field, (fields.get(field) ?? 0) + 1);
    found.push({ key: now.key ?? old.key ?? "", outcome, ...(old.data === undefined ? {} : { before: old.data }), ...(now.data === undefined ? {} : { after: now.data }), ...(now.reason === undefined ? {} : { reason: now.reason }) });
  }
  const byCount = (counted: ReadonlyMap<string, number>) => [...counted].toSorted(([, a], [, b]) => b - a);
  return {
    ...empty, ...counts, looked_at: raws.length, fields: Object.fromEntries(byCount(fields)), reasons: byCount(reasons).slice(0, MAX_SAMPLES).map(([reason, records]) => ({ reason, records })),
    samples: found.toSorted((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome)).slice(0, samples), ...(note === undefined ? {} : { note }),
  };
}

const ORDER: readonly Sample["outcome"][] = ["newly_invalid", "newly_filtered", "changed", "newly_kept", "newly_valid"];

/** The flow's mapping, with what its expressions may name. */
async function mapper(db: Database, plan: TenantPlan, name: string): Promise<(raws: readonly Json[]) => Promise<MappedPage>> {
  const flow = plan.flows[name]!;
  const connector = plan.connectors[flow.connector]!;
  const stream = connector.streams[flow.stream]!;
  const map = compileMapper(flow.to.entity, stream, flow.stream, flow.map, plan.entities[flow.to.entity], undefined);
  const entered = await describeConnection(db, plan.tenant.id, flow.connection);
  const now = Date.now();
  const variables = withoutSecrets(connector, {
    config: effectiveConfig(connector, plan.connections[flow.connection], entered?.config ?? {}), account: entered?.account, tenant: plan.tenant, inputs: plan.inputs,
    connection: { id: flow.connection }, with: stream.with, now, run: { id: "plan", started_at: new Date(now).toISOString(), mode: "full" },
  });
  return (raws) => map(raws, variables);
}

interface Outcome { readonly is: "stored" | "filtered" | "invalid"; readonly key?: string; readonly data?: JsonObject; readonly reason?: string }

function outcomeOf({ records, quarantined, seen }: MappedPage): Outcome {
  const key = seen[0] === undefined ? {} : { key: seen[0] };
  if (records[0]) return { is: "stored", ...key, data: records[0].data };
  if (quarantined[0]) return { is: "invalid", ...key, reason: quarantined[0].reason };
  return { is: "filtered", ...key };
}

function compare(old: Outcome, now: Outcome): Sample["outcome"] | undefined {
  if (old.is === "stored" && now.is === "stored") return differingFields(old.data!, now.data!).length > 0 ? "changed" : undefined;
  if (old.is === now.is) return undefined;
  if (now.is === "invalid") return "newly_invalid";
  if (now.is === "filtered") return "newly_filtered";
  return old.is === "invalid" ? "newly_valid" : "newly_kept";
}

/** Dotted: `custom.division`. */
function differingFields(a: JsonObject, b: JsonObject, under = ""): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) => {
    const [old, now] = [a[key], b[key]];
    // A map that comes or goes is told by its members.
    if ((isMap(old) || isMap(now)) && (old === undefined || isMap(old)) && (now === undefined || isMap(now))) return differingFields(old ?? {}, now ?? {}, `${under}${key}.`);
    return JSON.stringify(old) === JSON.stringify(now) ? [] : [under + key];
  });
}

const isMap = (value: Json | undefined): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value);
