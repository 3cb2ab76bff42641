import { expect, test } from "vitest";
import datetime from "../../../../engine/components/cursor/datetime.ts";
import { context } from "../built.ts";

const NOW = Date.parse("2026-03-01T09:00:00Z");
const build = (spec: object) => datetime.build({ type: "datetime", ...spec }, context);

test("the first window begins at `start`, or is open; the next where the last ended, minus lookback", async () => {
  expect(await build({}).window(undefined, NOW, {})).toEqual({ to: "2026-03-01T09:00:00Z" });
  const cursor = build({ start: "config.start", lag: "1m", lookback: "1d" });
  expect(await cursor.window(undefined, NOW, { config: { start: "2026-01-01" } })).toEqual({ from: "2026-01-01T00:00:00Z", to: "2026-03-01T08:59:00Z" });
  expect(await cursor.window("2026-02-28T09:00:00Z", NOW, {})).toEqual({ from: "2026-02-27T09:00:00Z", to: "2026-03-01T08:59:00Z" });
  expect(await cursor.window(undefined, NOW, { config: { start: "" } })).toEqual({ to: "2026-03-01T08:59:00Z" });
});

test("a window never begins behind its end", async () => {
  expect(await build({ lag: "1h" }).window("2026-03-01T08:30:00Z", NOW, {})).toEqual({ from: "2026-03-01T08:00:00Z", to: "2026-03-01T08:00:00Z" });
});

test("a `start` that is no date is refused", async () => {
  await expect(build({ start: "config.start" }).window(undefined, NOW, { config: { start: "soon" } })).rejects.toMatchObject({ code: "RUN_REQUEST" });
});

test("values are compared as instants, whatever they are written as", async () => {
  const cursor = build({ field: "$lookup($, $with.field)", format: "epoch_ms" });
  const of = async (value: unknown) => (await cursor.valueOf({ at: value }, { with: { field: "at" } }))?.version;
  expect(await Promise.all([of("2025-11-25T10:57:52.6880167Z"), of(1764068272688), of("1764068272688"), of(null), of("never")])).toEqual(["1764068272.6880167", "1764068272.688", "1764068272.688", undefined, undefined]);
  expect(await build({ field: "at", format: "dd/MM/yyyy" }).valueOf({ at: "01/03/2026" }, {})).toEqual({ milliseconds: Date.parse("2026-03-01"), version: "1772323200" });
});

test("the window is printed as the provider wants it, and an absent end stays absent", () => {
  const window = { from: "2026-02-01T00:00:00Z", to: "2026-03-01T09:00:00.500Z" };
  expect(build({ format: "epoch_s" }).print(window)).toEqual({ from: 1769904000, to: 1772355600 });
  expect(build({ format: "iso_date" }).print(window)).toEqual({ from: "2026-02-01", to: "2026-03-01" });
  expect(build({}).print({ to: window.to })).toEqual({ to: "2026-03-01T09:00:00Z" });
  expect(build({ format: "iso_ms" }).print({ to: window.to })).toEqual({ to: "2026-03-01T09:00:00.500Z" });
});

test("a cursor without a field cannot be ordered", () => {
  expect([build({ ordered: true }).ordered, build({ field: "at", ordered: true }).ordered, build({ field: "at" }).ordered]).toEqual([false, true, false]);
});
