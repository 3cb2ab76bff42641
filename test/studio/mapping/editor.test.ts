/** The mapping editor under a hand: everything here is done with the mouse, in a real browser, against the real server. */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { read } from "../../../engine/manifest/index.ts";
import { readTrees } from "../../../server/workspace/read-tree.ts";
import { chromiumPath, openStudio, type Studio } from "../../support/studio.ts";
import { ORDERS } from "./orders.ts";

const withBrowser = test.skipIf(chromiumPath === undefined);
let studio: Studio;
let page: Page;
beforeAll(async () => { if (chromiumPath !== undefined) studio = await openStudio({ files: ORDERS }); }, 120_000);
afterAll(async () => { await studio?.close(); });
beforeEach(async () => {
  if (chromiumPath === undefined) return;
  page = await openGraph("orders/order");
});

async function openGraph(mapping: string): Promise<Page> {
  const opened = await studio.open(studio.person("super_admin"), `/mappings/${mapping}`, { height: 1000 });
  await opened.getByRole("list", { name: "Target fields" }).waitFor();
  await opened.getByText("Graph", { exact: true }).click();
  await opened.locator(".react-flow__node-target").waitFor();
  return opened;
}

const source = (path: string): Locator => page.locator(`.react-flow__node-source [data-source="${path}"] .react-flow__handle`);
const target = (field: string): Locator => page.locator(`.react-flow__node-target [data-target="${field}"] .react-flow__handle`);
const port = (field: string, kind: string, place: string): Locator => page.locator(`[data-of="${field}"][data-node="${kind}"] [data-port="${place}"] .react-flow__handle`);

/** Drags as a hand does: pressed, moved in a few steps, let go. */
async function drag(from: Locator, to: Locator): Promise<void> {
  const [a, b] = [await middleOf(from), await middleOf(to)];
  await page.mouse.move(a.x, a.y);
  await page.mouse.down();
  await page.mouse.move((a.x + b.x) / 2, (a.y + b.y) / 2, { steps: 4 });
  await page.mouse.move(b.x, b.y, { steps: 4 });
  await page.mouse.up();
}

async function middleOf(at: Locator): Promise<{ x: number; y: number }> {
  const box = (await at.boundingBox())!;
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** Moves there and presses, as `click` of a locator, but never with a key. */
const press = async (at: Locator): Promise<void> => { await at.waitFor(); const { x, y } = await middleOf(at); await page.mouse.click(x, y); };

async function choose(...names: readonly string[]): Promise<void> {
  for (const [index, name] of names.entries()) {
    const item = page.getByRole("menuitem", { name }).first();
    await item.waitFor();
    if (index < names.length - 1) { const { x, y } = await middleOf(item); await page.mouse.move(x, y, { steps: 3 }); await page.getByRole("menuitem", { name: names[index + 1]! }).first().waitFor(); }
    else await press(item);
  }
}

/** The field's text, as the list shows it. */
async function textOf(field: string): Promise<string> {
  await press(page.getByText("List", { exact: true }));
  const text = await page.locator(`[data-field="${field}"] [data-expression]`).innerText();
  await press(page.getByText("Graph", { exact: true }));
  await page.locator(".react-flow__node-target").waitFor();
  return text;
}

/** Proposes with the mouse, and reads the commit. @returns lines that went, lines that came. */
async function propose(): Promise<{ file: string; gone: string[]; came: string[] }> {
  await press(page.getByRole("button", { name: /^Propose change/ }));
  await press(page.getByRole("dialog").getByRole("button", { name: "Propose", exact: true }));
  await page.waitForURL(/\/changes\/[^/]+$/);
  const change = await studio.api<{ branch: string; plan: { files: { file: string }[] } }>(studio.person("super_admin"), "GET", `/api/changes/${page.url().split("/").at(-1)}`);
  const [{ file }] = change.plan.files as [{ file: string }];
  const [before, after] = [await studio.fileAt("main", file).catch(() => ""), await studio.fileAt(change.branch, file)].map((text) => text.split("\n"));
  expect(change.plan.files).toHaveLength(1);
  return { file, gone: before!.filter((line) => !after!.includes(line)), came: after!.filter((line) => !before!.includes(line)) };
}

withBrowser("a concatenation: a field is dropped on one that has a value, and joined", async () => {
  await drag(source("customer.last"), target("buyer"));
  await choose("Join as one text");
  expect(await textOf("buyer")).toBe('customer.first & " " & customer.last');
  await page.locator('[data-of="buyer"][data-node="concat"]').getByText('"Ada Lovelace"').waitFor();
  expect(await propose()).toEqual({ file: "mappings/orders/order.yaml", gone: ["  buyer: customer.first                     # who signs"], came: [`  buyer: 'customer.first & " " & customer.last' # who signs`] });
  expect(studio.errorsOf(page)).toEqual([]);
});

withBrowser("a default: of a text, when there is none", async () => {
  await drag(source("remark"), target("note"));
  expect(await textOf("note")).toBe("remark");
  await drag(source("status"), target("note"));
  await choose("Use it when there is none");
  expect(await textOf("note")).toBe("remark ?: status");
  await press(page.locator('[data-of="note"][data-node="default"]').getByRole("button", { name: "Change Default" }));
  await choose("Default", "an empty text");
  expect(await textOf("note")).toBe('remark ?: status ?? ""');
});

withBrowser("an if: a field only where another is there", async () => {
  await drag(source("customer.vip"), target("phone"));
  await choose("Only if it is there");
  expect(await textOf("phone")).toBe("customer.vip ? customer.phone");
  await drag(source("remark"), port("phone", "if", "else"));
  expect(await textOf("phone")).toBe("customer.vip ? customer.phone : remark");
  expect(await propose()).toMatchObject({ gone: ["  phone: customer.phone"], came: ['  phone: "customer.vip ? customer.phone : remark"'] });
});
