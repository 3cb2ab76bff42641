/**
 * The system's Chromium, as a person would use it. Browser tests say that they skip where there is none.
 */
import { existsSync } from "node:fs";
import { chromium, type Browser, type Locator, type Page } from "playwright-core";

/** Where Debian, Fedora and macOS put it. */
const PLACES = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

export const chromiumPath: string | undefined = PLACES.find((place) => place !== undefined && existsSync(place));

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath!, args: ["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"] });
}

/** Signs in through the page, as anybody would. */
export async function signIn(page: Page, url: string, { email, password }: { readonly email: string; readonly password: string }): Promise<void> {
  await page.goto(`${url}/sign-in`);
  await page.locator("input[name=email]").fill(email);
  await page.locator("input[name=password]").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("navigation", { name: "Operate" }).waitFor();
}

/** The middle of what is there, once it rests: for a mouse that drags, which waits for nothing by itself. */
export async function restingMiddle(at: Locator): Promise<{ x: number; y: number }> {
  await at.waitFor();
  for (let before = await at.boundingBox(); ; ) {
    await at.page().waitForTimeout(60);
    const now = await at.boundingBox();
    if (now !== null && before !== null && now.x === before.x && now.y === before.y) return { x: now.x + now.width / 2, y: now.y + now.height / 2 };
    before = now;
  }
}
