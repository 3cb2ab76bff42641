/**
 * `npm run tour`: a picture of every page of Studio, into studio/tour/, and the README's list of them. A demo is started in a
 * folder of its own; what is shown is what anybody gets who starts it. A page without a picture fails the run.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromiumPath, openBrowser, signIn } from "../support/browser.ts";
import { projectRoot, startCommand } from "../support/command.ts";
import { stops, type Person } from "./stops.ts";

if (chromiumPath === undefined) {
  console.error("There is no Chromium here (set CHROMIUM to its path).");
  process.exit(1);
}
// By its address: TypeScript would check Studio's pages by the rules of the server.
const { areas } = await import(new URL("../../studio/app/areas.ts", import.meta.url).href) as { areas: readonly { readonly path: string }[] };
const shown = new Set(stops.map(({ page }) => page));
const missing = areas.map(({ path: page }) => page).filter((page) => !shown.has(page));
if (missing.length > 0) {
  console.error(`No picture of: ${missing.join(", ")}. Add a stop to test/tour/stops.ts.`);
  process.exit(1);
}

const folder = path.join(projectRoot, "studio/tour");
const home = await mkdtemp(path.join(tmpdir(), "plugboard-tour-"));
const port = 20_000 + Math.floor(Math.random() * 20_000);
const up = startCommand(["start"], { cwd: home, env: { PORT: String(port) } });
const browser = await openBrowser();
try {
  await up.printed("Up.");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const people = (await readFile(path.join(home, ".plugboard/sign-in"), "utf8")).trim().split("\n").map((line) => line.split("\t").map((part) => part.trim()));
  const key = (await readFile(path.join(home, ".plugboard/api-key"), "utf8")).trim();
  const url = `http://127.0.0.1:${port}`;
  const call = async (method: string, where: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(url + where, { method, headers: { authorization: `Bearer ${key}`, ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (!answer.ok) throw new Error(`${method} ${where}: ${answer.status} ${await answer.text()}`);
    return answer.status === 204 ? undefined : answer.json();
  };
  const pages = new Map<Person, Awaited<ReturnType<typeof open>>>();
  async function open(who: Person) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light", reducedMotion: "reduce" });
    const page = await context.newPage();
    const [email, password] = people.find(([mail]) => mail!.startsWith(who))!;
    await signIn(page, url, { email: email!, password: password! });
    return page;
  }
  const lines: string[] = [];
  for (const { name, title, who = "super", at, prepare } of stops) {
    const page = who === "nobody" ? await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage() : pages.get(who) ?? await open(who);
    if (who !== "nobody") pages.set(who, page);
    const where = typeof at === "string" ? at : await at({ call });
    await page.goto(url + where);
    await page.waitForLoadState("networkidle");
    await prepare?.(page);
    // A picture of grey bars shows nothing: what loads for longer than this fails the run.
    await page.waitForFunction(() => document.querySelector("[aria-busy=true]") === null, undefined, { timeout: 20_000 });
    await page.waitForTimeout(400);
    await page.screenshot({ path: path.join(folder, `${name}.png`) });
    lines.push(`**${title}**`, "", `![${title}](${name}.png)`, "");
    console.log(`${name}.png  ${where}`);
  }
  await writeFile(path.join(folder, "README.md"), `# A tour of Studio\n\nMade by \`npm run tour\` from the demo that \`npm start\` brings.\n\n${lines.join("\n")}`);
  console.log(`${stops.length} pictures in studio/tour`);
} finally {
  await browser.close();
  up.child.kill("SIGTERM");
  await up.ended;
  await rm(home, { recursive: true, force: true });
}
