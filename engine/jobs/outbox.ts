/**
 * From changes of rows to deliveries. One transaction takes changes away and writes what they make leave, minted values and all: it
 * commits as a whole or not at all, so nothing is made twice and nothing is forgotten. Nothing is sent here.
 */
import { randomBytes } from "node:crypto";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { JsonObject } from "../manifest/types.ts";
import type { ChangeFlowPlan, ChangeTarget, TenantPlan } from "../plan/types.ts";
import { compileChangeFlow, type ChangeSeen, type CompiledChangeFlow, type FindRow, type MappedChange } from "../run/change-flow.ts";
import {
  addDeliveries, type addDelivery, changeFlowStates, currentRevision, type Database, type DeliveryKind, type DeliveryPayload, doneWithChanges, findReferenced, type Keyring, linkedKeys, type MintedToken, newDeliveryId, type NewDelivery,
  type RowChange, takeChanges, type TenantTransaction, withTenant,
} from "../store/index.ts";
import type { PlanCache } from "./execute-run.ts";
import { type WebhookEvent, webhookType } from "./outgoing-webhook.ts";

/** Steps at which the fault rig stops a worker, or kills it. */
export type DeliveryPoint = "changes_taken" | "outbox_written" | "outbox_committed" | "claimed" | "attempt_begun" | "before_send" | "after_send" | "before_mark" | "after_mark";
export type DeliveryProbe = (point: DeliveryPoint) => void | Promise<void>;

export interface OutboxOptions {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly plans: PlanCache;
  readonly probe?: DeliveryProbe;
  /** Puts a delivery into the outbox. The fault rig gives one that is wrong. @default the store's */
  readonly add?: typeof addDelivery;
}

/** Changes of one transaction. */
const BATCH = 100;
/** How soon a missing reference is looked for again; seconds. */
export const REFERENCE_AGAIN_SECONDS = 30;

/** @returns changes that were taken; undefined while another process is at this tenant's. */
export async function fillOutbox(options: OutboxOptions, tenant: string): Promise<{ readonly changes: number; readonly deliveries: number } | undefined> {
  const { db, probe } = options;
  const filled = await withTenant(db, tenant, async (tx) => {
    const changes = await takeChanges(tx, BATCH);
    if (changes === undefined) return undefined;
    await probe?.("changes_taken");
    const revision = changes.length === 0 ? undefined : await currentRevision(tx, tenant);
    let deliveries = 0;
    // Without a configuration in force nobody wants to know.
    if (revision !== undefined) {
      const plan = await options.plans.read(tenant, revision);
      const since = new Map((await changeFlowStates(tx, tenant)).map((state) => [state.flow, state]));
      const [sealer, links] = [await options.keyring.of(tx), await linkedKeys(tx, [...new Set(changes.map(({ row }) => row))])];
      const all: NewDelivery[] = [];
      for (const change of changes) {
        for (const flow of flowsOf(plan, change)) {
          const state = since.get(flow.name);
          const concerns = change.flow !== undefined || (state !== undefined && state.enabled && state.enabledAt <= change.at);
          const made = concerns ? await make(tx, { plan, revision, flow, change, links: { ...links.get(change.row), ...change.links } }) : undefined;
          if (made === undefined) continue;
          if (options.add === undefined) all.push(made);
          else if (await options.add(tx, sealer, made)) deliveries++;
        }
      }
      deliveries += await addDeliveries(tx, sealer, all);
    }
    await doneWithChanges(tx, changes);
    await probe?.("outbox_written");
    return { changes: changes.length, deliveries };
  });
  if (filled !== undefined && filled.changes > 0) await probe?.("outbox_committed");
  return filled;
}

const flowsOf = (plan: TenantPlan, change: RowChange): ChangeFlowPlan[] =>
  Object.values(plan.change_flows ?? {}).filter((flow) => flow.enabled && flow.entity === change.entity && (change.flow === undefined || change.flow === flow.name));

interface Concern { readonly plan: TenantPlan; readonly revision: string; readonly flow: ChangeFlowPlan; readonly change: RowChange; readonly links: Readonly<Record<string, string>> }

/** Undefined: the flow does not fire. */
async function make(tx: TenantTransaction, { plan, revision, flow, change, links }: Concern): Promise<NewDelivery | undefined> {
  const seen: ChangeSeen = { id: change.row, links, ...(change.before === undefined ? {} : { before: change.before }), ...(change.after === undefined ? {} : { after: change.after }) };
  const made: Omit<NewDelivery, "status" | "payload" | "tokens"> = { id: newDeliveryId(), flow: flow.name, change, revision, ...targetOf(flow.to, change) };
  const { id: _, ...frozen } = seen;
  try {
    const compiled = compiledFlow(plan, flow);
    const fires = await compiled.fires(seen);
    if (fires === false) return undefined;
    if (fires !== true) return { ...made, status: "failed", payload: { ...frozen, minted: {}, undecided: true }, tokens: [], code: fires.code, reason: fires.reason };
    const { minted, tokens } = await mint(compiled, seen);
    const payload: DeliveryPayload = { ...frozen, minted };
    const mapped = await mapPayload(compiled, seen, payload, tenantFacts(plan, change), finderIn(tx));
    return { ...made, tokens, ...standing(mapped, flow) };
  } catch (thrown) {
    // A flow that cannot be compiled costs its own deliveries: they are kept, and replayed once it was mended.
    if (!(thrown instanceof PlugboardError) || thrown.code.startsWith("STORE_")) throw thrown;
    return { ...made, status: "failed", payload: { ...frozen, minted: {}, undecided: true }, tokens: [], code: "MAPPING_EVALUATION", reason: thrown.message };
  }
}

export interface TenantFacts { readonly tenant: string; readonly entity: string; /** ISO instant. */ readonly changedAt: string }
const tenantFacts = (plan: TenantPlan, change: RowChange): TenantFacts => ({ tenant: plan.tenant.id, entity: change.entity, changedAt: new Date(change.at).toISOString() });

/** The input, and of a webhook the body to the letter; or why there is none. */
export async function mapPayload(compiled: CompiledChangeFlow, seen: ChangeSeen, payload: DeliveryPayload, facts: TenantFacts, find: FindRow): Promise<{ readonly payload: DeliveryPayload } | (Exclude<MappedChange, { input: JsonObject }> & { readonly payload: DeliveryPayload })> {
  const { plan: flow } = compiled;
  // A record that is deleted there needs no input.
  if (seen.after === undefined && "save" in flow.to) return { payload };
  const mapped = await compiled.map(seen, payload.minted, find);
  if (!("input" in mapped)) return { ...mapped, payload };
  if (!("webhook" in flow.to)) return { payload: { ...payload, input: mapped.input } };
  const data = flow.map === undefined ? { id: seen.id, ...mapped.input } : mapped.input;
  const event: WebhookEvent = { type: webhookType(facts.entity, seen), timestamp: facts.changedAt, tenant: facts.tenant, flow: flow.name, data };
  return { payload: { ...payload, input: mapped.input, body: JSON.stringify(event) } };
}

function standing(mapped: Awaited<ReturnType<typeof mapPayload>>, flow: ChangeFlowPlan): Pick<NewDelivery, "status" | "payload"> & Partial<NewDelivery> {
  const { payload } = mapped;
  const hold = flow.hold_for === undefined ? {} : { holdRole: flow.hold_for };
  if ("failed" in mapped) return { status: "failed", payload, code: mapped.failed.code, reason: mapped.failed.reason };
  if ("missing" in mapped) return { status: "waiting", payload, ...hold, ...missingReason(mapped.missing), inSeconds: REFERENCE_AGAIN_SECONDS };
  return { status: flow.hold_for === undefined ? "queued" : "held", payload, ...hold };
}

export const missingReason = (missing: { readonly field: string; readonly entity: string; readonly key: string }): { readonly code: "DELIVERY_REFERENCE"; readonly reason: string } =>
  ({ code: "DELIVERY_REFERENCE", reason: new PlugboardError("DELIVERY_REFERENCE", missing).message });

/** Made once for a delivery, wherever that is first possible. */
export async function mint(compiled: CompiledChangeFlow, seen: ChangeSeen): Promise<{ minted: Record<string, string>; tokens: MintedToken[] }> {
  const made = (await compiled.mints(seen)).map((value) => ({ ...value, token: randomBytes(32).toString("base64url") }));
  return {
    minted: Object.fromEntries(made.map(({ name, token }) => [name, token])),
    tokens: made.map(({ token, kind, about, validSeconds }) => ({ token, kind, ...(about === undefined ? {} : { about }), ...(validSeconds === undefined ? {} : { validSeconds }) })),
  };
}

/** What stands in for a minted value where nothing is sent. */
export const standIn = (name: string): string => `stand-in-for-${name}`;

function targetOf(to: ChangeTarget, change: RowChange): { readonly kind: DeliveryKind; readonly target: string; readonly operation: string } {
  if ("webhook" in to) return { kind: "webhook", target: to.webhook, operation: webhookType(change.entity, change) };
  return "action" in to ? { kind: "action", target: to.connection, operation: to.action } : { kind: "save", target: to.connection, operation: to.save };
}

export const finderIn = (tx: TenantTransaction): FindRow => (entity, key, connections) => findReferenced(tx, entity, key, connections);

const compiledFlows = new WeakMap<ChangeFlowPlan, CompiledChangeFlow>();

/** A worker keeps the plans it has read: their flows are compiled once. */
export function compiledFlow(plan: TenantPlan, flow: ChangeFlowPlan): CompiledChangeFlow {
  let compiled = compiledFlows.get(flow);
  if (compiled === undefined) compiledFlows.set(flow, compiled = compileChangeFlow(flow, plan));
  return compiled;
}
