/**
 * The provider that pushes, and the oracle: it knows what it sent and what was accepted, so it knows what must be there. It
 * sends as the worst of them do: out of order, twice, cutting connections before the answer comes, and again until it is answered
 * with 2xx. What was not answered with 2xx was never promised; what was must not be lost.
 *
 *   orders    one key's events one after the other, each when the one before was accepted: their order is the provider's word
 *   people    all of a key's versions in any order and side by side, several in a request: the newest must win
 *   members   hints without an id and without a record: what they name must be read after they came
 */
import { createHmac } from "node:crypto";
import { seeded, type Random } from "../../../server/demo/data/random.ts";
import { startStandIn, type Fault, type Reply } from "../../../server/demo/providers/kernel.ts";
import { OLD, SECRET } from "./fixture.ts";

export interface Sent {
  /** Ids of accepted events with one, by feed. */
  readonly ids: { readonly orders: Set<string>; readonly people: Set<string> };
  /** Key → the last one accepted; the versions that were. */
  readonly orders: Map<string, number>;
  readonly people: Map<string, Set<number>>;
  /** Each accepted hint; `since`: when the request that was accepted began. */
  readonly hints: { readonly member: string; readonly since: number }[];
}

export interface SenderFaults { resent: number; doubled: number; cut: number; silent: number; refused: number }

export interface PushingProvider {
  readonly url: string;
  readonly sent: Sent;
  readonly faults: SenderFaults;
  /** Events accepted so far, of how many. */
  readonly accepted: number;
  readonly total: number;
  readonly members: ReadonlyMap<string, number>;
  /** Key → when reads of it that were answered well began, ascending. */
  readonly reads: ReadonlyMap<string, readonly number[]>;
  readonly archived: number;
  /** So many more events may be sent: the storm paces the load. */
  allow(events: number): void;
  /** Sends everything, and resolves when all of it was accepted. */
  send(addresses: Readonly<Record<"orders" | "people" | "hints", string>>): Promise<void>;
  /** Nothing goes wrong any more on this side. */
  calm(): void;
  /** Gives up: what is not accepted yet never will be. */
  stop(): void;
  close(): Promise<void>;
}

export interface ProviderOptions {
  readonly seed: number;
  /** Events to send, over all feeds. */
  readonly events: number;
  /** Events a second, at most. */
  readonly perSecond: number;
  /** Share of reads that fail. */
  readonly faultShare: number;
}

const ARCHIVED = 200;
const LANES = 6;
const ANSWER_MILLISECONDS = 2_000;
const AGAIN_MILLISECONDS = [20, 60, 150, 300] as const;

export async function startPushingProvider({ seed, events, perSecond, faultShare }: ProviderOptions): Promise<PushingProvider> {
  const random = seeded(seed);
  const chance = seeded(seed + 1);
  const faults: SenderFaults = { resent: 0, doubled: 0, cut: 0, silent: 0, refused: 0 };
  const sent: Sent = { ids: { orders: new Set(), people: new Set() }, orders: new Map(), people: new Map(), hints: [] };
  const members = new Map<string, number>();
  const reads = new Map<string, number[]>();
  const begun = Date.now();
  let calm = false;
  let stopped = false;
  let accepted = 0;

  const standIn = await startStandIn({ faults: () => (calm || chance.next() >= faultShare ? undefined : chance.pick<Fault>([{ status: 500, body: "oops" }, { status: 429, headers: { "retry-after": "1" }, body: {} }, "reset"])) }, ({ path, query }): Reply => {
    const member = /^\/members\/(.+)$/.exec(path)?.[1];
    if (member !== undefined) {
      const v = members.get(member);
      if (v === undefined) return { status: 404, body: {} };
      reads.set(member, [...reads.get(member) ?? [], Date.now()]);
      return { status: 200, body: { id: member, v } };
    }
    if (path !== "/archive") return { status: 404, body: {} };
    const [from, size] = [Number(query.get("token") ?? 0), Number(query.get("size"))];
    const items = Array.from({ length: Math.min(size, ARCHIVED - from) }, (_, index) => ({ id: `${OLD}${from + index}`, v: 1 }));
    return { status: 200, body: { items, next: from + size < ARCHIVED ? String(from + size) : null } };
  });

  /** When the next one may be sent: all lanes together keep the rate. */
  let next = Date.now();
  let [begunEvents, allowed] = [0, 0];
  let more = Promise.withResolvers<void>();
  const turn = async (count: number): Promise<void> => {
    while (!stopped && count > 0 && begunEvents >= allowed) await more.promise;
    begunEvents += count;
    const at = Math.max(Date.now(), next);
    next = at + (1000 * count) / perSecond;
    await pause(at - Date.now());
  };

  /** Until it is accepted. @returns when the request that was began; undefined when it was given up. */
  const deliver = async (url: string, body: string, count: number): Promise<number | undefined> => {
    const headers = { "content-type": "application/json", "x-signature": createHmac("sha256", SECRET).update(body).digest("hex") };
    await turn(count);
    for (let tries = 0; !stopped; tries++) {
      const since = Date.now();
      // A provider that hangs up before the answer: it may have arrived, so it comes again.
      const cutsAfter = !calm && tries === 0 && chance.chance(0.04) ? chance.whole(1, 30) : undefined;
      try {
        const answer = await fetch(url, { method: "POST", body, headers, signal: AbortSignal.timeout(cutsAfter ?? ANSWER_MILLISECONDS) });
        await answer.body?.cancel();
        if (answer.ok) {
          accepted += count;
          return since;
        }
        faults.refused += 1;
      } catch {
        if (cutsAfter === undefined) faults.silent += 1;
        else faults.cut += 1;
      }
      faults.resent += 1;
      await pause(AGAIN_MILLISECONDS[Math.min(tries, AGAIN_MILLISECONDS.length - 1)]! * (0.5 + chance.next()));
    }
    return undefined;
  };
  /** What was accepted comes once more, at any time. */
  const again = (url: string, body: string): Promise<unknown> => {
    if (calm || !chance.chance(0.12)) return Promise.resolve();
    faults.doubled += 1;
    return pause(chance.whole(0, 1_500)).then(() => deliver(url, body, 0));
  };

  const third = Math.floor(events / 3);
  const [orders, people, hints] = [makeOrders(third), makePeople(third, random), makeHints(events - 2 * third, random)];

  return {
    url: standIn.url, sent, faults, members, reads, archived: ARCHIVED, total: events,
    get accepted() { return accepted; },
    allow(events) {
      allowed += events;
      more.resolve();
      more = Promise.withResolvers();
    },
    async send(to) {
      const later: Promise<unknown>[] = [];
      const lanes = async <Item>(items: Item[], work: (item: Item) => Promise<void>, count = LANES): Promise<void> => {
        await Promise.all(Array.from({ length: count }, async () => { for (let item = items.shift(); item !== undefined && !stopped; item = items.shift()) await work(item); }));
      };
      await Promise.all([
        Promise.all(orders.map(async ({ key, count }) => {
          for (let n = 1; n <= count && !stopped; n++) {
            const id = `o/${key}/${n}`;
            const body = JSON.stringify({ id, order: { id: key, n } });
            if (await deliver(to.orders, body, 1) === undefined) return;
            sent.ids.orders.add(id);
            sent.orders.set(key, n);
            later.push(again(to.orders, body));
          }
        })),
        lanes(people, async (batch) => {
          const body = JSON.stringify({ events: batch.map(({ key, v }) => ({ id: `p/${key}/${v}`, person: { id: key, v } })) });
          if (await deliver(to.people, body, batch.length) === undefined) return;
          for (const { key, v } of batch) {
            sent.ids.people.add(`p/${key}/${v}`);
            sent.people.set(key, (sent.people.get(key) ?? new Set()).add(v));
          }
          later.push(again(to.people, body));
        }),
        lanes(hints, async (member) => {
          members.set(member, (members.get(member) ?? 0) + 1);
          const body = JSON.stringify({ member, about: begun });
          const since = await deliver(to.hints, body, 1);
          if (since === undefined) return;
          sent.hints.push({ member, since });
          later.push(again(to.hints, body));
        }),
      ]);
      await Promise.all(later);
    },
    calm() { calm = true; },
    stop() { stopped = true; more.resolve(); },
    close: () => standIn.close(),
  };
}

const KEYS_PER_FEED = 12;

function makeOrders(count: number): { readonly key: string; readonly count: number }[] {
  return Array.from({ length: Math.min(KEYS_PER_FEED, count) }, (_, index) => ({ key: `order-${index}`, count: Math.floor((count - index - 1) / KEYS_PER_FEED) + 1 }));
}

function makePeople(count: number, random: Random): { readonly key: string; readonly v: number }[][] {
  const all = random.shuffle(Array.from({ length: count }, (_, index) => ({ key: `person-${index % KEYS_PER_FEED}`, v: 1 + Math.floor(index / KEYS_PER_FEED) })));
  // Neighbours change places: out of order, and still new ones to the end.
  const order = all.map((one, index) => ({ one, place: one.v * KEYS_PER_FEED + random.whole(0, 8 * KEYS_PER_FEED) + index / count })).toSorted((a, b) => a.place - b.place).map(({ one }) => one);
  const batches: { key: string; v: number }[][] = [];
  for (let at = 0; at < order.length;) {
    const size = random.pick([1, 1, 2, 3, 5]);
    batches.push(order.slice(at, at + size));
    at += size;
  }
  return batches;
}

const makeHints = (count: number, random: Random): string[] => Array.from({ length: count }, () => `member-${random.whole(0, KEYS_PER_FEED - 1)}`);

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, Math.max(0, milliseconds)); });
