/** The whole way, once, as people go it: a new customer, their first sync, a field of their own, reviewed, in force, and back. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chromiumPath, openStudio, restingMiddle, signIn, type Studio } from "../support/studio.ts";
import { ACCESS } from "../../server/demo/data.ts";

const withBrowser = test.skipIf(chromiumPath === undefined);
let studio: Studio;
beforeAll(async () => { if (chromiumPath !== undefined) studio = await openStudio({ files: { "tenants/acme.yaml": null, "tenants/brightpath.yaml": null, "tenants/northwind.yaml": OTHER } }); }, 180_000);
afterAll(async () => { await studio?.close(); });

/** Somebody else on the same preset, whom nothing here may touch. */
const OTHER = "tenant: northwind\ntitle: Northwind Training\nsubdomain: northwind\npreset: aptem-hubspot\nconnections:\n  aptem: { config: { tenant_host: brightpath } }\n";
const MAPPING = "/super-admin/organizations/acme-training-ltd/mappings/learners";

withBrowser("from signing in to a field of the customer's own that is in force, and back again", { timeout: 300_000 }, async () => {
  const page = await studio.open(undefined, "/", { height: 1300 });
  await signIn(page, studio.url, studio.person("super_admin"));

  // A new organisation, in three steps.
  await page.getByRole("link", { name: "Organisations" }).click();
  await page.getByRole("link", { name: /new organisation/i }).click();
  // Pressed before the name was checked: the step waits for the answer, says why it stays, and goes on by itself where it may.
  await page.getByLabel("Organisation name").fill("Northwind Training");
  await page.getByLabel("Subdomain").fill("northwind");
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByText(/belongs to another/).first().waitFor();
  await page.getByRole("heading", { name: "Who is it?" }).waitFor();
  await page.getByLabel("Organisation name").fill("Acme Training Ltd");
  await page.getByLabel("Subdomain").fill("acme-training-ltd");
  await next(page, "What does it connect?");
  await page.getByRole("radio", { name: /^Aptem \+ HubSpot/ }).click();
  await next(page, "Whom to bill and invite?");
  await page.getByText("tenants/acme-training-ltd.yaml").first().waitFor();
  await page.getByRole("button", { name: "Create organisation" }).click();
  await page.getByRole("link", { name: "Connect its integrations" }).click();

  // A key is entered; the provider accepts it, and the first sync begins.
  const card = page.getByRole("article", { name: "Aptem" });
  await card.getByRole("button", { name: "Connect" }).click();
  await page.locator("input[name=tenant_host]").fill("acme");
  await page.locator("input[name=api_token]").fill(ACCESS.aptem.acme);
  await page.getByRole("button", { name: "Save and test" }).click();
  await card.getByText("connected", { exact: true }).first().waitFor();
  expect(await page.content()).not.toContain(ACCESS.aptem.acme);
  await synced(page, "learners");

  // `custom.division` is drawn: the customer's own column, and the employer's name where there is none.
  await page.goto(`${studio.url}${MAPPING}`);
  await page.getByRole("list", { name: "Target fields" }).waitFor();
  await page.getByText("Graph", { exact: true }).click();
  await page.getByRole("button", { name: "Add a field" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("custom.division");
  await page.getByRole("dialog").getByRole("button", { name: "Add" }).click();
  await page.getByLabel("Find a source field").fill("UserCustom_Division");
  await page.getByRole("button", { name: "Add “UserCustom_Division” as a field" }).click();
  await drag(page, "UserCustom_Division", "custom.division");
  await page.getByRole("textbox", { name: "Expression of custom.division" }).getByText("UserCustom_Division").waitFor();
  await drag(page, "UserEmployer_Organization", "custom.division");
  await page.getByRole("menuitem", { name: "Use it when there is none" }).click();
  expect(await page.getByRole("textbox", { name: "Expression of custom.division" }).innerText()).toBe("UserCustom_Division ?: UserEmployer_Organization");

  // What it gives for one of the customer's own records, and that the row would be stored.
  await page.locator('[data-target="custom.division"]').getByText(/^"/).waitFor();
  await page.getByText("Valid row").waitFor();

  // Proposed: the plan shows Acme alone, with the records that change. One's own change is another's to approve.
  await page.getByRole("button", { name: /^Propose change/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Propose", exact: true }).click();
  await page.waitForURL(/\/changes\/[^/]+$/);
  await page.getByText("1 change, 1 do not").waitFor();
  await page.getByRole("heading", { name: "Acme Training Ltd" }).waitFor();
  expect(await page.getByRole("heading", { name: "Northwind Training" }).count()).toBe(0);
  await page.getByText(/\d+ would change/).waitFor();
  await page.getByText("UserCustom_Division ?: UserEmployer_Organization").first().waitFor();
  const change = page.url();

  const other = await studio.open(studio.person("second"), new URL(change).pathname);
  other.on("dialog", (dialog) => void dialog.accept());
  await other.getByRole("button", { name: "Approve" }).click();
  await other.getByRole("button", { name: "Apply" }).click();
  await other.getByRole("button", { name: "Roll back" }).waitFor();

  // The next sync reads the column: the customer's divisions are in the rows.
  await page.goto(`${studio.url}/super-admin/organizations/acme-training-ltd`);
  await page.getByRole("button", { name: "More for Aptem" }).click();
  await page.getByRole("menuitem", { name: "Read everything again" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Read everything", exact: true }).click();
  await expect.poll(() => divisions(), { timeout: 60_000, interval: 500 }).toContain("North");

  await other.getByRole("button", { name: "Roll back" }).click();
  await other.getByText("rolled back", { exact: true }).first().waitFor();
  const { fields } = await studio.api<{ fields: { field: string }[] }>(studio.person("second"), "GET", "/api/tenants/acme-training-ltd/flows/learners/mapping");
  expect(fields.map(({ field }) => field)).not.toContain("custom.division");
  expect(await studio.fileAt("main", "tenants/acme-training-ltd.yaml")).not.toContain("division");
  expect([...studio.errorsOf(page), ...studio.errorsOf(other)]).toEqual([]);
});

/** Once, whether what was entered is checked by then or not. */
async function next(page: Page, heading: string): Promise<void> {
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("heading", { name: heading }).waitFor();
}

/** Watched on the run's own page, without asking again: what is counted there comes as it happens. */
async function synced(page: Page, flow: string): Promise<void> {
  await page.getByRole("link", { name: flow, exact: true }).first().click();
  await page.waitForURL(/\/runs\?/);
  await page.getByRole("table", { name: "Runs" }).getByRole("link", { name: flow, exact: true }).first().click();
  await page.getByRole("heading", { level: 1, name: flow }).waitFor();
  await page.getByText("succeeded", { exact: true }).first().waitFor({ timeout: 60_000 });
  await page.getByText("1,140 new").first().waitFor();
}

async function drag(page: Page, source: string, target: string): Promise<void> {
  const middle = (selector: string) => restingMiddle(page.locator(`${selector} .react-flow__handle`));
  const [from, to] = [await middle(`.react-flow__node-source [data-source="${source}"]`), await middle(`.react-flow__node-target [data-target="${target}"]`)];
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 });
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.up();
}

async function divisions(): Promise<unknown[]> {
  const { data } = await studio.api<{ data: { custom?: { division?: string }; data?: { custom?: { division?: string } } }[] }>(studio.person("second"), "GET", "/api/records/learner?tenant=acme-training-ltd&limit=100");
  return data.map((row) => row.custom?.division ?? row.data?.custom?.division);
}
