/**
 * One delivery from its claim to its mark. Whatever happens in between, it ends in a state from which something goes on: done,
 * refused, tried again later, waiting for a person, or, when this worker is lost, with a lease that runs out.
 *
 * An outcome that nobody knows is never taken for a failure: it is looked up, sent again where that is harmless, or kept for a
 * person, as the action's `once` says.
 */
import { randomUUID } from "node:crypto";
import type { Buckets, Transport } from "../components/kinds.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { Json } from "../manifest/types.ts";
import { saveAction, savesOf } from "../plan/saves.ts";
import type { ActionPlan, ChangeFlowPlan, ConnectionPlan, ConnectorPlan, TenantPlan } from "../plan/types.ts";
import { inputFor } from "../run/compile-action.ts";
import type { findEffect } from "../run/find-effect.ts";
import type { OnePorts, SeenExchange } from "../run/one-request.ts";
import { isHarmless, type ActionRequest, type ItemResult, type performAction } from "../run/perform-action.ts";
import type { Clock, ConnectionValues } from "../run/ports.ts";
import { live } from "../run/redact.ts";
import {
  acknowledge, type Acknowledged, type ArrivedDelivery, type AttemptBegun, type AttemptEnd, beginBatch, type Beginning, breakerOf, type ClaimedDelivery, type Database, deliveryKey, endProbe, findReferenced, inputHash, keepClaims, type Keyring,
  markOutcome, type MintedToken, newerSent, noReferences, noteFailure, noteSuccess, openOutgoingEndpoint, type Outcome, putOff, readConnectionValues, readLink, recall, recentDeliveries, type ReferenceResolver, setConnectionStatus, switchOutgoingEndpoint, type TenantTransaction, tokenStore, withTenant,
} from "../store/index.ts";
import { retryInSeconds } from "./delivery-schedule.ts";
import type { PlanCache } from "./execute-run.ts";
import { fencedTransport, type FencedTransport } from "./fenced-transport.ts";
import { compiledFlow, type DeliveryProbe, finderIn, mapPayload, mint, missingReason, REFERENCE_AGAIN_SECONDS } from "./outbox.ts";
import { sendWebhook, type WebhookResult } from "./outgoing-webhook.ts";
import type { Together } from "./together.ts";
import { settleUnknown } from "./unknown-outcome.ts";
import type { ValuesCache } from "./values-cache.ts";

/** What carries out an action: the deliverer knows this, and nothing of requests. */
export interface Performer { readonly perform: typeof performAction; readonly find: typeof findEffect }

export interface DeliverOptions {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly references?: ReferenceResolver;
  readonly plans: PlanCache;
  readonly transport: Transport;
  readonly buckets: Buckets;
  readonly clock: Clock;
  readonly performer: Performer;
  /** What several deliveries ask of the database at the same time is done for all of them at once. */
  readonly beginning: Together<Beginning, AttemptBegun | undefined>;
  readonly arriving: Together<ArrivedDelivery, undefined>;
  /** Targets that this worker found to fail: breaker → when, and until when they are left alone, by the process's own clock. */
  readonly leftAlone: Map<string, { readonly at: number; readonly until: number; readonly reason: string }>;
  /** By the same clock: what was found out later, the claim did not know. */
  readonly claimedAt: number;
  /** Values of connections, for as long as this worker trusts them. */
  readonly values: ValuesCache;
  /** Names this worker, for people. */
  readonly owner: string;
  readonly leaseSeconds: number;
  /** Deliveries of one row in an hour beyond which the next `save` is held. */
  readonly loopLimit: number;
  readonly probe?: DeliveryProbe;
  onError(cause: Error): void;
}

/** How long a missing reference is waited for. */
const REFERENCE_SECONDS = 3600;
/** How soon a target that is disabled, or not connected, is looked at again. */
const TARGET_AGAIN_SECONDS = 600;
/** A delivery that waited so long for its target is given up. */
const LONGEST_WAIT_SECONDS = 30 * 86_400;
const HEARTBEAT_SHARE = 4;

/** A worker that lost its delivery: nothing more is sent, and nothing is said. */
class NotOurs extends Error { override readonly name = "NotOurs"; }

/** Most inputs of the request that a delivery is sent in. Undefined: none of the tenant's actions takes several. */
export async function batchOf({ plans }: Pick<DeliverOptions, "plans">, tenant: string, revision: string | undefined): Promise<((delivery: ClaimedDelivery) => number) | undefined> {
  const plan = revision === undefined ? undefined : await plans.read(tenant, revision);
  if (!Object.values(plan?.connectors ?? {}).some(({ actions }) => Object.values(actions ?? {}).some(({ batch }) => (batch ?? 1) > 1))) return undefined;
  return ({ kind, target, operation, payload, unsure, batch }) => {
    if (kind !== "action" || payload.input === undefined || (unsure && batch === undefined)) return 1;
    return plan?.connectors[plan.connections[target]?.connector ?? ""]?.actions?.[operation]?.batch ?? 1;
  };
}

/**
 * @param claimed one; or those that are sent together, in their order.
 * @returns how many deliveries it settled.
 */
export async function deliver(options: DeliverOptions, claimed: readonly ClaimedDelivery[], signal: AbortSignal): Promise<number> {
  await options.probe?.("claimed");
  const attempt = new DeliveryWork(options, claimed, signal);
  try {
    return await attempt.work();
  } catch (thrown) {
    if (thrown instanceof NotOurs) return 0;
    throw thrown;
  }
}

interface Target { readonly connector: ConnectorPlan; readonly planned: ConnectionPlan; readonly values: ConnectionValues }

class DeliveryWork {
  readonly #options: DeliverOptions;
  readonly #signal: AbortSignal;
  readonly #first: ClaimedDelivery;
  #all: ClaimedDelivery[];
  #plan!: TenantPlan;
  /** When the database last said that they are ours; by the process's own clock. */
  #confirmed = -Infinity;
  /** Its target was left alone, and this is the one that tries. */
  #probing = false;

  constructor(options: DeliverOptions, claimed: readonly ClaimedDelivery[], signal: AbortSignal) {
    this.#options = options;
    this.#first = claimed[0]!;
    this.#all = [...claimed];
    this.#signal = signal;
  }

  async work(): Promise<number> {
    const { tenant, kind, payload, inForce, breaker: asked } = this.#first;
    const found = this.#options.leftAlone.get(this.#alone);
    const wait = found === undefined || asked.is !== "closed" || found.at < this.#options.claimedAt ? 0 : (found.until - performance.now()) / 1000;
    const breaker = wait > 0 ? { is: "open", wait, reason: found!.reason } as const : asked;
    this.#probing = breaker.is === "probe";
    if (inForce === undefined) return this.#wait("the configuration in force does not name the tenant");
    this.#plan = await this.#options.plans.read(tenant, inForce);
    const ended = payload.after === undefined && kind === "save";
    if (payload.input === undefined && !ended) return this.#map();
    if (breaker.is === "open") return this.#putOff(breaker.wait, `${this.#targetName} fails again and again (${breaker.reason}); one delivery tries it every now and then`);
    return kind === "webhook" ? this.#webhook() : this.#action();
  }

  // ── before anything is sent ─────────────────────────────────────────────────────────────────────────────────────

  /** What waited for a reference, or is replayed after its mapping failed, gets its input now. */
  async #map(): Promise<number> {
    const { tenant, payload, created_at, row, flow: name, entity } = this.#first;
    const flow: ChangeFlowPlan | undefined = this.#plan.change_flows?.[name];
    if (flow === undefined) return this.#cancel(`Flow '${name}'`);
    const seen = { id: row, links: payload.links, ...(payload.before === undefined ? {} : { before: payload.before }), ...(payload.after === undefined ? {} : { after: payload.after }) };
    const compiled = compiledFlow(this.#plan, flow);
    let decided = payload;
    let tokens: readonly MintedToken[] = [];
    if (payload.undecided === true) {
      const fires = await compiled.fires(seen);
      if (fires === false) return this.#mark({ status: "cancelled", reason: "The flow does not fire upon this change." });
      if (fires !== true) return this.#mark({ status: "failed", code: fires.code, reason: fires.reason });
      const made = await mint(compiled, seen);
      const { undecided: _, ...rest } = payload;
      [decided, tokens] = [{ ...rest, minted: made.minted }, made.tokens];
    }
    const mapped = await this.#inTenant(async (tx) => mapPayload(compiled, seen, decided, { tenant, entity, changedAt: this.#first.changed_at }, finderIn(tx)));
    if ("failed" in mapped) return this.#mark({ status: "failed", code: mapped.failed.code, reason: mapped.failed.reason });
    if ("missing" in mapped) {
      const waited = (Date.now() - Date.parse(created_at)) / 1000;
      return this.#mark({ status: waited >= REFERENCE_SECONDS ? "failed" : "waiting", inSeconds: REFERENCE_AGAIN_SECONDS, ...missingReason(mapped.missing) });
    }
    const held = flow.hold_for !== undefined;
    return this.#mark({ status: held ? "held" : "queued", ...(held ? {} : { inSeconds: 0 }), payload: mapped.payload, tokens });
  }

  /** It keeps its place; no attempt is counted. One that has waited for a month is given up. */
  async #wait(reason: string, seconds = TARGET_AGAIN_SECONDS): Promise<number> {
    const error = new PlugboardError("DELIVERY_WAITS", { reason });
    const waited = (Date.now() - Date.parse(this.#first.created_at)) / 1000;
    if (waited > LONGEST_WAIT_SECONDS) return this.#mark({ status: "exhausted", code: "DELIVERY_EXHAUSTED", reason: new PlugboardError("DELIVERY_EXHAUSTED", { attempts: this.#first.attempts, reason }).message });
    return this.#mark({ status: this.#stillMaps ? "waiting" : "queued", inSeconds: seconds, code: error.code, reason: error.message, ...this.#kept });
  }

  /** The same for everything that goes there: the others need not find out one by one. */
  async #putOff(seconds: number, reason: string): Promise<number> {
    const marked = await this.#wait(reason, seconds);
    await this.#inTenant((tx) => putOff(tx, this.#first.kind, this.#first.target, seconds, new PlugboardError("DELIVERY_WAITS", { reason }).message));
    return marked;
  }

  #cancel(what: string): Promise<number> {
    return this.#mark({ status: "cancelled", code: "DELIVERY_TARGET", reason: new PlugboardError("DELIVERY_TARGET", { what }).message });
  }

  // ── an outgoing webhook ─────────────────────────────────────────────────────────────────────────────────────────

  async #webhook(): Promise<number> {
    const { db, keyring } = this.#options;
    const { tenant, target, payload, id } = this.#first;
    const endpoint = await openOutgoingEndpoint(db, keyring, tenant, target);
    if (endpoint === undefined) return this.#wait(new PlugboardError("DELIVERY_ENDPOINT", { name: target, state: "does not exist" }).message);
    if (!endpoint.enabled) return this.#wait(new PlugboardError("DELIVERY_ENDPOINT", { name: target, state: `is disabled: ${endpoint.disabledReason ?? "switched off"}` }).message);
    // Receivers echo what they were sent; a secret that one of them holds is not kept with its answer.
    for (const secret of endpoint.secrets) live.learn(secret, tenant);
    return this.#send({
      send: async (fenced, seen) => {
        const result = await sendWebhook({ id, body: payload.body ?? JSON.stringify(payload.input ?? {}), url: endpoint.url, secrets: endpoint.secrets }, fenced.transport, this.#options.clock.now(), this.#signal, (exchange) => seen.push(exchange));
        if (result.is === "gone") await switchOutgoingEndpoint(db, endpoint.owner, target, false, "It answered 410 Gone.");
        return result;
      },
    });
  }

  // ── an action, or a save ────────────────────────────────────────────────────────────────────────────────────────

  async #action(): Promise<number> {
    const { db, keyring, references } = this.#options;
    const { tenant, target: connection, kind } = this.#first;
    const planned = this.#plan.connections[connection];
    const connector = planned && this.#plan.connectors[planned.connector];
    if (planned === undefined || connector === undefined) return this.#cancel(`Connection '${connection}'`);
    if (!planned.enabled) return this.#wait(`connection '${connection}' is disabled in the configuration`);
    let values: ConnectionValues;
    try {
      values = await this.#options.values.read(this.#plan, connection, () => readConnectionValues(db, keyring, tenant, connection, connector, planned, references ?? noReferences));
    } catch (thrown) {
      if (!(thrown instanceof PlugboardError) || thrown.code === "STORE_UNREACHABLE" || thrown.code === "STORE_BUSY") throw thrown;
      return this.#putOff(TARGET_AGAIN_SECONDS, thrown.message);
    }
    // Entered anew: it may reach another account, and our keys mean nothing there.
    if (values.unproved === true && Object.values(connector.check?.named ?? {}).some(({ account }) => account !== undefined)) {
      return this.#putOff(TARGET_AGAIN_SECONDS, `the credential of connection '${connection}' was entered anew, and nobody has checked yet which account it reaches`);
    }
    const target: Target = { connector, planned, values };
    return kind === "save" ? this.#save(target) : this.#act(target, this.#first.operation);
  }

  async #save(target: Target): Promise<number> {
    const { chosen, chosenKey, operation: stream, payload, entity, row, flow: name, attempts } = this.#first;
    if (chosen !== undefined && attempts > 0) return this.#act(target, chosen, chosenKey);
    const looked = await this.#inTenant(async (tx) => {
      const link = await readLink(tx, { connection: this.#first.target, stream, entity, row });
      const flow = this.#plan.change_flows?.[name];
      // What the connection has is what we would send it if the row were as it says itself.
      const theirs = link.key === undefined || link.data === undefined || flow === undefined || payload.after === undefined ? undefined
        : await compiledFlow(this.#plan, flow).inputOf({ id: row, data: link.data, links: payload.links }, (...asked) => findReferenced(tx, ...asked));
      return { link, has: theirs === undefined ? link.inputHash : inputHash(theirs), recent: await recentDeliveries(tx, name, row), newer: await newerSent(tx, this.#first) };
    });
    const { link, has, recent, newer } = looked;
    if (newer !== undefined) return this.#mark({ status: "superseded", supersededBy: newer, reason: "A newer change of the row was saved before it: this one would take its place." });
    if (link.key !== undefined && payload.input !== undefined && has === inputHash(payload.input)) return this.#mark({ status: "unchanged", key: link.key, reason: "The connection has this already." });
    if (payload.after === undefined && link.key === undefined) return this.#mark({ status: "unchanged", reason: "The connection has no record of the row." });
    if (recent >= this.#options.loopLimit && !this.#first.letPass) {
      return this.#mark({ status: "held", code: "DELIVERY_LOOP", reason: new PlugboardError("DELIVERY_LOOP", { count: recent }).message });
    }
    const does = payload.after === undefined ? "deletes" : link.key === undefined ? "creates" : "updates";
    const action = saveAction(savesOf(target.connector, stream), { linked: link.key !== undefined, ended: payload.after === undefined });
    if (action === undefined) return this.#mark({ status: "failed", code: "DELIVERY_NOT_SAVED", reason: new PlugboardError("DELIVERY_NOT_SAVED", { connector: target.connector.id, does, stream }).message });
    return this.#act(target, action, link.key);
  }

  async #act(target: Target, name: string, key?: string): Promise<number> {
    const action = target.connector.actions?.[name];
    if (action === undefined) return this.#cancel(`Action '${this.#first.target}.${name}'`);
    let again = false;
    if (this.#first.unsure && this.#first.payload.accepted === undefined) {
      if (this.#all.length > 1 && settleUnknown(action.once, action.irreversible, this.#first.first_sent_at ?? this.#first.created_at, this.#options.clock.now()).by !== "sending_again") return this.#part();
      const settled = await this.#settled(target, action, name, key);
      if (settled === "marked") return 1;
      again = settled === "anew";
    }
    const batch = this.#first.batch ?? (this.#all.length > 1 ? randomUUID() : undefined);
    return this.#send({
      chosen: name, ...(key === undefined ? {} : { chosenKey: key }), ...(batch === undefined ? {} : { batch }),
      send: (fenced, seen) => this.#options.performer.perform(this.#ports(fenced, seen), this.#asked(target, action, name, key, again)),
    }, { action, ...(key === undefined ? {} : { key }) });
  }

  /** What became of each is looked up by itself. */
  async #part(): Promise<number> {
    return this.#mark({ status: "queued", inSeconds: 0, unsure: true, code: "DELIVERY_UNKNOWN", reason: "What was sent together is looked up one by one." });
  }

  /** An attempt whose end nobody saw. `marked`: what becomes of it is said; otherwise it is sent again, `anew` when no key of an earlier try counts any more. */
  async #settled(target: Target, action: ActionPlan, name: string, key: string | undefined): Promise<"marked" | "send" | "anew"> {
    const { clock } = this.#options;
    const { first_sent_at, last_sent_at, created_at } = this.#first;
    const since = first_sent_at ?? created_at;
    const way = settleUnknown(action.once, action.irreversible, since, clock.now());
    if (way.by === "sending_again") return isHarmless(action.once, { first_sent_at: since }, clock.now()) ? "send" : "anew";
    const personal = async (why: string): Promise<"marked"> => {
      await this.#mark({ status: "unknown", unsure: true, code: "DELIVERY_UNKNOWN", reason: `${this.#first.reason ?? "Its answer was lost."} ${why}`.trim() });
      return "marked";
    };
    if (way.by === "a_person") return personal(way.why);
    const seen: SeenExchange[] = [];
    const fenced = this.#fenced();
    const found = await this.#withHeartbeat(() => this.#options.performer.find(this.#ports(fenced, seen), this.#asked(target, action, name, key, false), last_sent_at ?? created_at));
    if (fenced.stopped !== undefined) throw fenced.stopped;
    switch (found.is) {
      case "absent": return "anew";
      case "cannot": return action.irreversible ? personal(found.reason) : "anew";
      case "later": case "auth": {
        const settling = found.is === "later" && found.after !== undefined;
        const inSeconds = settling ? found.after! / 1000 : retryInSeconds(this.#first.attemptsOfSchedule);
        if (inSeconds === undefined) return personal(found.reason);
        await this.#mark({ status: "queued", inSeconds, unsure: true, code: "DELIVERY_UNKNOWN", reason: `It is not known whether it arrived, and was not found out yet: ${found.reason}`, ...this.#kept });
        return "marked";
      }
      case "found":
        await this.#inTenant(async (tx) => {
          await this.#delivered(tx, this.#first, { key: found.key }, undefined, { action, ...(key === undefined ? {} : { key }) }, "It had arrived: what an earlier attempt made was found.");
          await this.#well(tx);
        });
        return "marked";
    }
  }

  /** @param again it did not arrive, or may arrive twice: what the provider knows of an earlier try does not count. */
  #asked(target: Target, action: ActionPlan, name: string, key: string | undefined, again: boolean): ActionRequest {
    const { tenant, inputs, labels } = this.#plan;
    const { id, key: own, batch, attempts, unsure, first_sent_at, payload } = this.#first;
    return {
      tenant: { id: tenant.id, title: tenant.title }, connection: this.#first.target, connector: target.connector, plan: target.planned, values: target.values, variables: { inputs, labels, ...payload.minted }, signal: this.#signal,
      action: name, inputs: this.#all.map((each) => inputFor(action, each.payload.input ?? {})), ...(key === undefined ? {} : { key }),
      delivery: {
        id: batch ?? id, key: this.#all.length === 1 ? own : deliveryKey(this.#all.map((each) => each.key)), attempt: attempts + 1,
        ...(first_sent_at === undefined || again || !unsure ? {} : { first_sent_at }), ...(payload.accepted === undefined ? {} : { accepted: payload.accepted }),
      },
    };
  }

  #ports(fenced: FencedTransport, seen: SeenExchange[]): OnePorts {
    const { db, keyring, buckets, clock } = this.#options;
    return { transport: fenced.transport, buckets, clock, token: tokenStore(db, keyring, this.#first.tenant, this.#first.target), log: () => {}, seen: (exchange) => seen.push(exchange) };
  }

  // ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #fenced(): FencedTransport {
    const { db, transport, leaseSeconds, probe } = this.#options;
    return fencedTransport(transport, async () => {
      // Nobody can have taken over what was ours a moment ago: a lease ends no earlier than it says. A worker that was stopped meanwhile asks.
      if (performance.now() - this.#confirmed > (leaseSeconds * 1000) / HEARTBEAT_SHARE && !await keepClaims(db, this.#all, leaseSeconds)) throw new NotOurs("taken over by another worker");
      await probe?.("before_send");
    });
  }

  async #send(how: { readonly chosen?: string; readonly chosenKey?: string; readonly batch?: string; send(fenced: FencedTransport, seen: SeenExchange[]): Promise<WebhookResult> }, acted?: Acted): Promise<number> {
    const { probe } = this.#options;
    const { chosen, chosenKey, batch } = how;
    const asked = performance.now();
    const begun = await this.#begin({ ...(batch === undefined ? {} : { batch }), ...(chosen === undefined ? {} : { chosen }), ...(chosenKey === undefined ? {} : { chosenKey }) });
    if (begun === undefined) throw new NotOurs("taken over before it was sent");
    this.#confirmed = asked;
    await probe?.("attempt_begun");
    const seen: SeenExchange[] = [];
    const fenced = this.#fenced();
    let result: WebhookResult;
    try {
      result = await this.#withHeartbeat(() => how.send(fenced, seen));
    } catch (thrown) {
      if (!(thrown instanceof PlugboardError) && !(thrown instanceof NotOurs)) this.#options.onError(thrown as Error);
      // A plan that cannot be compiled, or a bug of ours: what left may have arrived.
      const broken = thrown instanceof PlugboardError && (thrown.code.startsWith("MANIFEST_") || thrown.code === "RUN_REQUEST");
      result = { is: fenced.sent ? "unknown" : broken ? "refused" : "retry", reason: thrown instanceof PlugboardError ? thrown.message : `Plugboard itself failed (${(thrown as Error).name})` };
    }
    if (fenced.stopped !== undefined) throw fenced.stopped;
    this.#all = this.#all.map((each) => ({ ...each, attempts: each.attempts + 1, attemptsOfSchedule: each.attemptsOfSchedule + 1, ...(batch === undefined ? {} : { batch }) }));
    await probe?.("after_send");
    await this.#say(result, { fenced, seen }, begun, acted);
    return this.#all.length;
  }

  async #begin(what: Omit<Beginning, "delivery">): Promise<AttemptBegun[] | undefined> {
    const { db, beginning, owner, leaseSeconds } = this.#options;
    if (this.#all.length > 1) return beginBatch(db, this.#all.map((delivery) => ({ delivery, ...what })), { worker: owner, leaseSeconds });
    const begun = await beginning.add(this.#first.tenant, { delivery: this.#first, ...what });
    return begun && [begun];
  }

  /** Marks every delivery of the request with what became of it, and the target with how it did. */
  async #say(result: WebhookResult, { fenced, seen }: { readonly fenced: FencedTransport; readonly seen: readonly SeenExchange[] }, begun: readonly AttemptBegun[], acted: Acted | undefined): Promise<void> {
    const { probe } = this.#options;
    const reason = "reason" in result ? result.reason : "";
    await probe?.("before_mark");
    const attemptOf = (index: number): AttemptEnd => ({ id: begun[index]!.id, outcome: result.is === "gone" ? "refused" : result.is, exchange: { requests: seen as unknown as Json }, ...(fenced.status === undefined ? {} : { httpStatus: fenced.status }) });
    const [only] = result.is === "done" ? result.results : [];
    // What is said in one statement, and locks nothing that others wait for, is said together with others.
    if (this.#all.length === 1 && this.#first.kind !== "save" && only !== undefined && !("refused" in only) && !("unknown" in only)) {
      const { key, version } = only;
      await this.#options.arriving.add(this.#first.tenant, { delivery: this.#all[0]!, attempt: attemptOf(0), ...(key === undefined ? {} : { key }), ...(version === undefined ? {} : { version }) });
      this.#options.leftAlone.delete(this.#alone);
      await probe?.("after_mark");
      return;
    }
    let open: number | undefined;
    await this.#inTenant(async (tx) => {
      const failing = result.is === "retry" || result.is === "unknown" || result.is === "auth";
      // Before the breaker: whoever enters a connection locks them in this order.
      if (result.is === "auth") await setConnectionStatus(tx, this.#first.tenant, this.#first.target, "broken", { code: "AUTH_REFUSED", message: reason });
      open = failing ? await noteFailure(tx, this.#breaker, reason) : await this.#well(tx);
      const chance = Math.random();                          // what is sent together waits together
      for (const [index, delivery] of this.#all.entries()) {
        const attempt = attemptOf(index);
        if (result.is === "done") await this.#settle(tx, delivery, result.results[index], attempt, acted);
        else await markOutcome(tx, this.#options.keyring, delivery, this.#outcomeOf(delivery, result, reason, open, chance), attempt);
      }
    });
    if (open === undefined) this.#options.leftAlone.delete(this.#alone);
    else this.#options.leftAlone.set(this.#alone, { at: performance.now(), until: performance.now() + open * 1000, reason });
    await probe?.("after_mark");
  }

  /** One input's part of an answer. What the answer says nothing of is unknown, and goes on alone. */
  async #settle(tx: TenantTransaction, delivery: ClaimedDelivery, result: ItemResult | undefined, attempt: AttemptEnd, acted: Acted | undefined): Promise<void> {
    if (result === undefined || "unknown" in result) {
      const { batch: _, ...alone } = this.#again(delivery, "DELIVERY_UNKNOWN", result?.unknown ?? "the answer says nothing of it", undefined, true, Math.random());
      await markOutcome(tx, this.#options.keyring, delivery, alone, { ...attempt, outcome: "unknown" });
    } else if ("refused" in result) {
      const reason = new PlugboardError("DELIVERY_REFUSED", { target: this.#targetName, reason: result.refused }).message;
      await markOutcome(tx, this.#options.keyring, delivery, { status: "failed", code: "DELIVERY_REFUSED", reason }, { ...attempt, outcome: "refused" });
    } else {
      await this.#delivered(tx, delivery, result, attempt, acted);
    }
  }

  /** It arrived: what it was given is what the connection has now. */
  async #delivered(tx: TenantTransaction, delivery: ClaimedDelivery, { key, version }: { readonly key?: string; readonly version?: string }, attempt: AttemptEnd | undefined, acted: Acted | undefined, reason?: string): Promise<void> {
    const ours = await markOutcome(tx, this.#options.keyring, delivery, { status: "delivered", ...(reason === undefined ? {} : { reason }), ...(key === undefined ? {} : { key }), ...(version === undefined ? {} : { version }) }, attempt);
    if (!ours || delivery.kind !== "save" || acted === undefined) return;
    const { payload, entity, row, target: connection, id } = delivery;
    const known = key ?? acted.key;
    await acknowledge(tx, {
      connection, stream: acted.action.effect?.stream ?? delivery.operation, entity, row, delivery: id, ...(known === undefined ? {} : { key: known }), ...(version === undefined ? {} : { version }),
      ...(payload.after === undefined ? {} : { input: payload.input ?? {} }), ...this.#back(delivery, acted),
    });
  }

  /** The fields that the connection was given and brings back itself: both the mapping out and a flow in name them. */
  #back(delivery: ClaimedDelivery, acted: Acted): Pick<Acknowledged, "back"> {
    const { target, entity, payload, flow } = delivery;
    const stream = acted.action.effect?.stream;
    const inward = Object.values(this.#plan.flows).find((each) => each.enabled && each.connection === target && each.stream === stream && each.to.entity === entity);
    const plan = this.#plan.entities[entity];
    if (inward === undefined || plan === undefined) return {};
    const outward = this.#plan.change_flows?.[flow];
    const reads = outward && compiledFlow(this.#plan, outward).reads;
    const brings = inward.map && new Set(Object.keys(inward.map.fields).map((field) => field.split(".")[0]!));
    const given = Object.entries(payload.after ?? {}).filter(([field]) => (reads === undefined || reads.includes(field)) && (brings === undefined || brings.has(field)));
    return { back: { data: Object.fromEntries(given), labels: inward.labels, plan } };
  }

  #outcomeOf(delivery: ClaimedDelivery, result: Exclude<WebhookResult, { is: "done" }>, reason: string, open: number | undefined, chance: number): Outcome {
    switch (result.is) {
      // Refused as a whole, perhaps for one of them: nothing was done, and each hears for itself. What is sent under its own id is sent alone.
      case "refused": if (this.#all.length > 1) return { status: "queued", code: "DELIVERY_RETRY", reason: new PlugboardError("DELIVERY_RETRY", { target: this.#targetName, reason: `what was sent together was refused (${reason}); each goes by itself` }).message, inSeconds: 0, batch: delivery.id };
        return { status: "failed", code: "DELIVERY_REFUSED", reason: new PlugboardError("DELIVERY_REFUSED", { target: this.#targetName, reason }).message };
      case "gone": return { status: "failed", code: "DELIVERY_ENDPOINT", reason: new PlugboardError("DELIVERY_ENDPOINT", { name: delivery.target, state: "answered 410: it is disabled" }).message };
      case "unknown": return this.#again(delivery, "DELIVERY_UNKNOWN", reason, open, true, chance);
      case "auth": return this.#again(delivery, "DELIVERY_RETRY", reason, open, delivery.unsure, chance);
      case "retry": return this.#again(delivery, "DELIVERY_RETRY", reason, open, delivery.unsure || ("unsure" in result && result.unsure === true), chance, result.after === undefined ? undefined : result.after / 1000);
      case "accepted": return { status: "queued", reason, inSeconds: result.after / 1000, restart: true, payload: { ...delivery.payload, accepted: result.accepted }, ...(delivery.batch === undefined ? {} : { batch: delivery.batch }) };
    }
  }

  /** On schedule, but not while the target is left alone. */
  #again(delivery: ClaimedDelivery, code: "DELIVERY_UNKNOWN" | "DELIVERY_RETRY", why: string, notBefore: number | undefined, unsure: boolean, chance: number, after?: number): Outcome {
    const reason = new PlugboardError(code, { target: this.#targetName, reason: why }).message;
    const inSeconds = retryInSeconds(delivery.attemptsOfSchedule, after, () => chance);
    if (inSeconds === undefined) {
      return { status: "exhausted", unsure, code: "DELIVERY_EXHAUSTED", reason: new PlugboardError("DELIVERY_EXHAUSTED", { attempts: delivery.attempts, reason: why }).message };
    }
    // What was sent together and failed together is sent together.
    return { status: "queued", code, reason, unsure, inSeconds: Math.max(inSeconds, notBefore ?? 0), ...(delivery.batch === undefined ? {} : { batch: delivery.batch }) };
  }

  // ── what all of them need ───────────────────────────────────────────────────────────────────────────────────────

  get #targetName(): string { return this.#first.kind === "webhook" ? `endpoint '${this.#first.target}'` : `connection '${this.#first.target}'`; }
  get #breaker(): string { return breakerOf(this.#first); }
  get #alone(): string { return `${this.#first.tenant}/${this.#breaker}`; }
  get #stillMaps(): boolean { return this.#first.payload.input === undefined && !(this.#first.kind === "save" && this.#first.payload.after === undefined); }
  get #kept(): { unsure?: boolean; batch?: string } { return { ...(this.#first.unsure ? { unsure: true } : {}), ...(this.#first.batch === undefined ? {} : { batch: this.#first.batch }) }; }

  #inTenant<Result>(work: (tx: TenantTransaction) => Promise<Result>): Promise<Result> {
    return withTenant(this.#options.db, this.#first.tenant, work);
  }

  /** The target answers: whoever waited for it need not. */
  async #well(tx: TenantTransaction): Promise<undefined> {
    if (await noteSuccess(tx, this.#breaker)) await recall(tx, this.#first.kind, this.#first.target);
    return undefined;
  }

  async #mark(outcome: Outcome): Promise<number> {
    await this.#options.probe?.("before_mark");
    const ours = await this.#inTenant(async (tx) => {
      if (this.#probing) await endProbe(tx, this.#breaker);
      let count = 0;
      for (const delivery of this.#all) if (await markOutcome(tx, this.#options.keyring, delivery, outcome)) count++;
      return count;
    });
    await this.#options.probe?.("after_mark");
    return ours;
  }

  /** A slow answer must not cost the lease. */
  async #withHeartbeat<Result>(work: () => Promise<Result>): Promise<Result> {
    const { db, leaseSeconds, onError } = this.#options;
    const timer = setInterval(() => void keepClaims(db, this.#all, leaseSeconds).catch((thrown: unknown) => onError(thrown as Error)), (leaseSeconds * 1000) / HEARTBEAT_SHARE);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }
}

/** What a delivery was sent as. `key`: of the record there, where it was known before. */
interface Acted { readonly action: ActionPlan; readonly key?: string }
