/** Goes from page to page as somebody, opens what opens there, and notes what should never be: errors, what axe finds, sideways scrolling, secrets in answers, keys that lead nowhere. */
import type { ElementHandle, Page } from "playwright-core";
import { axeOn } from "../support/axe.ts";
import type { Studio } from "../support/studio.ts";
import { tabThrough } from "./tab-through.ts";

/** Of triggers that are alike (one in each row of a table), the first stands for all. */
const TRIGGERS = "[aria-haspopup]:not([aria-haspopup=false]):not(:disabled):not([data-disabled])";

/** Credentials of the demo's stand-ins: in no answer, ever. */
export const canaries = (studio: Studio): string[] => studio.demo.connections.flatMap(({ secrets }) => Object.values(secrets)).filter((value) => value.length >= 8);

/** @returns one line for everything found. */
export async function walk(studio: Studio, page: Page, paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const secrets = canaries(studio);
  const reading: Promise<void>[] = [];
  const opened = new Set<string>();
  page.on("response", (response) => {
    if (!new URL(response.url()).pathname.startsWith("/api/") || /\/api\/live/.test(response.url())) return;
    reading.push(response.text().then((body) => { if (secrets.some((secret) => body.includes(secret))) found.push(`a secret in ${response.url()}`); }, () => undefined));
    if (response.status() >= 400) found.push(`${response.status()} ${response.url()}`);
  });
  for (const path of paths) {
    await page.goto(`${studio.url}${path}`);
    const shown = await settled(page).then(() => true, () => false);
    if (!shown) found.push(`shows no heading, or loads for ever: ${path}: ${(await page.locator("body").innerText()).slice(-300)}`);
    for (const line of await axeOn(page)) found.push(`axe, ${path}: ${line}`);
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1)) found.push(`scrolls sideways: ${path}`);
    for (const line of await tabThrough(page, path === paths[0] ? "body" : "main")) found.push(`keys, ${path}: ${line}`);
    for (const line of await openAll(page, opened)) found.push(`${path}: ${line}`);
  }
  await Promise.all(reading);
  return [...found, ...studio.errorsOf(page).map((error) => `said: ${error}`)];
}

/** Opens every menu, dialog and list with the keyboard, asks axe about it, and closes it with Escape: the focus must be where it was. The frame's own, and those that were opened on another page, once. */
async function openAll(page: Page, opened: Set<string>): Promise<string[]> {
  const found: string[] = [];
  for (const trigger of (await page.locator(TRIGGERS).elementHandles()) as ElementHandle<HTMLElement>[]) {
    const about = await trigger.evaluate((element) => {
      const name = (element.getAttribute("aria-label") ?? element.textContent ?? "").replaceAll(/\s+/g, " ").trim().slice(0, 80) || element.id;
      const around = element.closest("header, table, [role=list], [role=menu], .react-flow, article");
      return { name, popup: element.getAttribute("aria-haspopup")!, kind: around === null ? name : `${around.tagName} ${around.getAttribute("aria-label") ?? ""} ${element.className}`, isShown: element.checkVisibility({ visibilityProperty: true }) && !element.closest("[inert], [aria-hidden=true]") };
    }).catch(() => undefined);
    if (about === undefined || !about.isShown) continue;
    const key = `${about.popup} ${about.kind}`;
    if (opened.has(key)) continue;
    opened.add(key);
    const said = await openOne(page, trigger, about.popup);
    for (const line of said) found.push(`${about.popup} of “${about.name}”: ${line}`);
  }
  return found;
}

async function openOne(page: Page, trigger: ElementHandle<HTMLElement>, popup: string): Promise<string[]> {
  await trigger.focus();
  await page.keyboard.press(popup === "listbox" ? "ArrowDown" : "Enter");
  const content = await shownBy(page, trigger);
  if (content === null) return ["does not open with the keyboard"];
  const said = await axeIn(page, content);
  const items = await content.$$("[role=menuitem][aria-haspopup=dialog]");
  const names = await Promise.all(items.map((item) => item.innerText()));
  await closed(page, content, trigger, said);
  // Items that open a dialog: it takes the menu's place, and gives the focus back to what opened the menu.
  for (const name of names) {
    await trigger.focus();
    await page.keyboard.press("Enter");
    const menu = await shownBy(page, trigger);
    await (await menu?.$(`[role=menuitem]:has-text(${JSON.stringify(name)})`))?.press("Enter");
    const dialog = await page.waitForSelector("[role=dialog]", { timeout: 3000 }).catch(() => null);
    const found = dialog === null ? ["opens nothing"] : await axeIn(page, dialog as ElementHandle<HTMLElement>);
    if (dialog !== null) await closed(page, dialog as ElementHandle<HTMLElement>, trigger, found);
    said.push(...found.map((line) => `“${name}”: ${line}`));
  }
  return said;
}

/** What a trigger controls, or what is on top. */
async function shownBy(page: Page, trigger: ElementHandle<HTMLElement>): Promise<ElementHandle<HTMLElement> | null> {
  return page.waitForFunction((element) => {
    const ids = element.getAttribute("aria-controls");
    const isShown = (each: HTMLElement | null): each is HTMLElement => each !== null && each.checkVisibility({ visibilityProperty: true }) && each.getBoundingClientRect().height > 0;
    const own = ids === null ? null : document.getElementById(ids);
    return isShown(own) ? own : [...document.querySelectorAll<HTMLElement>("[role=dialog], [role=menu], [role=listbox], [role=alertdialog]")].filter(isShown).at(-1);
  }, trigger, { timeout: 3000 }).then((handle) => handle.asElement() as ElementHandle<HTMLElement> | null, () => null);
}

async function axeIn(page: Page, content: ElementHandle<HTMLElement>): Promise<string[]> {
  // A dialog gets its name an effect after it is shown. One that has none after a while has none.
  await page.waitForFunction((element) => element.role !== "dialog" || element.hasAttribute("aria-labelledby") || element.hasAttribute("aria-label"), content, { timeout: 2000 }).catch(() => undefined);
  const id = await content.evaluate((element) => (element.id ||= "opened-by-the-walk"));
  return axeOn(page, `[id="${id}"]`);
}

async function closed(page: Page, content: ElementHandle<HTMLElement>, trigger: ElementHandle<HTMLElement>, said: string[]): Promise<void> {
  await page.keyboard.press("Escape");
  await page.waitForFunction((element) => !element.isConnected || !element.checkVisibility({ visibilityProperty: true }), content, { timeout: 2000 }).catch(() => said.push("does not close with Escape"));
  const isBack = await page.waitForFunction((element) => document.activeElement === element, trigger, { timeout: 2000 }).then(() => true, () => false);
  if (!isBack) said.push(`after Escape the focus is at ${await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 120))}`);
}

/** There is a heading, and nothing loads any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator("h1").first().waitFor();
  await page.waitForFunction(() => document.querySelector("[aria-busy=true]") === null);
}
