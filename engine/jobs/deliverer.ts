/**
 * Works on changes and deliveries: turns changes into deliveries, and sends those that are due, a few at a time. Woken by a
 * notification, by the next instant at which one is due, and by a slow poll in case a notification was lost. Any number of
 * processes may do this at once.
 */
import type { Buckets, Transport } from "../components/kinds.ts";
import type { Clock } from "../run/ports.ts";
import { changedTenants, claimAlike, claimDue, type ClaimedDelivery, type Database, forgetDeliveries, type Keyring, nextDelivery, type ReferenceResolver, tenantsToDeliver } from "../store/index.ts";
import { findEffect } from "../run/find-effect.ts";
import { performAction } from "../run/perform-action.ts";
import { batchOf, deliver, type Performer } from "./deliver.ts";
import type { PlanCache } from "./execute-run.ts";
import { type DeliveryProbe, fillOutbox, type OutboxOptions } from "./outbox.ts";

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
  /** Requests under way at once. @default 8 */
  readonly slots?: number;
  /** Longest silence before another worker may take a delivery over. @default 60 */
  readonly leaseSeconds?: number;
  /** Deliveries of one row in an hour beyond which the next `save` is held. @default 10 */
  readonly loopLimit?: number;
  /** @default 5000 */
  readonly pollMilliseconds?: number;
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

const DEFAULT_SLOTS = 8;
const LEASE_SECONDS = 60;
const LOOP_LIMIT = 10;
const POLL_MILLISECONDS = 5000;
const LEAST_MILLISECONDS = 20;
const RECOVER_MILLISECONDS = 500;
const FORGET_MILLISECONDS = 3_600_000;

export function startDeliverer(options: DelivererOptions): Deliverer {
  const { db, keyring, owner, onError } = options;
  const slots = options.slots ?? DEFAULT_SLOTS;
  const leaseSeconds = options.leaseSeconds ?? LEASE_SECONDS;
  const poll = options.pollMilliseconds ?? POLL_MILLISECONDS;
  const active = new Map<Promise<void>, string>();
  const stop = new AbortController();
  let stopping = false;
  let woken = false;
  /** Tenant → when deliveries of lost workers were last looked for. */
  const recovered = new Map<string, number>();
  let changed = true;
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const wake = (): void => {
    changed = true;
    again();
  };

  /** A place is free: there may be more to send, and nothing new. */
  const again = (): void => {
    if (stopping) return;
    woken = true;
    looking ??= look().catch((thrown: unknown) => onError(thrown as Error)).finally(() => {
      looking = undefined;
      if (woken && !stopping) again();
    });
  };

  const look = async (): Promise<void> => {
    clearTimeout(timer);
    try {
      while (woken && !stopping) {
        woken = false;
        if (changed) {
          changed = false;
          for (const tenant of await changedTenants(db)) await guarded(() => fill(tenant));
        }
        if (active.size >= slots) continue;                  // whoever ends looks again
        for (const tenant of await tenantsToDeliver(db)) await guarded(() => claim(tenant));
      }
    } finally {
      if (!stopping) timer = setTimeout(wake, await untilNext());
    }
  };

  /** One tenant's trouble does not keep the others waiting. */
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    try { await work(); } catch (thrown) { onError(thrown as Error); }
  };

  const fill = async (tenant: string): Promise<void> => {
    const filled = await fillOutbox(options, tenant);
    if (filled === undefined || filled.changes === 0) return;
    // More may be there; what was made is sent meanwhile.
    changed = woken = true;
  };

  /** As many as there is room for; a tenant leaves room for the others. */
  const claim = async (tenant: string): Promise<void> => {
    const room = (): number => Math.min(slots - active.size, Math.max(1, slots - 1) - [...active.values()].filter((each) => each === tenant).length);
    if (stopping || room() <= 0) return;
    const recover = performance.now() - (recovered.get(tenant) ?? -Infinity) > RECOVER_MILLISECONDS;
    if (recover) recovered.set(tenant, performance.now());
    const most = await batchOf(options, tenant);
    if (most === undefined) {
      for (const claimed of await claimDue(db, keyring, tenant, { owner, leaseSeconds, limit: room(), recover })) begin([claimed]);
      return;
    }
    // One by one: whoever is first takes along those that share its request.
    while (!stopping && room() > 0) {
      const [first] = await claimDue(db, keyring, tenant, { owner, leaseSeconds, limit: 1, recover });
      if (first === undefined) return;
      const limit = most(first) - 1;
      begin([first, ...limit > 0 ? await claimAlike(db, keyring, first, { owner, leaseSeconds, limit }) : []]);
    }
  };

  const begin = (claimed: readonly ClaimedDelivery[]): void => {
    const done: Promise<void> = deliver({ ...options, performer: options.performer ?? { perform: performAction, find: findEffect }, leaseSeconds, loopLimit: options.loopLimit ?? LOOP_LIMIT }, claimed, stop.signal)
      // Its lease runs out, and it is taken up again; nothing is known of what it may have sent.
      .then(() => {}, (thrown: unknown) => onError(thrown as Error))
      .finally(() => {
        active.delete(done);
        again();
      });
    active.set(done, claimed[0]!.tenant);
  };

  const untilNext = async (): Promise<number> => {
    const due = await nextDelivery(db).catch(() => undefined);
    return due === undefined ? poll : Math.min(poll, Math.max(LEAST_MILLISECONDS, due - Date.now()));
  };

  const forgetting = setInterval(() => void forgetDeliveries(db).catch((thrown: unknown) => onError(thrown as Error)), FORGET_MILLISECONDS);
  forgetting.unref();
  wake();

  return {
    wake,
    get active() { return active.size; },
    async stop(graceMilliseconds) {
      stopping = true;
      clearTimeout(timer);
      clearInterval(forgetting);
      await looking;
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
