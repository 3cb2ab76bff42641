/** Integration defaults, flows, the operator's own connections, and requests. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openStudio, type Studio } from "../support/studio.ts";
import { settled, walk } from "./walk.ts";

if (chromiumPath === undefined) console.warn("skipped: no Chromium here, so Studio's pages of presets and flows are not tried");

describe.skipIf(chromiumPath === undefined)("integration defaults and flows", () => {
  let studio: Studio;
  const boss = () => studio.person("super_admin");
  beforeAll(async () => {
    // The operator has a connection of their own here.
    studio = await openStudio({ ran: ["acme/employers"], files: { "tenants/platform.yaml": "tenant: platform\ntitle: Platform\nconnections:\n  wix: { connector: wix }\n" } });
    await inForce(await studio.api(boss(), "POST", "/api/presets/aptem-hubspot/releases"));
    await inForce(await studio.api(boss(), "POST", "/api/tenants/acme/preset", { preset: "aptem-hubspot@1", accept: true, drop_gone: true }));
    await inForce(await studio.api(boss(), "PATCH", "/api/presets/aptem-hubspot", { changes: [{ at: "flows.learners.from.every", value: "30m" }] }));
    await inForce(await studio.api(boss(), "POST", "/api/presets/aptem-hubspot/releases"));
  }, 120_000);
  afterAll(() => studio?.close());

  async function inForce({ change }: { change: { id: string } }): Promise<void> {
    const { plan_hash } = await studio.api<{ plan_hash: string }>(boss(), "GET", `/api/changes/${change.id}`);
    await studio.api(studio.person("second"), "POST", `/api/changes/${change.id}/approve`, { plan_hash });
    await studio.api(studio.person("second"), "POST", `/api/changes/${change.id}/apply`, {});
  }

  const pages = [
    "/super-admin/integration-defaults", "/super-admin/integration-defaults/aptem-hubspot", "/super-admin/integration-defaults/aptem-hubspot?release=1", "/super-admin/integration-defaults/aptem-hubspot?tab=flows",
    "/super-admin/integration-defaults/aptem-hubspot?tab=releases&from=1&to=2", "/super-admin/integration-defaults/aptem-hubspot?tab=organisations", "/flows", "/flows?tenant=acme", "/flows?preset=two-way-contacts", "/platform", "/requests",
  ];
  test("every page of them: no error, nothing that axe finds, no secret in any answer", async () => {
    expect(await walk(studio, await studio.open(boss(), pages[0]!), pages)).toEqual([]);
    expect(await walk(studio, await studio.open(boss(), pages[0]!, { width: 390, dark: true }), [pages[1]!, pages[5]!, "/flows?tenant=acme", "/platform"])).toEqual([]);
  }, 240_000);

  test("a default is changed by proposing it, and reaches nobody who is on a release", async () => {
    const page = await studio.open(boss(), "/super-admin/integration-defaults/aptem-hubspot");
    await page.getByRole("textbox", { name: "Search defaults" }).fill("employers.from.sweep");
    await page.getByRole("button", { name: "Change flows.employers.from.sweep", exact: true }).click();
    await page.getByRole("textbox", { name: "Value" }).fill("14d");
    await page.getByRole("dialog").getByRole("button", { name: "Propose change" }).click();
    await page.waitForURL(/\/changes\//);
    await page.getByText("none: nobody uses it yet").waitFor();
    await page.getByText("presets/aptem-hubspot/preset.yaml").first().waitFor();
  }, 60_000);

  test("two releases are compared in meaning, and the address says which", async () => {
    const page = await studio.open(boss(), "/super-admin/integration-defaults/aptem-hubspot?tab=releases&from=1&to=2");
    const table = page.getByRole("table", { name: "What differs between 1 and 2" });
    await table.getByText("flows.learners.schedule").waitFor();
    expect(await table.getByText("every 1 h").count()).toBe(1);
    expect(await table.getByText("every 30 min").count()).toBe(1);
    expect(await table.getByRole("row").count()).toBe(2);
  });

  test("those behind are upgraded together: what an organisation says otherwise is told first, and kept only when that is said", async () => {
    const page = await studio.open(boss(), "/super-admin/integration-defaults/aptem-hubspot?tab=organisations");
    await page.getByRole("button", { name: "Choose those behind" }).click();
    await page.getByRole("button", { name: "Upgrade 1" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("flows.learners.from.every").first().waitFor();
    expect(await dialog.getByRole("button", { name: "Propose the upgrade" }).isDisabled()).toBe(true);
    await dialog.getByRole("checkbox", { name: /Keep their own values/ }).check();
    await dialog.getByRole("button", { name: "Propose the upgrade" }).click();
    await page.waitForURL(/\/changes\//);
    await page.getByText("tenants/acme.yaml").first().waitFor();
  }, 60_000);

  test("flows of an organisation are drawn with how they go; a link leads to the run, and the same stands in a list", async () => {
    const page = await studio.open(boss(), "/flows?tenant=acme");
    const graph = page.locator(".react-flow");
    await graph.getByText("hubspot/employer").first().waitFor();
    const drawn = await studio.api<{ flows: { connection: string; stream: string; entity: string }[]; changes: { entity: string; to: object }[] }>(boss(), "GET", "/api/flows/graph?tenant=acme");
    const distinct = (parts: readonly unknown[]): number => new Set(parts.map((part) => JSON.stringify(part))).size;
    const boxes = distinct(drawn.flows.map(({ connection, stream }) => [connection, stream])) + drawn.flows.length + distinct([...drawn.flows, ...drawn.changes].map(({ entity }) => entity)) + drawn.changes.length + distinct(drawn.changes.map(({ to }) => to));
    expect(await page.locator(".react-flow [data-kind]").count()).toBe(boxes);
    await graph.getByText("joined by company_number").first().waitFor();
    await page.getByRole("table", { name: "Flows that read" }).getByRole("link", { name: "hubspot.companies" }).waitFor();
    await graph.getByRole("link", { name: "Run: succeeded" }).first().focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/runs\/[0-9a-f-]+\?tenant=acme/);
    await settled(page);
    expect(studio.errorsOf(page)).toEqual([]);
  });

  test("changes that set something off are drawn to their end", async () => {
    const page = await studio.open(boss(), "/flows?preset=two-way-contacts");
    await page.locator(".react-flow [data-kind=target]").getByText("save contacts").first().waitFor();
    expect(await page.locator(".react-flow [data-kind=change]").count()).toBe(2);
    expect(await page.getByRole("table", { name: "Flows from changes" }).getByText("saves to wix.contacts").count()).toBe(1);
  });

  test("the operator's own connections stand apart, on cards like a customer's, and another one is proposed", async () => {
    const page = await studio.open(boss(), "/platform");
    await page.getByRole("article", { name: "Wix" }).getByRole("button", { name: "Connect" }).waitFor();
    await page.getByRole("article", { name: "Each customer's own" }).waitFor();
    await page.getByRole("button", { name: "Add a connection", exact: true }).click();
    await page.getByRole("dialog").getByRole("combobox").or(page.getByRole("dialog").getByRole("textbox")).first().click();
    await page.getByRole("option", { name: "HubSpot" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Propose change" }).click();
    await page.waitForURL(/\/changes\//);
    await page.getByText("connections.hubspot", { exact: true }).first().waitFor();
  }, 60_000);

  test("an administrator asks for an integration, and reads the answer on their own page", async () => {
    const own = await studio.open(studio.person("tenant_admin"), "/requests");
    await own.getByRole("textbox", { name: "What would you like to connect?" }).fill("OneFile");
    await own.getByRole("textbox", { name: "What for" }).fill("Portfolios");
    await own.getByRole("button", { name: "Ask for it" }).click();
    await own.getByRole("article", { name: "OneFile" }).waitFor();
    const page = await studio.open(boss(), "/requests");
    await page.getByRole("button", { name: /about OneFile/ }).click();
    await page.getByRole("textbox", { name: "What they read" }).fill("In the spring.");
    await page.getByRole("dialog").getByRole("button", { name: "Answer" }).click();
    await page.getByRole("table", { name: "Integration requests" }).getByText("In the spring.").waitFor();
    await own.reload();
    await own.getByText("In the spring.").waitFor();
  });

  test("who may not see the presets is told so", async () => {
    const page = await studio.open(studio.person("tenant_admin"), "/super-admin/integration-defaults");
    await page.getByText("You may not see this").waitFor();
  });
});
