/** The mapping editor under a hand: everything here is done with the mouse, in a real browser, against the real server. */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { chromiumPath, openStudio, restingMiddle, type Studio } from "../../support/studio.ts";
import { LARGE, LARGE_FILE, largeWorkspace } from "./large.ts";
import { ORDERS } from "./orders.ts";

/** Of a machine that does much else. */
const LONG = { timeout: 120_000 };
const FILE = "mappings/orders/order.yaml";
const withBrowser = test.skipIf(chromiumPath === undefined);
let studio: Studio;
let page: Page;
beforeAll(async () => { if (chromiumPath !== undefined) studio = await openStudio({ files: { ...ORDERS, ...largeWorkspace({ targets: 300, sources: 500 }) } }); }, 120_000);
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
  const [a, b] = [await restingMiddle(from), await restingMiddle(to)];
  await page.mouse.move(a.x, a.y);
  await page.mouse.down();
  await page.mouse.move((a.x + b.x) / 2, (a.y + b.y) / 2, { steps: 4 });
  await page.mouse.move(b.x, b.y, { steps: 4 });
  await page.mouse.up();
}

/** What a step's menu says. */
async function change(field: string, kind: string, ...names: readonly string[]): Promise<void> {
  await press(page.locator(`[data-of="${field}"][data-node="${kind}"]`).getByRole("button", { name: /^Change / }).first());
  await choose(...names);
}

/** A wire from the source has no step of its own: what shall be done with it is in the menu of the field. */
async function menuOfTarget(field: string, ...names: readonly string[]): Promise<void> {
  await press(page.locator(`[data-target="${field}"]`).getByRole("button", { name: `Change ${field}` }));
  await choose(...names);
}

/** Moves there and presses, as `click` of a locator, but never with a key. */
const press = async (at: Locator): Promise<void> => { await at.waitFor(); const { x, y } = await restingMiddle(at); await page.mouse.click(x, y); };

/** Items of the menu that is open, one after the other: the first may open a page of it. */
async function choose(...names: readonly string[]): Promise<void> {
  for (const name of names) await press(page.getByRole("menuitem", { name: new RegExp(`^${name}`) }).filter({ hasText: new RegExp(`^${name}$`) }));
}

/** The field's text, beside the graph once something was done with it. */
const textOf = (field: string): Promise<string> => page.getByRole("textbox", { name: `Expression of ${field}` }).innerText();

/** Proposes with the mouse, and reads the commit: of one file, one line came and at most one went. @returns both, and what the new one says. */
async function propose(file = FILE): Promise<{ gone: string[]; came: string; says: unknown }> {
  await press(page.getByRole("button", { name: /^Propose change/ }));
  await press(page.getByRole("dialog").getByRole("button", { name: "Propose", exact: true }));
  await page.waitForURL(/\/changes\/[^/]+$/);
  const change = await studio.api<{ branch: string; plan: { files: { file: string }[] } }>(studio.person("super_admin"), "GET", `/api/changes/${page.url().split("/").at(-1)}`);
  expect(change.plan.files).toMatchObject([{ file }]);
  const [before, after] = [await studio.fileAt("main", file), await studio.fileAt(change.branch, file)].map((text) => text.split("\n"));
  const [gone, came] = [before!.filter((line) => !after!.includes(line)), after!.filter((line) => !before!.includes(line))];
  expect(came).toHaveLength(1);
  expect(after).toHaveLength(before!.length + 1 - gone.length);
  return { gone, came: came[0]!, says: parse(came[0]!) };
}

withBrowser("a concatenation: a field is dropped on one that has a value, and joined", LONG, async () => {
  await drag(source("customer.last"), target("buyer"));
  await choose("Join as one text");
  expect(await textOf("buyer")).toBe('customer.first & " " & customer.last');
  await page.locator('[data-of="buyer"][data-node="concat"]').getByText('"Ada Lovelace"').waitFor();
  const made = await propose();
  expect(made).toMatchObject({ gone: ["  buyer: customer.first                     # who signs"], says: { buyer: 'customer.first & " " & customer.last' } });
  expect(made.came).toContain("# who signs");
  expect(studio.errorsOf(page)).toEqual([]);
});

withBrowser("a default: another field when there is none, and a text when there is neither", LONG, async () => {
  await drag(source("remark"), target("note"));
  expect(await textOf("note")).toBe("remark");
  await drag(source("customer.last"), target("note"));
  await choose("Use it when there is none");
  expect(await textOf("note")).toBe("remark ?: customer.last");
  await change("note", "default", "Default when absent", "an empty text");
  expect(await textOf("note")).toBe('remark ?: customer.last ?? ""');
  expect(await propose()).toMatchObject({ gone: [], says: { note: 'remark ?: customer.last ?? ""' } });
});

withBrowser("an if: a field only where another is there, and otherwise a third", LONG, async () => {
  await drag(source("customer.vip"), target("phone"));
  await choose("Only if it is there");
  expect(await textOf("phone")).toBe("customer.vip ? customer.phone");
  await drag(source("remark"), port("phone", "if", "else"));
  expect(await textOf("phone")).toBe("customer.vip ? customer.phone : remark");
  expect(await propose()).toMatchObject({ gone: ["  phone: customer.phone"], says: { phone: "customer.vip ? customer.phone : remark" } });
});

withBrowser("a date conversion: from day/month/year", LONG, async () => {
  await drag(source("ordered"), target("ordered_on"));
  await press(page.locator('[data-target="ordered_on"]'));
  await menuOfTarget("ordered_on", "Date", "From day/month/year to date");
  expect(await textOf("ordered_on")).toBe('$fromMillis($toMillis(ordered, "[D01]/[M01]/[Y0001]"), "[Y0001]-[M01]-[D01]")');
  await page.locator('[data-target="ordered_on"]').getByText('"2026-11-03"').waitFor();
  expect(await propose()).toMatchObject({ gone: [], says: { ordered_on: '$fromMillis($toMillis(ordered, "[D01]/[M01]/[Y0001]"), "[Y0001]-[M01]-[D01]")' } });
});

withBrowser("a lookup: the values seen, each beside the choice most like it, and then another", LONG, async () => {
  await drag(source("status"), target("state"));
  await menuOfTarget("state", "Look it up in a table");
  expect(await textOf("state")).toBe('$lookup({ "O": "open", "S": "open" }, status)');
  await press(page.locator('[data-of="state"][data-node="lookup"] [data-port="row1"]').getByRole("button", { name: "S of Table: choose" }));
  await choose("shipped");
  expect(await textOf("state")).toBe('$lookup({ "O": "open", "S": "shipped" }, status)');
  expect(await propose()).toMatchObject({ gone: [], says: { state: '$lookup({ "O": "open", "S": "shipped" }, status)' } });
});

withBrowser("a for-each over nested items: each becomes what the target asks for, read inside of the item", LONG, async () => {
  await drag(source("lines"), target("items"));
  await menuOfTarget("items", "For each item, an object");
  expect(await textOf("items")).toBe('lines.{ "sku": sku, "quantity": quantity }');
  await page.getByText("Item 1 of 2").waitFor();
  await drag(source("lines.price"), port("items", "object", "1"));
  expect(await textOf("items")).toBe('lines.{ "sku": sku, "quantity": price }');
  await drag(source("customer.last"), port("items", "object", "0"));
  expect(await textOf("items")).toBe('lines.{ "sku": $$.customer.last, "quantity": price }');
  await press(page.getByRole("button", { name: "The next item" }));
  await page.locator('[data-of="items"][data-node="object"]').getByText('{"sku":"Lovelace","quantity":9}').waitFor();
  await press(page.getByRole("button", { name: "Undo" }));
  await press(page.getByRole("button", { name: "Undo" }));
  expect(await textOf("items")).toBe('lines.{ "sku": sku, "quantity": quantity }');
  expect(await propose()).toMatchObject({ gone: [], says: { items: 'lines.{ "sku": sku, "quantity": quantity }' } });
});

withBrowser("every mapping we ship opens as a graph, all of it drawn", LONG, async () => {
  const { data } = await studio.api<{ data: { id: string; fields: number }[] }>(studio.person("super_admin"), "GET", "/api/mappings");
  expect(data.length).toBeGreaterThan(8);
  for (const { id, fields } of data) {
    if (id === LARGE) continue;                                       // drawn in parts: below
    await press(page.getByRole("navigation", { name: "Build" }).getByRole("link", { name: "Mappings" }));
    await press(page.getByRole("link", { name: id, exact: true }));
    await page.getByRole("heading", { level: 1, name: id, exact: true }).waitFor();
    await press(page.getByText("Graph", { exact: true }));
    await page.locator(".react-flow__node-target").waitFor();
    await page.locator(".react-flow__edge").first().waitFor({ state: "attached" });
    expect(await page.locator(".react-flow__edge").count(), id).toBeGreaterThanOrEqual(fields - 4);
    expect(await page.locator('[data-node="opaque"]').count(), id).toBe(0);
  }
  expect(studio.errorsOf(page)).toEqual([]);
});

withBrowser("a mapping of 300 target and 500 source fields opens in both views, is found through by name and by keys, and an edit of it is one line", LONG, async () => {
  await page.goto(`${studio.url}/mappings/${LARGE}`);
  await page.locator("[data-field=field_299]").waitFor({ state: "attached" });
  expect(await page.locator("[data-field]").count()).toBe(300);
  // Both columns are one stop of the Tab key each; what is far away is drawn once somebody goes there.
  const sources = page.getByRole("tree", { name: "Source fields" });
  expect(await sources.getByRole("treeitem").count()).toBeLessThan(100);
  await sources.focus();
  await page.keyboard.press("End");
  await sources.locator('[data-source="history.rank"]').waitFor();
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement!.closest("[data-field]")?.getAttribute("data-field"))).toBe("reference");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Expression of field_299" }).waitFor();
  await page.keyboard.press("Enter");

  await page.getByText("Graph", { exact: true }).click();              // scrolled back to
  await page.getByText("277–300 of 300 fields").waitFor();
  await page.getByRole("combobox", { name: "Find a target field" }).fill("field_250");
  await press(page.getByRole("option", { name: "field_250" }));
  await target("field_250").waitFor();
  expect(await page.locator(".react-flow__node-target [data-target]").count()).toBe(24);
  await page.getByRole("textbox", { name: "Find a source field" }).fill("history.rank");
  await drag(source("history.rank"), target("field_250"));
  await choose("Replace it");
  expect(await textOf("field_250")).toBe("history.rank");
  expect(await propose(LARGE_FILE)).toMatchObject({ gone: [expect.stringMatching(/^ {2}field_250: /)], says: { field_250: "history.rank" } });
  expect(studio.errorsOf(page)).toEqual([]);
});

withBrowser("without a mouse: a row is reached and opened, a step is changed, a place is filled by name", LONG, async () => {
  await page.getByRole("radio", { name: "Graph" }).focus();
  await page.keyboard.press("ArrowLeft");
  await page.locator('[data-field="reference"] [data-row-button]').focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Expression of buyer" }).waitFor();
  await page.locator('[data-target="buyer"]').getByRole("button", { name: "Change buyer" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Function around it" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Search: Function around it" }).waitFor();
  await page.keyboard.type("uppercase");
  await page.keyboard.press("Enter");
  expect(await textOf("buyer")).toBe("$uppercase(customer.first)");
  await page.keyboard.press("Escape");
  await page.locator('[data-of="buyer"][data-node="function"]').getByRole("button", { name: "text of $uppercase: choose" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Search: text" }).waitFor();
  await page.keyboard.type("customer.last");
  await page.keyboard.press("Enter");
  expect(await textOf("buyer")).toBe("$uppercase(customer.last)");
});

withBrowser("without a mouse in the list: a field of the source is put into the row that is open, and what it was comes back", LONG, async () => {
  await page.getByText("List", { exact: true }).click();
  await page.locator('[data-field="note"] [data-row-button]').focus();
  await page.keyboard.press("Enter");
  const sources = page.getByRole("tree", { name: "Source fields" });
  await sources.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowDown");                                       // customer, an object
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  expect(await textOf("note")).toBe("customer.first");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  expect(await textOf("note")).toBe('customer.first & " " & customer.last');
  await sources.focus();
  await page.keyboard.press("Control+z");
  await expect.poll(() => textOf("note")).toBe("customer.first");
});

withBrowser("an organisation's override is edited as a text too; a shared mapping offers the records of who uses it", LONG, async () => {
  await page.goto(`${studio.url}/super-admin/organizations/acme/mappings/learners`);
  await page.getByText("Text", { exact: true }).click();
  const text = page.getByRole("textbox", { name: "Text of tenants/acme.yaml" });
  await text.getByText("# a column that only Acme has").click();
  await page.keyboard.press("Home");
  for (let letters = "map: { fields: { ".length; letters > 0; letters--) await page.keyboard.press("ArrowRight");
  await page.keyboard.type("full_name: $uppercase(FullName), ");
  await page.getByRole("button", { name: "Propose change (2)" }).waitFor();     // the field, and the text
  await page.getByText("List", { exact: true }).click();
  await page.locator('[data-field="full_name"]').getByText("$uppercase(FullName)").waitFor();
  page.once("dialog", (dialog) => void dialog.accept());
  await page.goto(`${studio.url}/mappings/hubspot/employer`);
  await page.getByRole("combobox", { name: "Records of an organisation" }).click();
  await page.getByRole("option", { name: "Acme Training Ltd: employers" }).click();
  await page.getByText("It has read none yet.").waitFor();
  expect(studio.errorsOf(page)).toEqual([]);
});

withBrowser("the file as a text is the same thing: what is written there is drawn, and what is drawn is written there; a sample is kept as a test", LONG, async () => {
  await drag(source("customer.last"), target("note"));
  await press(page.getByText("Text", { exact: true }));
  const text = page.getByRole("textbox", { name: `Text of ${FILE}` });
  await expect.poll(() => text.innerText(), { timeout: 10_000 }).toContain("  note: customer.last");
  await text.getByText("# who signs").click();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("paid_att: ordered");
  await page.getByRole("button", { name: /problems? in the file/ }).waitFor();
  for (let letters = "t: ordered".length; letters > 0; letters--) await page.keyboard.press("Backspace");
  await page.keyboard.type(": ordered");
  await press(page.getByText("Graph", { exact: true }));
  await page.locator('[data-target="paid_at"]').getByText('"03/11/2026"').waitFor();
  await page.getByRole("button", { name: "Keep this sample as a test" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("paid on the day");
  await page.getByRole("dialog").getByRole("button", { name: "Keep", exact: true }).click();
  await page.getByRole("row", { name: /passes paid on the day/ }).waitFor();
});
