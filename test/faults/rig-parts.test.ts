/** The rig's own parts: a judge that cannot see is worse than none. */
import { afterAll, expect, test } from "vitest";
import { judgeAudit, type AuditLine } from "./audit.ts";
import { makeBlows, POINTS } from "./blows.ts";
import { isStorable, startFaultyProvider, type FaultyProvider, type Item } from "./provider.ts";

const open: FaultyProvider[] = [];
afterAll(() => Promise.all(open.map((provider) => provider.close())));
const start = async (options: { seed: number; records: number; faultShare?: number }) => {
  const provider = await startFaultyProvider({ ...options, token: "t" });
  open.push(provider);
  return provider;
};

/** Asks until the answer is whole. */
async function ask(provider: FaultyProvider, query: Record<string, string>): Promise<{ items: Item[]; next: string | null }> {
  for (;;) {
    try {
      const response = await fetch(`${provider.url}/items?${new URLSearchParams(query)}`, { headers: { authorization: "Bearer t" } });
      if (response.status === 200) return await response.json() as never;
      await response.body?.cancel();
    } catch { /* reset or cut off: ask again */ }
  }
}

async function readAll(provider: FaultyProvider, query: Record<string, string> = {}): Promise<Item[]> {
  const found: Item[] = [];
  for (let token: string | null = ""; token !== null;) {
    const page = await ask(provider, { size: "20", ...(token ? { token } : {}), ...query });
    found.push(...page.items);
    token = page.next;
  }
  return found;
}

test("the provider gives each record once, not in the order of its times, and fails about a fifth of its answers", async () => {
  const provider = await start({ seed: 1, records: 4_000 });
  const read = await readAll(provider);
  const ids = read.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  // What was there all the time was read; what came or went meanwhile may have been missed.
  expect(ids.length).toBeGreaterThan(3_900);
  const times = read.map(({ updated_at }) => updated_at);
  expect(times).not.toEqual(times.toSorted());
  const faulty = Object.values(provider.faults).reduce((sum, count) => sum + count, 0);
  expect(Object.values(provider.faults).every((count) => count > 0)).toBe(true);
  expect(faulty / provider.standIn.requests.total).toBeGreaterThan(0.08);
  expect(faulty / provider.standIn.requests.total).toBeLessThan(0.35);
});

test("the provider changes while it is read, and a window over the time of change has what changed", async () => {
  const provider = await start({ seed: 2, records: 1_000 });
  const since = new Date().toISOString();
  const before = new Map(provider.items);
  await readAll(provider);
  provider.calm();
  const changed = [...provider.items.values()].filter((item) => before.get(item.id) !== item).map(({ id }) => id);
  expect(changed.length).toBeGreaterThan(10);
  expect((await readAll(provider, { since })).map(({ id }) => id).toSorted()).toEqual(changed.toSorted());
  expect(provider.deleted.size).toBeGreaterThan(0);
});

test("some records must be dropped and some cannot be stored", async () => {
  const provider = await start({ seed: 3, records: 4_000 });
  const all = [...provider.items.values()];
  expect(all.filter(({ kind }) => kind === "draft").length).toBeGreaterThan(20);
  expect(all.filter((item) => item.kind === "booked" && !isStorable(item)).length).toBeGreaterThan(5);
});

test("a storm strikes every point, as often as asked, and the same for the same seed", () => {
  const { storm, atEnd } = makeBlows({ seed: 5, kills: 50, stops: 6, pages: 100 });
  const kills = [...storm, ...atEnd].filter(({ what }) => what !== "stop");
  expect([kills.length, storm.filter(({ what }) => what === "stop").length]).toEqual([50, 6]);
  expect(new Set(kills.flatMap((blow) => blow.what === "kill" ? [blow.point] : []))).toEqual(new Set(POINTS));
  expect(makeBlows({ seed: 5, kills: 50, stops: 6, pages: 100 })).toEqual({ storm, atEnd });
});

const line = (worker: string, what: AuditLine["what"], epoch: number, checkpoint: AuditLine["checkpoint"] = null): AuditLine => ({ seq: 0, worker, what, epoch, checkpoint, rows: what === "records" ? 5 : 0 });
const at = (pages: number, begun_at = "2026-01-01T00:00:00Z") => ({ pass: { begun_at, pages } });

test("a worker that takes over and goes on is no finding", () => {
  expect(judgeAudit([
    line("a", "epoch", 1), line("a", "checkpoint", 1, at(1)), line("a", "records", 1), line("b", "epoch", 2, at(1)), line("b", "checkpoint", 2, at(2)), line("b", "records", 2),
    line("b", "checkpoint", 2, { from: "2026-01-01T00:00:00Z", swept: { number: 1 } }), line("c", "epoch", 3), line("c", "checkpoint", 3, { from: "2026-01-01T00:00:00Z", swept: { number: 1 }, ...at(1, "2026-01-02T00:00:00Z") }),
  ])).toEqual({ staleWrites: 0, checkpointRegressions: 0, epochRegressions: 0, epochs: 3, evidence: [] });
});

test("two windows may end in the same second; a pass that was over may not go on", () => {
  const from = "2026-01-01T00:00:00Z";
  const over = (...rest: AuditLine[]) => judgeAudit([line("a", "epoch", 1), line("a", "checkpoint", 1, { from }), line("a", "checkpoint", 1, { from, ...at(1, "2026-01-02T00:00:00Z") }), line("a", "checkpoint", 1, { from }), ...rest]).checkpointRegressions;
  expect(over()).toBe(0);
  expect(over(line("a", "checkpoint", 1, { from, ...at(2, "2026-01-02T00:00:00Z") }))).toBe(1);
});

test("a write after a take-over is found, and so is a checkpoint or an epoch that goes back", () => {
  expect(judgeAudit([line("a", "epoch", 1), line("b", "epoch", 2), line("a", "records", 2)]).staleWrites).toBe(1);
  expect(judgeAudit([line("a", "epoch", 1), line("a", "checkpoint", 1, at(7)), line("a", "checkpoint", 1, at(6))]).checkpointRegressions).toBe(1);
  expect(judgeAudit([line("a", "epoch", 1), line("a", "checkpoint", 1, { from: "2026-02-01T00:00:00Z" }), line("a", "checkpoint", 1, { from: "2026-01-31T00:00:00Z", ...at(9) })]).checkpointRegressions).toBe(1);
  expect(judgeAudit([line("a", "epoch", 2), line("b", "epoch", 2)]).epochRegressions).toBe(1);
});
