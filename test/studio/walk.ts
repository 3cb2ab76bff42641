/** Goes from page to page as somebody, and notes what should never be: errors, what axe finds, sideways scrolling, secrets in answers. */
import type { Page } from "playwright-core";
import { axeOn } from "../support/axe.ts";
import type { Studio } from "../support/studio.ts";

/** Credentials of the demo's stand-ins: in no answer, ever. */
export const canaries = (studio: Studio): string[] => studio.demo.connections.flatMap(({ secrets }) => Object.values(secrets)).filter((value) => value.length >= 8);

/** @returns one line for everything found. */
export async function walk(studio: Studio, page: Page, paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const secrets = canaries(studio);
  const reading: Promise<void>[] = [];
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
  }
  await Promise.all(reading);
  return [...found, ...studio.errorsOf(page).map((error) => `said: ${error}`)];
}

/** There is a heading, and nothing loads any more. */
export async function settled(page: Page): Promise<void> {
  await page.locator("h1").first().waitFor();
  await page.waitForFunction(() => document.querySelector("[aria-busy=true]") === null);
}
