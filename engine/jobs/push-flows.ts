/** Flows of a connection's stream as pushed records need them: compiled once per plan, written on the way of pulled pages. */
import { toDecimalSeconds, parseInstant } from "../components/shared/instant.ts";
import type { Variables } from "../components/kinds.ts";
import type { Json } from "../manifest/types.ts";
import type { FlowPlan, StreamPlan, TenantPlan } from "../plan/types.ts";
import { compileCursor } from "../run/fetch-page.ts";
import { compileMapper, type PageMapper } from "../run/map-page.ts";
import type { QuarantinedRecord } from "../run/ports.ts";
import { type Keyring, type PushedPage, type PushRuns, type PushTarget, type TenantTransaction, writePush } from "../store/index.ts";

export interface PushFlow {
  readonly plan: FlowPlan;
  readonly stream: StreamPlan;
  readonly map: PageMapper;
  readonly target: Omit<PushTarget, "cause" | "revision">;
  /** Whether an instant can be compared with the versions of its records. */
  readonly versionIsInstant: boolean;
}

const compiled = new WeakMap<TenantPlan, Map<string, readonly PushFlow[]>>();

/** The enabled flows that store a stream's records. */
export function pushFlows(plan: TenantPlan, connection: string, stream: string): readonly PushFlow[] {
  const ofPlan = compiled.get(plan) ?? new Map<string, readonly PushFlow[]>();
  compiled.set(plan, ofPlan);
  const name = JSON.stringify([connection, stream]);
  const known = ofPlan.get(name);
  if (known !== undefined) return known;
  const flows = Object.values(plan.flows).flatMap((flow): PushFlow[] => {
    const [streamPlan, entity] = [plan.connectors[flow.connector]?.streams[flow.stream], plan.entities[flow.to.entity]];
    if (!flow.enabled || flow.connection !== connection || flow.stream !== stream || streamPlan === undefined || entity === undefined) return [];
    const cursor = compileCursor(streamPlan, stream);
    return [{
      plan: flow, stream: streamPlan, map: compileMapper(flow.to.entity, streamPlan, stream, flow.map, entity, cursor), versionIsInstant: streamPlan.version === undefined && cursor !== undefined,
      target: { connection, flow: flow.name, stream, entity: flow.to.entity, entityPlan: entity, labels: flow.labels },
    }];
  });
  ofPlan.set(name, flows);
  return flows;
}

/** What is to be written of one record, in the order in which it came. */
export interface Push { readonly key?: string; readonly record?: Json; readonly deleted: boolean; /** ISO instant: when it ended. */ readonly at?: string }

/** What became of a push, by flow. */
export type Written = "stored" | "deleted" | "filtered" | "quarantined";

type Page = { -readonly [Key in keyof PushedPage]: PushedPage[Key] } & { records: PushedPage["records"][number][]; dropped: string[]; gone: string[]; quarantined: QuarantinedRecord[]; versions: Record<string, string>; filtered: number };

/**
 * Maps and writes pushes of one flow. A page holds each key once: what came later of the same key goes on the next page, and
 * older versions lose to newer ones wherever they meet.
 */
export async function writePushes(tx: TenantTransaction, keyring: Keyring, runs: PushRuns, flow: PushFlow, pushes: readonly Push[], context: { readonly revision: string; readonly cause: PushTarget["cause"]; readonly variables: Variables; readonly as_of?: string; readonly requests?: number }): Promise<Written[]> {
  const { revision, cause, variables, as_of } = context;
  const sealer = await keyring.of(tx);
  const target: PushTarget = { ...flow.target, revision, cause };
  const empty = (): Page => ({ records: [], dropped: [], gone: [], quarantined: [], filtered: 0, versions: {}, ...(as_of === undefined ? {} : { as_of }) });
  let page = empty();
  let keys = new Set<string>();
  let requests = context.requests ?? 0;
  const write = async (): Promise<void> => {
    if (keys.size + page.filtered + page.quarantined.length === 0) return;
    await writePush(tx, sealer, runs, target, { ...page, requests });
    requests = 0;
    page = empty();
    keys = new Set();
  };
  const written: Written[] = [];
  for (const push of pushes) {
    if (push.deleted) {
      const key = push.key ?? (push.record === undefined ? undefined : (await flow.map([push.record], variables)).seen[0]);
      if (key === undefined) { written.push("filtered"); page.filtered += 1; continue; }
      if (keys.has(key)) await write();
      keys.add(key);
      page.gone.push(key);
      if (push.at !== undefined && flow.versionIsInstant) page.versions[key] = toDecimalSeconds(parseInstant(push.at)!);
      written.push("deleted");
      continue;
    }
    const mapped = await flow.map([push.record], { ...variables, select: flow.plan.select.length === 0 ? undefined : flow.plan.select, with: flow.stream.with });
    const [key] = mapped.seen;
    if (key !== undefined) {
      if (keys.has(key)) await write();
      keys.add(key);
    }
    page.records.push(...mapped.records);
    page.quarantined.push(...mapped.quarantined);
    page.dropped.push(...mapped.dropped);
    page.filtered += mapped.filtered;
    Object.assign(page.versions, mapped.versions);
    written.push(mapped.records.length > 0 ? "stored" : mapped.quarantined.length > 0 ? "quarantined" : "filtered");
  }
  await write();
  return written;
}
