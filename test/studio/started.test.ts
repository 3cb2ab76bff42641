/** What all browser tests stand on. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { chromiumPath, openStudio, signIn, type Studio } from "../support/studio.ts";

const withBrowser = test.skipIf(chromiumPath === undefined);
let studio: Studio;
beforeAll(async () => { if (chromiumPath !== undefined) studio = await openStudio({ ran: ["northwind/jobs"] }); }, 120_000);
afterAll(async () => { await studio?.close(); });

withBrowser("somebody signs in with a password, and the frame shows what they may do", async () => {
  const page = await studio.open(undefined, "/");
  await signIn(page, studio.url, studio.person("super_admin"));
  expect(await page.getByRole("navigation", { name: "Customers" }).getByRole("link", { name: "Organisations" }).isVisible()).toBe(true);
  expect(studio.errorsOf(page)).toEqual([]);
});

withBrowser("a page opens with the session of whoever is asked for, and shows what ran before", async () => {
  const page = await studio.open(studio.person("integration_engineer"), "/runs?tenant=northwind");
  await page.getByText("Succeeded").first().waitFor();
  expect(await page.getByRole("link", { name: "jobs" }).first().isVisible()).toBe(true);
  const own = await studio.open(studio.person("tenant_admin"), "/mappings");
  await own.getByText(/may not|not allowed|no permission/i).first().waitFor();
});

withBrowser("a server that is away is said, and what was on screen goes on by itself once it is back", async () => {
  const page = await studio.open(studio.person("super_admin"), "/runs?tenant=northwind");
  await page.getByRole("link", { name: "jobs" }).first().waitFor();
  await page.context().setOffline(true);
  await page.getByRole("link", { name: "Quarantine" }).click();
  await page.getByText("Plugboard cannot be reached").first().waitFor();
  await page.context().setOffline(false);
  await page.getByText("Plugboard cannot be reached").first().waitFor({ state: "detached" });
  await page.getByRole("combobox", { name: "Organisation" }).or(page.getByRole("textbox", { name: "Organisation" })).first().waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
});

withBrowser("a page whose content is not there, or whose organisation was not said, still says what it is", async () => {
  const nobody = "00000000-0000-4000-8000-000000000000";
  const page = await studio.open(studio.person("super_admin"), "/");
  for (const [at, title] of [[`/runs/${nobody}?tenant=acme`, "Run"], [`/runs/${nobody}`, "Run"], [`/records/learner/${nobody}?tenant=acme`, "Record"], [`/events/${nobody}`, "Event"], [`/deliveries/${nobody}?tenant=acme`, "Delivery"], [`/changes/${nobody}`, "Change"], ["/super-admin/organizations/nobody", "Organisation"]] as const) {
    await page.goto(`${studio.url}${at}`);
    await page.locator("[role=alert]").or(page.getByText("Which organisation?")).first().waitFor();
    expect(await page.getByRole("heading", { level: 1 }).allInnerTexts(), at).toEqual([title]);
  }
});
