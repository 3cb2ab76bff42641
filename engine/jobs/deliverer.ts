/**
 * Works on changes and deliveries: turns changes into deliveries, and sends those that are due, a few at a time. Woken by a
 * notification, by the next instant at which one is due, and by a slow poll in case a notification was lost. Any number of
 * processes may do this at once.
 */
import type { Buckets, Transport } from "../components/kinds.ts";
import type { Clock } from "../run/ports.ts";
import { type ArrivedDelivery, type AttemptBegun, beginAttempts, type Beginning, changedTenants, claimAlike, claimDue, type ClaimedDelivery, type Database, forgetDeliveries, type Keyring, markArrived, nextDelivery, type ReferenceResolver, releaseClaims, tenantsToDeliver } from "../store/index.ts";
import { findEffect } from "../run/find-effect.ts";
import { performAction } from "../run/perform-action.ts";
import { batchOf, deliver, type Performer } from "./deliver.ts";
import type { PlanCache } from "./execute-run.ts";
import { type DeliveryProbe, fillOutbox, type OutboxOptions } from "./outbox.ts";
import { createTogether } from "./together.ts";
import { createValuesCache } from "./values-cache.ts";

export interface DelivererOptions {
  readonly db: Database;
  readonly keyring: Keyring;
  readonly references?: ReferenceResolver;
  readonly plans: PlanCache;
  readonly transport: Transport;
  readonly buckets: Buckets;
  readonly clock: Clock;
  /** @default the real one */
  readonly performer?: Performer;
  readonly owner: string;
  /** Requests under way at once. @default 16 */
  readonly slots?: number;
  /** Longest silence before another worker may take a delivery over. @default 60 */
  readonly leaseSeconds?: number;
  /** Deliveries of one row in an hour beyond which the next `save` is held. @default 10 */
  readonly loopLimit?: number;
  /** @default 5000 */
  readonly pollMilliseconds?: number;
  /** Days that finished deliveries are kept. @default 30 */
  readonly keepDays?: number;
  /** Steps at which the fault rig stops this worker, and an outbox that is wrong on purpose. */
  readonly probe?: DeliveryProbe;
  readonly add?: NonNullable<OutboxOptions["add"]>;
  onError(cause: Error): void;
}

export interface Deliverer {
  /** Looks for changes and deliveries now. */
  wake(): void;
  /** Requests under way. */
  readonly active: number;
  /** Takes nothing more, waits for what is under way at most so long. True: all of it ended. */
  stop(graceMilliseconds: number): Promise<boolean>;
}

const DEFAULT_SLOTS = 16;
/** So many for each slot are claimed ahead at most. */
const AHEAD_OF_SLOTS = 4;
const LEASE_SECONDS = 60;
const LOOP_LIMIT = 10;
const POLL_MILLISECONDS = 5000;
const LEAST_MILLISECONDS = 20;
const BUSY_MILLISECONDS = 1000;
const RECOVER_MILLISECONDS = 500;
const FORGET_MILLISECONDS = 3_600_000;

/** What is sent in one request. `at`: when it was claimed, by the process's own clock. */
interface Ahead { readonly tenant: string; readonly at: number; readonly deliveries: readonly ClaimedDelivery[] }

export function startDeliverer(options: DelivererOptions): Deliverer {
  const { db, keyring, owner, onError } = options;
  const slots = options.slots ?? DEFAULT_SLOTS;
  const leaseSeconds = options.leaseSeconds ?? LEASE_SECONDS;
  const poll = options.pollMilliseconds ?? POLL_MILLISECONDS;
  const active = new Map<Promise<void>, string>();
  /** Claimed, and not begun: what is sent next. */
  let ahead: Ahead[] = [];
  /** When deliveries ended, lately: so many may be claimed ahead as are sent within a second. */
  let ends: number[] = [];
  const shared = {
    beginning: createTogether<Beginning, AttemptBegun | undefined>(db, (tx, all) => beginAttempts(tx, all, { worker: owner, leaseSeconds })),
    arriving: createTogether<ArrivedDelivery, undefined>(db, async (tx, all) => { await markArrived(tx, keyring, all); return all.map(() => undefined); }),
    leftAlone: new Map<string, { at: number; until: number; reason: string }>(), values: createValuesCache(),
  };
  const performer = options.performer ?? { perform: performAction, find: findEffect };
  const stop = new AbortController();
  let stopping = false;
  /** Tenant → when deliveries of lost workers were last looked for. */
  const recovered = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  const wake = (): void => {
    filling.wake();
    sending.wake();
  };

  /** Changes become deliveries while others are sent. */
  const filling = looking(async () => {
    for (const tenant of await changedTenants(db)) await guarded(() => fill(tenant));
  });

  const sending = looking(async () => {
    clearTimeout(timer);
    try {
      beginNext();
      for (const tenant of await tenantsToDeliver(db)) await guarded(() => claim(tenant));
    } finally {
      if (!stopping) {
        // While something is under way, its end looks again.
        const due = active.size > 0 ? Math.min(poll, BUSY_MILLISECONDS) : await untilNext();
        clearTimeout(timer);
        timer = setTimeout(wake, due);
      }
    }
  });

  /** Looks once more for whoever asked while it looked. */
  function looking(look: () => Promise<void>): { wake(): void; readonly ended: () => Promise<void> | undefined } {
    let [woken, under]: [boolean, Promise<void> | undefined] = [false, undefined];
    const run = async (): Promise<void> => {
      while (woken && !stopping) {
        woken = false;
        await guarded(look);
      }
    };
    const wake = (): void => {
      woken = true;
      if (stopping) return;
      under ??= run().finally(() => {
        under = undefined;
        if (woken) wake();
      });
    };
    return { wake, ended: () => under };
  }

  /** One tenant's trouble does not keep the others waiting. */
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    try { await work(); } catch (thrown) { onError(thrown as Error); }
  };

  const fill = async (tenant: string): Promise<void> => {
    const filled = await fillOutbox(options, tenant);
    if (filled === undefined || filled.changes === 0) return;
    // More may be there; what was made is sent meanwhile.
    filling.wake();
    if (filled.deliveries > 0) sending.wake();
  };

  const mostOfTenant = Math.max(1, slots - 1);
  const activeOf = (tenant: string): number => [...active.values()].filter((each) => each === tenant).length;
  /** Claimed ahead by a worker whose targets are slow, they would only lie there until their leases end. */
  const mostAhead = (): number => {
    const since = performance.now() - 1000;
    ends = ends.filter((at) => at > since);
    return Math.min(slots * AHEAD_OF_SLOTS, ends.length);
  };

  /** As many as there is room for, and a few ahead; a tenant leaves room for the others. */
  const claim = async (tenant: string): Promise<void> => {
    const room = Math.max(0, Math.min(slots - active.size, mostOfTenant - activeOf(tenant))) + mostAhead() - ahead.filter((each) => each.tenant === tenant).length;
    if (stopping || room <= 0) return;
    const recover = performance.now() - (recovered.get(tenant) ?? -Infinity) > RECOVER_MILLISECONDS;
    if (recover) recovered.set(tenant, performance.now());
    const at = performance.now();
    const claimed = await claimDue(db, keyring, tenant, { owner, leaseSeconds, limit: room, recover });
    if (claimed.length === 0) return;
    const most = await batchOf(options, tenant, claimed[0]!.inForce);
    ahead.push(...(await together(claimed, most)).map((deliveries) => ({ tenant, at, deliveries })));
    beginNext();
  };

  /** Those that share a request; whoever is first takes along others that may. */
  const together = async (claimed: readonly ClaimedDelivery[], most: ((delivery: ClaimedDelivery) => number) | undefined): Promise<ClaimedDelivery[][]> => {
    if (most === undefined) return claimed.map((each) => [each]);
    const groups: ClaimedDelivery[][] = [];
    for (const each of claimed) {
      const group = each.batch === undefined && most(each) > 1 ? groups.find(([first, ...others]) => first!.flow === each.flow && first!.batch === undefined && most(first!) > others.length + 1) : undefined;
      if (group === undefined) groups.push([each]);
      else group.push(each);
    }
    for (const group of groups) {
      const limit = most(group[0]!) - group.length;
      if (limit > 0) group.push(...await claimAlike(db, keyring, group[0]!, { owner, leaseSeconds, limit }));
    }
    return groups;
  };

  const beginNext = (): void => {
    if (stopping) return;
    // What lay here for long is given back before its lease ends.
    const late = performance.now() - (leaseSeconds * 1000) / 2;
    for (const each of ahead.filter(({ at }) => at < late)) void release(each);
    ahead = ahead.filter(({ at }) => at >= late);
    while (active.size < slots) {
      const at = ahead.findIndex(({ tenant }) => activeOf(tenant) < mostOfTenant);
      if (at < 0) return;
      begin(ahead.splice(at, 1)[0]!);
    }
  };

  const release = ({ tenant, deliveries }: Ahead): Promise<void> => guarded(() => releaseClaims(db, tenant, deliveries));

  const begin = ({ tenant, at, deliveries }: Ahead): void => {
    const done: Promise<void> = deliver({ ...options, ...shared, performer, leaseSeconds, loopLimit: options.loopLimit ?? LOOP_LIMIT, claimedAt: at }, deliveries, stop.signal)
      // Its lease runs out, and it is taken up again; nothing is known of what it may have sent.
      .then((settled) => { for (let each = 0; each < settled; each++) ends.push(performance.now()); }, (thrown: unknown) => onError(thrown as Error))
      .finally(() => {
        active.delete(done);
        beginNext();
        if (ahead.length * 2 <= mostAhead()) sending.wake();
      });
    active.set(done, tenant);
  };

  const untilNext = async (): Promise<number> => {
    const due = await nextDelivery(db).catch(() => undefined);
    return due === undefined ? poll : Math.min(poll, Math.max(LEAST_MILLISECONDS, due - Date.now()));
  };

  const forgetting = setInterval(() => void forgetDeliveries(db, options.keepDays).catch((thrown: unknown) => onError(thrown as Error)), FORGET_MILLISECONDS);
  forgetting.unref();
  wake();

  return {
    wake,
    get active() { return active.size; },
    async stop(graceMilliseconds) {
      stopping = true;
      clearTimeout(timer);
      clearInterval(forgetting);
      await Promise.all([filling.ended(), sending.ended()]);
      await Promise.all(ahead.splice(0).map(release));
      const grace = Promise.withResolvers<boolean>();
      const timeout = setTimeout(() => {
        // What is still under way ends as unknown, and says so.
        stop.abort(new Error("the worker is stopping"));
        grace.resolve(false);
      }, graceMilliseconds);
      const ended = await Promise.race([Promise.all(active.keys()).then(() => true), grace.promise]);
      clearTimeout(timeout);
      await Promise.all(active.keys());
      clearTimeout(timer);
      return ended;
    },
  };
}
