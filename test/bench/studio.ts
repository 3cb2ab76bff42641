/**
 * The mapping editor in a real Chromium: how long a mapping of 300 target and 500 source fields takes to open in both views, and
 * what its page's main thread does in each frame while a hand drags, scrolls and types; beside a mapping of 10 fields, with the
 * same gestures, in turn. Server, worker, PostgreSQL and browser share this machine.
 */
import type { Page } from "playwright-core";
import { migrate } from "../../engine/store/index.ts";
import type { EmbeddedPostgres } from "../../server/embedded-postgres.ts";
import { largeWorkspace } from "../studio/mapping/large.ts";
import { chromiumPath } from "../support/browser.ts";
import { createDatabase, useServer } from "../support/postgres.ts";
import { openStudio, restingMiddle, type Studio } from "../support/studio.ts";
import { CATEGORIES, framesOf, type Frames } from "./frames.ts";

const SIZES = { "10 × 10": { targets: 10, sources: 10 }, "300 × 500": { targets: 300, sources: 500 } } as const;
type Size = keyof typeof SIZES;
/** Between two moves of the mouse: more often than a screen shows. */
const MOVE_MILLISECONDS = 8;

interface Measured { readonly list: number; readonly graph: number; readonly gestures: Readonly<Record<string, Frames>> }

export async function measureStudio(postgres: EmbeddedPostgres, rounds: number): Promise<object> {
  if (chromiumPath === undefined) { console.log("studio: skipped, there is no Chromium here (set CHROMIUM to its path)"); return { skipped: true }; }
  const server = { templateUrl: postgres.url, runtimeLogin: postgres.login };
  useServer(server);
  const templateUrl = await createDatabase();
  await migrate({ url: templateUrl, login: postgres.login });
  useServer({ ...server, templateUrl });
  const all: Record<Size, Measured[]> = { "10 × 10": [], "300 × 500": [] };
  for (const size of Object.keys(SIZES) as Size[]) {
    const studio = await openStudio({ files: largeWorkspace(SIZES[size]) });
    try {
      for (let round = 0; round < rounds; round++) all[size].push(await measure(studio));
    } finally { await studio.close(); }
  }
  console.log(`mapping editor, target × source fields, median of ${rounds} rounds; milliseconds of the main thread in a frame: scripting p95 (max), with style, layout and paint p95`);
  const summary = Object.fromEntries(Object.entries(all).map(([size, list]) => [size, told(size, list)]));
  return { ...summary, rounds: all };
}

function told(size: string, rounds: readonly Measured[]): object {
  const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const of = (pick: (round: Measured) => number): number => Math.round(median(rounds.map(pick)) * 10) / 10;
  const [list, graph] = [of((each) => each.list), of((each) => each.graph)];
  console.log(`  ${size}: opens as a list in ${list.toFixed(0)} ms, as a graph in ${graph.toFixed(0)} ms`);
  const gestures = Object.fromEntries(Object.keys(rounds[0]!.gestures).map((name) => {
    const figures = { frames: of((each) => each.gestures[name]!.frames), scripting_p95: of((each) => each.gestures[name]!.scripting.p95), scripting_max: of((each) => each.gestures[name]!.scripting.max), everything_p95: of((each) => each.gestures[name]!.everything.p95), everything_max: of((each) => each.gestures[name]!.everything.max) };
    console.log(`    ${name.padEnd(32)} scripting p95 ${figures.scripting_p95.toFixed(1).padStart(6)} (max ${figures.scripting_max.toFixed(1)}), everything p95 ${figures.everything_p95.toFixed(1)} (max ${figures.everything_max.toFixed(1)}), ${figures.frames} frames`);
    return [name, figures];
  }));
  return { list_ms: list, graph_ms: graph, gestures };
}

async function measure(studio: Studio): Promise<Measured> {
  const page = await studio.open(studio.person("super_admin"), "/mappings", { height: 1000 });
  try {
    await page.getByRole("link", { name: "wide/everything", exact: true }).waitFor();
    const list = await until(page, '[href="/mappings/wide/everything"]', '[data-field] [data-row-button]');
    const gestures: Record<string, Frames> = {};
    const traced = async (name: string, work: () => Promise<void>): Promise<void> => { gestures[name] = await frames(studio, page, work); };

    await page.locator("[data-source] >> nth=5").waitFor();
    await traced("list: scrolling", () => wheel(page, page.locator("[data-field]").first(), 40));
    await page.evaluate(() => scrollTo(0, 0));
    await traced("list: dragging a source field", () => drag(page, page.locator('[data-source="person.name"]').first(), page.locator("[data-field=field_005]")));
    await traced("list: letting it go on a row", () => page.mouse.up());
    await page.locator("[data-field=field_005] [data-row-button]").click();
    await page.locator("[data-field=field_003] [data-row-button]").click();
    const text = page.getByRole("textbox", { name: "Expression of field_003" });
    await text.click();
    await page.keyboard.press("End");
    await traced("list: typing", () => type(page, ' & person.name & "!"'));
    await page.locator("[data-field=field_003] [data-row-button]").click();

    const graph = await until(page, 'input[type=radio][value=graph]', ".react-flow__node-target [data-target]", ".react-flow__edge");
    await page.waitForTimeout(300);
    await traced("graph: moving the picture", () => pan(page));
    await traced("graph: dragging a wire", async () => drag(page, await inSight(page, ".react-flow__node-source [data-source] .react-flow__handle"), await inSight(page, ".react-flow__node-target [data-target] .react-flow__handle")));
    await traced("graph: letting it go", () => page.mouse.up());
    await page.keyboard.press("Escape");
    await (await inSight(page, ".react-flow__node-target [data-target] .react-flow__handle")).locator("xpath=..").click();
    await page.locator(".cm-content").first().click();
    await page.keyboard.press("End");
    await traced("graph: typing", () => type(page, ' & person.name & "!"'));
    return { list, graph, gestures };
  } finally { await page.context().close(); }
}

/** Presses something, and counts until what is waited for is there and painted. */
function until(page: Page, press: string, ...wanted: string[]): Promise<number> {
  return page.evaluate(({ press: selector, wanted: all }) => new Promise<number>((resolve) => {
    const begun = performance.now();
    document.querySelector<HTMLElement>(selector)!.click();
    const look = (): void => { requestAnimationFrame(() => { if (all.every((each) => document.querySelector(each) !== null)) setTimeout(() => resolve(performance.now() - begun)); else look(); }); };
    look();
  }), { press, wanted });
}

async function frames(studio: Studio, page: Page, work: () => Promise<void>): Promise<Frames> {
  await studio.browser.startTracing(page, { categories: CATEGORIES });
  await work();
  await page.waitForTimeout(100);
  return framesOf(await studio.browser.stopTracing());
}

type Place = Parameters<typeof restingMiddle>[0];

/** The one in the middle of those that can be seen. */
async function inSight(page: Page, selector: string): Promise<Place> {
  const places = await page.locator(selector).evaluateAll((all) => { const pane = document.querySelector(".react-flow")!.getBoundingClientRect(); return all.flatMap((each, index) => { const { top, bottom } = each.getBoundingClientRect(); return top > pane.top + 40 && bottom < Math.min(pane.bottom, innerHeight) - 80 ? [index] : []; }); });
  return page.locator(selector).nth(places[Math.floor(places.length / 2)]!);
}

/** Takes it, and brings it there; it is let go elsewhere. */
async function drag(page: Page, from: Place, to: Place): Promise<void> {
  const [a, b] = [await restingMiddle(from), await restingMiddle(to)];
  await page.mouse.move(a.x, a.y);
  await page.mouse.down();
  // There and back again, past many rows.
  const stops = [{ x: (a.x + b.x) / 2, y: a.y }, { x: b.x, y: Math.min(b.y + 400, 900) }, { x: (a.x + b.x) / 2, y: b.y }, b];
  let at = a;
  for (const stop of stops) {
    for (let step = 1; step <= 20; step++) {
      await page.mouse.move(at.x + ((stop.x - at.x) * step) / 20, at.y + ((stop.y - at.y) * step) / 20);
      await page.waitForTimeout(MOVE_MILLISECONDS);
    }
    at = stop;
  }
}

async function pan(page: Page): Promise<void> {
  const box = (await page.locator(".react-flow__pane").boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + 12);
  for (let step = 0; step < 60; step++) { await page.mouse.wheel(0, step < 30 ? 60 : -60); await page.waitForTimeout(MOVE_MILLISECONDS); }
}

async function wheel(page: Page, over: Place, steps: number): Promise<void> {
  const { x, y } = await restingMiddle(over);
  await page.mouse.move(x, y);
  for (let step = 0; step < steps; step++) { await page.mouse.wheel(0, 240); await page.waitForTimeout(MOVE_MILLISECONDS * 2); }
}

async function type(page: Page, text: string): Promise<void> {
  for (const letter of text) { await page.keyboard.type(letter); await page.waitForTimeout(60); }
}
