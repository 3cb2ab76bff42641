/**
 * Goes through a page with the Tab key alone: everything that can be pressed or written in is reached, the focus is seen
 * wherever it is, nothing holds it, and it ends where it began. What belongs to one widget (tabs, radios, a tree, a list that
 * arrows go through) is one stop.
 */
import type { Page } from "playwright-core";

/** What the field beside it does too (arrows, Backspace), and the steps of a wizard, which say where one is and cannot be pressed. */
const NO_STOP = ".mantine-NumberInput-control, .mantine-InputClearButton-root, .mantine-PasswordInput-visibilityToggle, .mantine-Stepper-step";
/** More stops than any page has. */
const MOST = 400;

interface Tabbing { readonly wanted: HTMLElement[]; readonly unreachable: HTMLElement[]; readonly looks: readonly string[]; look(element: HTMLElement): string }
interface Stop { readonly index: number; readonly name: string; readonly isSeen: boolean; readonly isInSight: boolean }

/** @param place begins there: the frame around it is the same on every page. */
export async function tabThrough(page: Page, place = "body"): Promise<string[]> {
  await page.evaluate(([noStop, from]) => {
    const isShown = (element: Element): boolean => element.checkVisibility({ visibilityProperty: true, opacityProperty: false }) && element.closest("[inert]") === null;
    const around = document.querySelector(from)!;
    const all = [...around.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, summary, [contenteditable=true], [tabindex], [role=button], [role=link], [role=menuitem], [role=checkbox], [role=switch]")];
    const wanted = all.filter((element) => {
      if (!isShown(element) || element.matches(":disabled, [type=hidden], [aria-hidden=true] *, [aria-hidden=true]")) return false;
      if (element.tabIndex < 0) return false;
      // Of radios with one name, the chosen one or the first is the stop.
      if (element instanceof HTMLInputElement && element.type === "radio") { const group = [...document.querySelectorAll<HTMLInputElement>(`input[type=radio][name="${CSS.escape(element.name)}"]`)]; return element === (group.find(({ checked }) => checked) ?? group[0]); }
      return true;
    });
    const unreachable = all.filter((element) => isShown(element) && element.tabIndex < 0 && element.matches("a, button, input, select, textarea, [role=button], [role=link]") && !element.matches(":disabled, [aria-hidden=true], [aria-hidden=true] *, [data-row-button]") && element.closest("[role=tablist], [role=radiogroup], [role=tree], [role=menu], [role=listbox], [role=spinbutton], .cm-editor") === null && !element.matches(noStop));
    // The next Tab goes on from where the focus was last, also after a blur: it begins at the top.
    const top = Object.assign(document.createElement("span"), { tabIndex: -1 });
    around.prepend(top);
    top.focus();
    top.remove();
    scrollTo(0, 0);
    // How it looks, with what may show the focus for it: its label, the box around it.
    const look = (element: HTMLElement): string => [element, element.parentElement, element.nextElementSibling, element.parentElement?.parentElement, element.closest("label"), element.closest(".cm-editor")].map((each) => { if (!each) return ""; const { outlineStyle, outlineWidth, boxShadow, borderTopColor, backgroundColor } = getComputedStyle(each); return outlineStyle === "none" ? [boxShadow, borderTopColor, backgroundColor].join() : [outlineWidth, boxShadow, borderTopColor, backgroundColor].join(); }).join(" | ");
    (globalThis as unknown as { tabbing: object }).tabbing = { wanted, unreachable, look, looks: wanted.map(look) };
  }, [NO_STOP, place] as const);
  const found: string[] = [];
  const reached = new Set<number>();
  let last = -2;
  for (let step = 0; step < MOST; step++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(async (): Promise<Stop> => {
      const { wanted, look, looks } = (globalThis as unknown as { tabbing: Tabbing }).tabbing;
      const element = document.activeElement as HTMLElement | null;
      if (element === null || element === document.body) return { index: -1, name: "", isSeen: true, isInSight: true };
      const name = `<${element.tagName.toLowerCase()}> ${(element.getAttribute("aria-label") ?? element.textContent ?? "").replaceAll(/\s+/g, " ").trim().slice(0, 60) || element.id || element.className}`;
      const index = wanted.indexOf(element);
      const isSeen = (): boolean => index < 0 || looks[index] !== look(element);
      // Some show it a moment later.
      for (let tries = 0; tries < 10 && !isSeen(); tries++) await new Promise((resolve) => { setTimeout(resolve, 20); });
      const box = element.getBoundingClientRect();
      return { index, name, isSeen: isSeen(), isInSight: box.width === 0 || (box.bottom > 0 && box.top < innerHeight) };
    });
    if (stop.name === "") break;                                       // out of the page, and round again
    if (stop.index >= 0 && reached.has(stop.index)) { if (stop.index === last) found.push(`the focus is held by ${stop.name}`); break; }
    if (stop.index >= 0) reached.add(stop.index);
    if (!stop.isSeen) found.push(`the focus is not seen on ${stop.name}`);
    if (!stop.isInSight) found.push(`the focus is out of sight on ${stop.name}`);
    last = stop.index;
  }
  const missed = await page.evaluate((done) => {
    const { wanted, unreachable } = (globalThis as unknown as { tabbing: Tabbing }).tabbing;
    const name = (element: HTMLElement): string => `<${element.tagName.toLowerCase()}> ${(element.getAttribute("aria-label") ?? element.textContent ?? "").replaceAll(/\s+/g, " ").trim().slice(0, 60) || element.className}`;
    return [...wanted.flatMap((element, index) => (done.includes(index) || !element.isConnected ? [] : [`not reached: ${name(element)}`])), ...unreachable.map((element) => `no stop of the Tab key: ${name(element)}`)];
  }, [...reached]);
  return [...found, ...missed].slice(0, 12);
}
