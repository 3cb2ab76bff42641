/**
 * The faulty provider, and the oracle: it knows every record that exists, so it knows what must be stored. Everything it does
 * wrong follows from its seed.
 *
 * Its pages are in the order of a hash of the id: a full read meets old and new records mixed, so nothing may be concluded
 * from the last record seen. While it is read it changes: records are changed, added and deleted.
 */
import { createHash } from "node:crypto";
import { seeded, type Random } from "../../server/demo/data/random.ts";
import { startStandIn, type Asked, type Fault, type Reply, type StandIn } from "../../server/demo/providers/kernel.ts";

export interface Item {
  readonly id: string;
  readonly title: string;
  /** Text where a number belongs, for a few: such a record must end in quarantine, and cost nothing else. */
  readonly amount: number | string;
  /** `draft` is dropped by the mapping's `where`. */
  readonly kind: "booked" | "draft";
  readonly updated_at: string;
}

export interface FaultCounts { tooMany: number; tooManyWithoutRetryAfter: number; serverError: number; reset: number; truncated: number }

export interface FaultyProvider {
  readonly url: string;
  readonly faults: FaultCounts;
  readonly standIn: StandIn;
  /** Records that exist now. */
  readonly items: ReadonlyMap<string, Item>;
  /** What existed before anybody asked. */
  readonly original: ReadonlyMap<string, Item>;
  /** Ids that existed once. */
  readonly deleted: ReadonlySet<string>;
  /** Answers, the wrong ones among them, until it calmed down. */
  readonly answers: number;
  /** Faults and changes end: what is there now is what must be stored. */
  calm(): void;
  close(): Promise<void>;
}

export interface FaultyProviderOptions {
  readonly seed: number;
  readonly records: number;
  /** Share of answers that go wrong. @default 0.2 */
  readonly faultShare?: number;
  readonly token: string;
}

/** Milliseconds in which the records were written before the rig began. */
const HISTORY = 30 * 86_400_000;
const CHANGED_PER_PAGE = 2;

export async function startFaultyProvider({ seed, records, faultShare = 0.2, token }: FaultyProviderOptions): Promise<FaultyProvider> {
  const random = seeded(seed);
  const chance = seeded(seed + 1);
  const begun = Date.now();
  const items = new Map<string, Item>();
  const deleted = new Set<string>();
  const order: { readonly place: string; readonly id: string }[] = [];
  let added = 0;
  let calm = false;

  const add = (updatedAt: number) => {
    const id = `item-${String(added).padStart(6, "0")}`;
    items.set(id, makeItem(id, added, updatedAt, random));
    order.push({ place: placeOf(id), id });
    added += 1;
  };
  for (let count = 0; count < records; count += 1) add(begun - 60_000 - random.whole(0, HISTORY));
  order.sort((a, b) => a.place < b.place ? -1 : 1);

  const original = new Map(items);
  const faults: FaultCounts = { tooMany: 0, tooManyWithoutRetryAfter: 0, serverError: 0, reset: 0, truncated: 0 };
  const standIn = await startStandIn({ faults: () => calm || chance.next() >= faultShare ? undefined : nextFault(faults) }, (asked) => {
    if (asked.headers.authorization !== `Bearer ${token}`) return { status: 401, body: { error: "unauthorized" } };
    if (asked.path !== "/items") return { status: 404, body: { error: "not found" } };
    const reply = page(asked, items, order);
    if (!calm && reply.status === 200) churn();
    return reply;
  });

  /** What happens between two requests. Only whole, booked records change: what must be stored stays easy to say. */
  function churn(): void {
    for (let count = 0; count < CHANGED_PER_PAGE; count += 1) {
      const item = items.get(random.pick(order).id);
      if (item?.kind === "booked" && typeof item.amount === "number") items.set(item.id, { ...item, amount: item.amount + random.whole(1, 900), updated_at: new Date().toISOString() });
    }
    if (random.chance(0.2)) {
      const { id } = random.pick(order);
      if (items.delete(id)) deleted.add(id);
    }
    if (random.chance(0.2)) {
      add(Date.now());
      order.sort((a, b) => a.place < b.place ? -1 : 1);
    }
  }

  let answersInStorm: number | undefined;
  return {
    url: standIn.url, standIn, faults, items, original, deleted,
    get answers() { return answersInStorm ?? standIn.requests.total; },
    calm() {
      calm = true;
      answersInStorm ??= standIn.requests.total;
    },
    close: () => standIn.close(),
  };
}

/** Whether a record must be stored: whole, and not dropped by the mapping. */
export const isStorable = (item: Item): boolean => item.kind === "booked" && typeof item.amount === "number";

function makeItem(id: string, index: number, updatedAt: number, random: Random): Item {
  return {
    id, title: `Entry ${index} ${"·".repeat(random.whole(0, 40))}`, kind: random.chance(0.03) ? "draft" : "booked",
    amount: random.chance(0.005) ? "a lot" : random.whole(1, 1_000_000), updated_at: new Date(updatedAt).toISOString(),
  };
}

/** Pages by the place of the last record given, so that what is added or deleted meanwhile shifts nothing. */
function page(asked: Asked, items: ReadonlyMap<string, Item>, order: readonly { readonly place: string; readonly id: string }[]): Reply {
  const size = Number(asked.query.get("size"));
  const after = asked.query.get("token") ?? "";
  const [since, before] = [asked.query.get("since"), asked.query.get("before")].map((text) => text === null ? undefined : Date.parse(text));
  if (!Number.isInteger(size) || size < 1 || size > 1_000 || Number.isNaN(since) || Number.isNaN(before)) return { status: 400, body: { error: "bad request" } };
  const found: Item[] = [];
  let last = "";
  for (const { place, id } of order) {
    if (place <= after) continue;
    const item = items.get(id);
    if (item === undefined) continue;
    const at = Date.parse(item.updated_at);
    if ((since !== undefined && at < since) || (before !== undefined && at >= before)) continue;
    if (found.length === size) return { status: 200, body: { items: found, next: last } };
    found.push(item);
    last = place;
  }
  return { status: 200, body: { items: found, next: null } };
}

function nextFault(counts: FaultCounts): Fault {
  // Its kind goes round, so that a short storm has every kind too; when it strikes is chance.
  switch (Object.values(counts).reduce((sum, count) => sum + count, 0) % 5) {
    case 0: counts.tooMany += 1; return { status: 429, headers: { "retry-after": "1" }, body: { error: "too many requests" } };
    case 1: counts.tooManyWithoutRetryAfter += 1; return { status: 429, body: { error: "too many requests" } };
    case 2: counts.serverError += 1; return { status: 500, body: "<html>oops</html>" };
    case 3: counts.reset += 1; return "reset";
    default: counts.truncated += 1; return "truncate";
  }
}

const placeOf = (id: string): string => createHash("sha1").update(id).digest("hex").slice(0, 16);
