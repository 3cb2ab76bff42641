/** The two stores agree about what is tried again and what becomes of it: every test runs on PostgreSQL and in memory. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMemoryStore, memoryRows } from "../../../engine/run/memory-store.ts";
import type { PageCommit, PageOutcome, QuarantinedRecord, RunStore } from "../../../engine/run/ports.ts";
import { type Keyring, listQuarantine, listRecords } from "../../../engine/store/index.ts";
import { asAdmin, testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { balanced, beginFlow, beginRun, keyring, page, record, sweeping } from "./rig.ts";

let at: TestDatabase;
let keys: Keyring;
beforeAll(async () => { at = await testDatabase(); keys = await keyring(); });
afterAll(() => at.close());

interface Open { readonly key: string | undefined; readonly reason: string; readonly revision: string; readonly seen: number }
interface Place {
  /** A run of its own under a revision. */
  begin(revision: string): Promise<{ store: RunStore; commit(page: PageCommit): Promise<PageOutcome>; complete(sweep: number): Promise<number> }>;
  hours(): Promise<Record<string, unknown>>;
  open(): Promise<Open[]>;
}

async function onPostgres(): Promise<Place> {
  const tenant = `t${randomUUID().slice(0, 8)}`;
  await beginFlow(at.db, keys, tenant);
  return {
    async begin(revision) {
      const { store, epoch } = await beginRun(at.db, keys, tenant, randomUUID(), 1, { revision });
      return { store, commit: (one) => store.commitPage(one, epoch), complete: async (number) => (await store.completePass({}, { number }, epoch)).swept };
    },
    hours: async () => Object.fromEntries((await listRecords(at.db, tenant, "learner", { limit: 1000 })).items.map((row) => [row.links["aptem"], row["hours"]])),
    open: async () => (await listQuarantine(at.db, tenant, { status: "open", limit: 1000 })).items.map(({ key, reason, revision, seen }) => ({ key, reason, revision, seen })),
  };
}

async function inMemory(): Promise<Place> {
  const rows = memoryRows();
  return {
    async begin(revision) {
      const store = createMemoryStore({ rows, run: randomUUID(), revision });
      const { epoch } = await store.begin();
      return { store, commit: (one) => store.commitPage(one, epoch), complete: async (number) => (await store.completePass({}, { number }, epoch)).swept };
    },
    hours: async () => Object.fromEntries([...rows.rows.values()].filter(({ ended }) => ended === undefined).map(({ key, data }) => [key, data["hours"]])),
    open: async () => rows.quarantine.map(({ key, reason, revision, seen }) => ({ key, reason, revision, seen })),
  };
}

const bad = (key: string | undefined, raw: QuarantinedRecord["raw"] = { id: key ?? null }): QuarantinedRecord => ({ ...(key === undefined ? {} : { key }), code: "MAPPING_INVALID", params: { entity: "learner", detail: "x" }, reason: "bad", raw });

/** Tries everything again: hours are in the raw record, and so is the version. */
async function replay({ store, commit }: Awaited<ReturnType<Place["begin"]>>, keyOf: (raw: any) => string | undefined, refuse: (key: string | undefined) => boolean = () => false, asked?: Parameters<RunStore["quarantineToReplay"]>[0]): Promise<PageOutcome | undefined> {
  const entries = (await store.quarantineToReplay(asked)).toReversed();
  if (entries.length === 0) return undefined;
  const replayed = entries.map(({ id, received_at, raw }) => ({ id, received_at, raw: raw as any, key: keyOf(raw) }));
  const outcome = await commit(page(replayed.filter(({ key }) => !refuse(key)).map(({ id, raw, key }) => ({ ...record(key!, { hours: raw.hours ?? 0 }, raw.version), raw, entry: id })), {
    quarantined: replayed.filter(({ key }) => refuse(key)).map(({ id, raw, key }) => ({ ...bad(key, raw), reason: "still bad", entry: id })),
    replayed: replayed.map(({ id, received_at, key }) => ({ id, received_at, ...(key === undefined ? {} : { key }) })),
  }));
  expect(balanced(outcome)).toBe(true);
  return outcome;
}
const own = (raw: any): string => String(raw.id);

describe.each([["PostgreSQL", onPostgres], ["memory", inMemory]] as const)("quarantined records, on %s", (_, place) => {
  test("come up again under another revision only, and are stored and resolved, once", async () => {
    const it = await place();
    const first = await it.begin("r1");
    await first.commit(page([], { quarantined: [bad("1", { id: "1", hours: 7 }), bad("2")] }));
    expect(await first.store.quarantineToReplay(undefined)).toEqual([]);
    expect(await (await it.begin("r1")).store.quarantineToReplay(undefined)).toEqual([]);
    const fixed = await it.begin("r2");
    expect(await replay(fixed, own)).toMatchObject({ read: 2, created: 2, quarantined: 0 });
    expect(await it.hours()).toEqual({ 1: 7, 2: 0 });
    expect(await it.open()).toEqual([]);
    expect(await replay(fixed, own)).toBeUndefined();
  });

  test("that are refused again stay, with the new reason and revision, counted, and are not tried twice", async () => {
    const it = await place();
    await (await it.begin("r1")).commit(page([], { quarantined: [bad("1"), bad("2")] }));
    const second = await it.begin("r2");
    expect(await replay(second, own, (key) => key === "2")).toMatchObject({ created: 1, quarantined: 1 });
    expect(await it.open()).toEqual([{ key: "2", reason: "still bad", revision: "r2", seen: 2 }]);
    expect(await second.store.quarantineToReplay(undefined)).toEqual([]);
    expect(await (await it.begin("r3")).store.quarantineToReplay(undefined)).toHaveLength(1);
  });

  test("are tried under the same revision when asked for, by code or id, once per run", async () => {
    const it = await place();
    await (await it.begin("r1")).commit(page([], { quarantined: [bad("1"), { ...bad("2"), code: "MAPPING_LIMIT" }] }));
    const asked = await it.begin("r1");
    expect(await asked.store.quarantineToReplay({ code: "MAPPING_LIMIT" })).toMatchObject([{ raw: { id: "2" } }]);
    const [entry] = await asked.store.quarantineToReplay({ code: "MAPPING_INVALID" });
    expect(await asked.store.quarantineToReplay({ ids: [entry!.id] })).toHaveLength(1);
    expect(await replay(asked, own, () => true, {})).toMatchObject({ read: 2, quarantined: 2 });
    expect(await asked.store.quarantineToReplay({})).toEqual([]);
  });

  test("never overwrite a newer row: by version, and without one by when they came", async () => {
    const it = await place();
    const first = await it.begin("r1");
    // Two doors: the row is newer, while the entry of this flow stays open.
    await first.commit(page([record("v", { hours: 9 }, 5), record("n", { hours: 9 })], { quarantined: [bad("v", { id: "v", hours: 1, version: 4 }), bad("n", { id: "n", hours: 1 })] }));
    expect((await it.open()).map(({ key }) => key).sort()).toEqual(["n", "v"]);
    expect(await replay(await it.begin("r2"), own)).toMatchObject({ read: 2, superseded: 2 });
    expect(await it.hours()).toEqual({ v: 9, n: 9 });
    expect(await it.open()).toEqual([]);
  });

  test("overwrite an older row, and of two of one key the newer one wins", async () => {
    const it = await place();
    const first = await it.begin("r1");
    await first.commit(page([record("1", { hours: 1 }, 1), record("2", { hours: 1 })]));
    await first.commit(page([], { quarantined: [bad("1", { id: "1", hours: 2, version: 2 }), bad(undefined, { id: "2", hours: 2 })] }));
    await first.commit(page([], { quarantined: [bad(undefined, { id: "2", hours: 3 })] }));
    expect(await replay(await it.begin("r2"), own)).toMatchObject({ read: 3, created: 0, quarantined: 0 });
    expect(await it.open()).toEqual([]);
    expect(await it.hours()).toEqual({ 1: 2, 2: 3 });
  });

  test("a row that is ended since stays ended, and `where` ends no newer one", async () => {
    const it = await place();
    const first = await it.begin("r1");
    await first.commit(page([record("gone", {}, 1), record("left", { hours: 2 })]));
    await first.commit(page([], { quarantined: [bad("gone", { id: "gone", version: 2 })] }));
    await first.commit(page([record("left", { hours: 3 })], { quarantined: [bad(undefined, { id: "left" })] }));
    const other = await it.begin("r1");
    await other.commit(page([], { gone: ["gone"], quarantined: [bad(undefined, { id: "gone", version: 2 })] }));
    const fixed = await it.begin("r2");
    const entries = (await fixed.store.quarantineToReplay(undefined)).toReversed();
    const entryOf = (key: string) => entries.find(({ raw }) => (raw as { id: string }).id === key)!;
    await fixed.commit(page([{ ...record("gone", {}, 2), entry: entryOf("gone").id }], { dropped: ["left"], replayed: ["gone", "left"].map((key) => ({ ...entryOf(key), key })) }));
    expect(await it.hours()).toEqual({ left: 3 });
  });

  test("are resolved by a complete sweep that does not see them; those it refuses again stay", async () => {
    const it = await place();
    const first = await it.begin("r1");
    await first.commit(page([], { quarantined: [bad("old"), bad("again"), bad(undefined)] }));
    const sweep = sweeping(1, new Date(Date.now() + 1000), ["again", "new"]);
    await first.commit(page([], { ...sweep, quarantined: [bad("again"), bad("new")] }));
    await first.complete(1);
    expect((await it.open()).map(({ key }) => key).sort()).toEqual(["again", "new"]);
  });

  test("stored in the middle of a sweep that has seen them before, are not swept by it", async () => {
    const it = await place();
    const first = await it.begin("r1");
    await first.commit(page([record("a")], { quarantined: [bad("b")], ...sweeping(1, new Date(Date.now() - 1000), ["a", "b"]) }));
    const second = await it.begin("r2");
    await replay(second, own);
    await second.commit(page([record("c")], sweeping(1, new Date(Date.now() - 1000), ["c"])));
    expect(await second.complete(1)).toBe(0);
    expect(Object.keys(await it.hours()).sort()).toEqual(["a", "b", "c"]);
  });

  test("an older worker replays nothing any more", async () => {
    const it = await place();
    await (await it.begin("r1")).commit(page([], { quarantined: [bad("1")] }));
    const old = await it.begin("r2");
    await it.begin("r2");
    await expect(replay(old, own)).rejects.toMatchObject({ code: "RUN_FENCED" });
    expect(await it.open()).toHaveLength(1);
  });
});

test("a record whose stored body was damaged is named, and keeps no other", async () => {
  const it = await onPostgres();
  await (await it.begin("damage")).commit(page([], { quarantined: [bad("1"), bad("2")] }));
  await asAdmin(at.url, "update plugboard.quarantine set raw = set_byte(raw, octet_length(raw) - 1, get_byte(raw, octet_length(raw) - 1) # 1) where revision = 'damage' and key = '1'");
  const entries = await (await it.begin("r2")).store.quarantineToReplay(undefined);
  expect(entries).toHaveLength(2);
  expect(entries.filter(({ unreadable }) => unreadable !== undefined)).toMatchObject([{ raw: null }]);
});
