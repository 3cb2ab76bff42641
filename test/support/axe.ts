/** What axe finds wrong with a page for who uses it with a keyboard or a screen reader: https://github.com/dequelabs/axe-core. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

let source: Promise<string> | undefined;

/** One line for each violation: its rule and where. Evaluated, not added: the server's policy lets no foreign script in. @param within a selector: only there. */
export async function axeOn(page: Page, within?: string): Promise<string[]> {
  source ??= readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(await source);
  return page.evaluate(async (place) => {
    const { axe } = globalThis as unknown as { axe: { run(context: string | Document): Promise<{ violations: { id: string; nodes: { target: string[]; failureSummary?: string }[] }[] }> } };
    return (await axe.run(place ?? document)).violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ target, failureSummary }) => `${target.join(" ")} ${failureSummary}`).join(", ")}`);
  }, within);
}
