/** Organisations: what stands on their cards, and what every button does against the stand-ins. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { agree, APP, deskWorkspace, refuse, startSignInProvider, type SignInProvider } from "../support/sign-in-provider.ts";
import { chromiumPath, openStudio, type Studio } from "../support/studio.ts";
import { settled, walk } from "./walk.ts";

if (chromiumPath === undefined) console.warn("skipped: no Chromium here, so Studio's pages of organisations are not tried");

describe.skipIf(chromiumPath === undefined)("organisations", () => {
  let studio: Studio;
  const boss = () => studio.person("super_admin");
  let provider: SignInProvider;
  beforeAll(async () => {
    provider = await startSignInProvider();
    studio = await openStudio({ ran: ["acme/learners"], files: deskWorkspace(provider.url), mayReach: [new URL(provider.url).host] });
    provider.begin([`${studio.url}/oauth/callback`]);
  }, 120_000);
  afterAll(async () => {
    await studio?.close();
    provider?.close();
  });

  const pages = ["/super-admin/organizations", "/super-admin/organizations/acme", "/super-admin/organizations/acme?tab=settings", "/super-admin/organizations/acme?tab=flows", "/super-admin/organizations/acme?tab=people", "/super-admin/organizations/acme/integrations", "/super-admin/organizations/new"];
  test("every page of them: no error, nothing that axe finds, no secret in any answer", async () => {
    expect(await walk(studio, await studio.open(boss(), pages[0]!), pages)).toEqual([]);
    expect(await walk(studio, await studio.open(boss(), pages[0]!, { width: 390, dark: true }), pages.slice(0, 3))).toEqual([]);
  }, 240_000);

  test("signing in at a provider: the operator's app first, consent refused and given, another account, and anew when it is refused", async () => {
    const page = await studio.open(boss(), "/super-admin/organizations/harbour");
    const card = page.getByRole("article", { name: "Idea Desk" });
    const dialog = page.getByRole("dialog");
    const signIn = async (button: string): Promise<void> => {
      await card.getByRole("button", { name: button }).click();
      await dialog.getByRole("button", { name: "Sign in with Idea Desk" }).click();
      await page.waitForURL(`${provider.url}/**`);
    };
    const menu = async (item: string): Promise<void> => { await card.getByRole("button", { name: "More for Idea Desk" }).click(); await page.getByRole("menuitem", { name: item }).click(); };
    const back = () => page.waitForURL(`${studio.url}/super-admin/organizations/harbour`);

    await card.getByRole("button", { name: "Connect" }).click();
    await dialog.getByText("Nobody can sign in at Idea Desk yet").waitFor();
    expect(await dialog.getByRole("button", { name: "Sign in with Idea Desk" }).isDisabled()).toBe(true);
    await dialog.getByRole("link", { name: "Platform connections" }).click();
    await page.getByRole("button", { name: "Enter the app at Idea Desk" }).click();
    await dialog.getByText(`${studio.url}/oauth/callback`).waitFor();
    await dialog.getByLabel("App client ID").fill(APP.client_id);
    await dialog.locator("input[name=client_secret]").fill(APP.client_secret);
    await dialog.getByRole("button", { name: "Save the app" }).click();
    await page.getByText("Stored. Customers can sign in at Idea Desk now.").waitFor();

    await page.goto(`${studio.url}/super-admin/organizations/harbour`);
    await signIn("Connect");
    await refuse(page);
    await page.getByText("Idea Desk is not connected").waitFor();
    await page.getByText(/cancelled, or not allowed/).first().waitFor();
    await back();
    // Walked away from: it begins anew.
    await signIn("Connect");
    await page.goto(`${studio.url}/super-admin/organizations/harbour`);
    await signIn("Connect");
    await agree(page, "ann");
    await page.getByText("Idea Desk is connected.").waitFor();
    await back();
    await card.getByText("Desk of ann").waitFor();
    await card.getByRole("button", { name: "Run now" }).click();
    await card.locator("[data-flow=people]").getByText("succeeded").waitFor();

    // Another account, of several: nothing changes before somebody says so, and what goes is counted.
    provider.accountsOf.set("olga", [{ id: "o-1", name: "Oslo desk" }, { id: "o-2", name: "Bergen desk" }]);
    await menu("Sign in with another account");
    await dialog.getByRole("button", { name: "Sign in with Idea Desk" }).click();
    await agree(page, "olga");
    await dialog.getByText("It was connected to Desk of ann").waitFor();
    await dialog.getByText(/forgets 1 record,/).waitFor();
    await dialog.getByRole("button", { name: "Not now" }).click();
    await back();
    await card.getByText("Desk of ann").waitFor();
    await menu("Pick the account");
    await dialog.getByRole("radio", { name: "Bergen desk" }).check();
    expect(await dialog.getByRole("button", { name: "Use this account" }).isDisabled()).toBe(true);
    await dialog.getByRole("checkbox", { name: "Start over with this account" }).check();
    await dialog.getByRole("button", { name: "Use this account" }).click();
    await card.getByText("Bergen desk").waitFor();

    provider.forgetEverybody();
    await menu("Test the credential");
    await card.getByText("reconnect needed").waitFor();
    await signIn("Reconnect");
    await agree(page, "olga");
    await page.getByText("Idea Desk is connected.").waitFor();
    await card.getByText("reconnect needed").waitFor({ state: "detached" });
    await card.getByRole("button", { name: "Run now" }).click();
    await card.locator("[data-flow=people]").getByText("succeeded").waitFor();
    await menu("Disconnect");
    await dialog.getByRole("radio", { name: "Erase it" }).check();
    await dialog.getByText("This cannot be undone.").waitFor();
    await dialog.getByRole("button", { name: "Disconnect and erase" }).click();
    await page.getByText(/Erased: 2 records\. What the sign-in gave is ended there too\./).waitFor();
    await card.getByText("disconnected", { exact: true }).waitFor();
    expect(studio.errorsOf(page)).toEqual([]);
    expect(await page.content()).not.toContain(APP.client_secret);
  }, 90_000);

  test("how often a flow runs is a form; what it says is proposed, for this organisation alone, and can be reset", async () => {
    const page = await studio.open(boss(), "/super-admin/organizations/acme");
    await page.getByRole("button", { name: "Change how often learners runs" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("its default: every hour").waitFor();
    await dialog.getByRole("textbox", { name: "Every" }).fill("45");
    await dialog.getByRole("button", { name: "Propose change" }).click();
    await page.waitForURL(/\/changes\//);
    await page.getByText("flows.learners.schedule").waitFor();
    await page.getByText("every 45 min").waitFor();
    expect(await page.getByRole("heading", { level: 2, name: /Brightpath/ }).count()).toBe(0);
    await page.goto(`${studio.url}/super-admin/organizations/acme`);
    await page.getByRole("button", { name: "Change how often learners runs" }).click();
    await page.getByRole("button", { name: "Reset to default" }).click();
    await page.waitForURL(/\/changes\//);
    await page.getByText("every 1 h").waitFor();
  }, 60_000);

  test("a cron line takes the place of every", async () => {
    const page = await studio.open(boss(), "/super-admin/organizations/brightpath");
    await page.getByRole("button", { name: "Change how often employers runs" }).click();
    await page.getByText("At set times").click();
    await page.getByRole("textbox", { name: "Cron" }).fill("0 6 * * 1-5");
    await page.getByRole("dialog").getByRole("button", { name: "Propose change" }).click();
    await page.waitForURL(/\/changes\//);
    await page.getByText("cron 0 6 * * 1-5").waitFor();
  }, 60_000);

  test("a wrong key is refused with the provider's words, the right one connects, and neither is shown again", async () => {
    const token = studio.demo.connections.find(({ tenant }) => tenant === "brightpath")!.secrets["api_token"]!;
    const page = await studio.open(boss(), "/super-admin/organizations/brightpath");
    const card = page.getByRole("article", { name: "Aptem" });
    await card.getByRole("button", { name: "Configure" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.locator("input[name=api_token]").fill("certainly-not-it");
    await dialog.getByRole("button", { name: "Save and test" }).click();
    await dialog.getByRole("alert").getByText(/refused|401/i).first().waitFor();
    await dialog.locator("input[name=api_token]").fill(token);
    await dialog.getByRole("button", { name: "Save and test" }).click();
    await page.getByText("Connected: the provider accepted it.").waitFor();
    await card.getByText("connected", { exact: true }).first().waitFor();
    expect(await page.content()).not.toContain(token);
  }, 60_000);

  test("a run that is asked for is seen on the card as it goes, without loading the page again", async () => {
    const page = await studio.open(boss(), "/super-admin/organizations/acme");
    const card = page.getByRole("article", { name: "HubSpot" });
    await card.locator("[data-flow=employers]").waitFor();
    await card.getByRole("button", { name: "Run now" }).click();
    await page.getByText(/Queued: it shows here|queued already/).waitFor();
    await card.locator("[data-flow=employers]").getByText("succeeded").waitFor();
  }, 60_000);

  test("pause and resume, a connect link, and disconnecting that keeps what was read", async () => {
    const page = await studio.open(boss(), "/super-admin/organizations/acme");
    const card = page.getByRole("article", { name: "Aptem" });
    const menu = (item: string) => card.getByRole("button", { name: "More for Aptem" }).click().then(() => page.getByRole("menuitem", { name: item }).click());
    await menu("Pause");
    await card.getByText(/Paused by/).first().waitFor();
    await menu("Resume");
    await card.getByText(/Paused by/).first().waitFor({ state: "detached" });
    await menu("Make a connect link");
    const links: string[] = [];
    for (let each = 0; each < 2; each++) {
      await page.getByRole("dialog").getByRole("button", { name: "Make a link" }).click();
      links.push(await page.locator("[data-shown-once]").innerText());
      await page.keyboard.press("Escape");
      await menu("Make a connect link");
    }
    expect(links[0]).toMatch(/\/connect#/);
    // Newest first: the second one is taken back.
    await page.getByRole("button", { name: "Take it back" }).nth(1).waitFor();
    await page.getByRole("region", { name: "Links that are open" }).getByRole("button", { name: "Take it back" }).first().click();
    await page.getByRole("button", { name: "Take it back" }).nth(1).waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    const { secrets, config } = studio.demo.connections.find(({ tenant, connection }) => tenant === "acme" && connection === "aptem")!;
    const customer = await studio.open(undefined, links[1]!.slice(studio.url.length));
    await customer.getByRole("heading", { name: "This link is over" }).waitFor();
    await customer.goto("about:blank");
    await customer.goto(links[0]!);
    await customer.getByRole("heading", { name: "Connect Aptem" }).waitFor();
    await customer.locator("input[name=tenant_host]").fill(String(config["tenant_host"]));
    await customer.locator("input[name=api_token]").fill(secrets["api_token"]!);
    await customer.getByRole("button", { name: "Connect" }).click();
    await customer.getByRole("heading", { name: "Connected" }).waitFor();
    await customer.goto("about:blank");
    await customer.goto(links[0]!);
    await customer.getByRole("heading", { name: "This link is over" }).waitFor();
    await menu("Disconnect");
    await page.getByRole("dialog").getByText(/What it read so far: [\d,]+ records/).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
    await card.getByText("disconnected").first().waitFor();
    expect((await studio.api<{ data: unknown[] }>(boss(), "GET", "/api/records/learner?tenant=acme&limit=1")).data).toHaveLength(1);
  }, 60_000);

  test("disabling an integration is proposed; a template of one organisation is shown with its conflicts before it is", async () => {
    const page = await studio.open(boss(), "/super-admin/organizations/northwind");
    await page.getByRole("button", { name: "More for Greenhouse" }).click();
    await page.getByRole("menuitem", { name: "Disable: propose it" }).click();
    await page.waitForURL(/\/changes\//);
    await page.getByText("connections.greenhouse.enabled").waitFor();
    await page.goto(`${studio.url}/super-admin/organizations/brightpath?tab=settings`);
    await page.getByRole("button", { name: "Take over a template" }).click();
    await page.getByRole("combobox", { name: "Of another organisation" }).or(page.getByRole("textbox", { name: "Of another organisation" })).first().click();
    await page.getByRole("option", { name: /Acme/ }).click();
    await page.getByText("It is of another preset").waitFor();
    await page.getByText(/would be written/).waitFor();
    await page.keyboard.press("Escape");
    // The same as a file; and a move to another preset, with what gets in the way in words.
    await page.goto(`${studio.url}/super-admin/organizations/northwind?tab=settings`);
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download as template" }).click()]);
    expect(file.suggestedFilename()).toBe("northwind-template.json");
    await page.goto(`${studio.url}/super-admin/organizations/brightpath?tab=settings`);
    await page.getByRole("button", { name: "Take over a template" }).click();
    await page.locator("input[type=file]").setInputFiles(await file.path());
    const written = page.getByRole("region", { name: "What would be written" });
    await written.getByText("flows", { exact: true }).click();
    await written.getByText(/greenhouse\.add_note/).waitFor();
    await page.keyboard.press("Escape");
    await page.goto(`${studio.url}/super-admin/organizations/acme?tab=settings`);
    await page.getByRole("button", { name: "Upgrade or move" }).click();
    await page.getByRole("dialog").getByLabel("To").first().click();
    await page.getByRole("option", { name: "Aptem (head)" }).click();
    await page.getByRole("dialog").getByText("Connection 'hubspot' does not exist.").first().waitFor();
    expect(await page.getByRole("button", { name: "Propose the move" }).isDisabled()).toBe(true);
    await page.keyboard.press("Escape");
    await page.goto(`${studio.url}/super-admin/organizations/brightpath?tab=settings`);
    await page.getByRole("button", { name: "Upgrade or move" }).click();
    await page.getByRole("dialog").getByLabel("To").first().click();
    await page.getByRole("option", { name: /^Aptem \+ HubSpot/ }).click();
    await page.getByRole("dialog").getByText("to connect: hubspot").waitFor();
    await page.getByRole("button", { name: "Propose the move" }).click();
    await page.waitForURL(/\/changes\//);
    expect(studio.errorsOf(page)).toEqual([]);
  }, 120_000);

  test("the billing contact is kept; suspending says so and resuming undoes it; acting as one of its people shows a banner", async () => {
    const page = await studio.open(boss(), "/super-admin/organizations/northwind?tab=settings");
    await page.getByRole("textbox", { name: "E-mail" }).fill("accounts@northwind.example");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    await page.reload();
    await page.waitForFunction(() => document.querySelector<HTMLInputElement>("input[type=email]")?.value === "accounts@northwind.example");
    const more = (item: string) => page.getByRole("button", { name: "More", exact: true }).click().then(() => page.getByRole("menuitem", { name: item }).click());
    await more("Suspend");
    await page.getByRole("textbox", { name: "Why" }).fill("Unpaid since May");
    await page.getByRole("dialog").getByRole("button", { name: "Suspend" }).click();
    await page.getByText("Unpaid since May").first().waitFor();
    await more("Resume");
    await page.getByText("Unpaid since May").first().waitFor({ state: "detached" });
    await more("Act as one of its people");
    await page.getByRole("textbox", { name: "Reason" }).fill("Support case 12");
    await page.getByRole("button", { name: "Act as tenant admin" }).click();
    await page.getByText(/You act as a tenant admin of Northwind Talent, it ends/).waitFor();
    await page.getByRole("button", { name: "Be yourself again" }).click();
    await page.getByText(/You act as/).waitFor({ state: "detached" });
    await settled(page);
    expect(studio.errorsOf(page)).toEqual([]);
  }, 60_000);

  test("everything of an organisation leaves as a file that opens; it is erased when its name is typed, and a report says what went", async () => {
    // Not who acted as somebody before: their cookie is another one since.
    const page = await studio.open(studio.person("second"), "/super-admin/organizations/harbour");
    const more = (item: string) => page.getByRole("button", { name: "More", exact: true }).click().then(() => page.getByRole("menuitem", { name: item }).click());
    const [file] = await Promise.all([page.waitForEvent("download"), more("Export everything")]);
    const lines = (await readFile(await file.path(), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as { end?: true; file?: string });
    expect([lines[1]?.file, lines.at(-1)?.end]).toEqual(["tenants/harbour.yaml", true]);
    await more("Erase");
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/bookkeeping$/).waitFor();
    const erase = dialog.getByRole("button", { name: "Erase everything" });
    await dialog.getByRole("textbox").fill("harbor");
    expect(await erase.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill("harbour");
    await erase.click();
    await dialog.getByText("tenants/harbour.yaml is taken out of Git").waitFor();
    await dialog.getByRole("table", { name: "What was erased" }).getByText("rows of bookkeeping").waitFor();
    await dialog.getByRole("button", { name: "To the organisations" }).click();
    await page.getByRole("table", { name: "Organisations" }).getByRole("link", { name: "Northwind Talent" }).waitFor();
    expect(await page.getByText("Harbour Ltd").count()).toBe(0);
    expect(studio.errorsOf(page)).toEqual([]);
  }, 90_000);
});
