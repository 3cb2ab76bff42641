/** People, keys and one's own account, through the pages. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openStudio, signIn, type Studio } from "../support/studio.ts";

if (chromiumPath === undefined) console.warn("skipped: no Chromium here, so Studio's settings are not tried");

const NEW = "seven green doors by the sea";

describe.skipIf(chromiumPath === undefined)("settings", () => {
  let studio: Studio;
  beforeAll(async () => { studio = await openStudio(); }, 180_000);
  afterAll(() => studio?.close());

  test("who is invited comes in by the link, which is shown once and works once; their role is changed, and they are let go", async () => {
    const page = await studio.open(studio.person("super_admin"), "/settings/people?tenant=acme");
    await page.getByRole("button", { name: "Invite" }).click();
    await page.getByLabel("E-mail").fill("nina@acme.example");
    await page.getByRole("button", { name: "Make the link" }).click();
    const link = await page.locator("[data-shown-once]").innerText();
    expect(link).toContain("/invitation#");

    const invited = await studio.open(undefined, link.slice(studio.url.length));
    await invited.getByText("Acme Training Ltd").waitFor();
    expect(new URL(invited.url()).hash).toBe("");
    await invited.getByLabel("Your name").fill("Nina New");
    await invited.getByLabel("Password", { exact: false }).first().fill(NEW);
    await invited.getByRole("button", { name: "Accept the invitation" }).click();
    await invited.getByRole("heading", { name: "Overview" }).waitFor();
    const again = await studio.open(undefined, link.slice(studio.url.length));
    await again.getByRole("alert").waitFor();

    await page.reload();
    await page.getByRole("button", { name: "More for Nina New" }).click();
    await page.getByRole("menuitem", { name: "Change the role" }).click();
    await page.getByRole("dialog").getByLabel("Role").click();
    await page.getByRole("option", { name: "recruiter" }).click();
    await page.getByRole("button", { name: "Change it" }).click();
    await page.getByRole("row", { name: /Nina New/ }).getByText("recruiter").waitFor();
    await page.getByRole("button", { name: "More for Nina New" }).click();
    await page.getByRole("menuitem", { name: "End the membership" }).click();
    await page.getByRole("button", { name: "End it" }).click();
    await expect.poll(() => page.getByText("Nina New").count()).toBe(0);
    expect(studio.errorsOf(page)).toEqual([]);
  }, 120_000);

  test("a key offers what its maker may do, is shown once, works, and is revoked", async () => {
    const page = await studio.open(studio.person("tenant_admin"), "/settings/keys");
    await page.getByRole("button", { name: "Make a key" }).click();
    await page.getByLabel("Name").fill("nightly");
    await page.getByLabel("Scopes").first().click();
    expect(await page.getByRole("option", { name: /^tenants:read/ }).count()).toBe(0);
    await page.getByRole("option", { name: /^runs:read/ }).click();
    await page.keyboard.press("Tab");
    await page.getByRole("button", { name: "Make the key" }).click();
    const key = await page.locator("[data-shown-once]").innerText();
    const runs = () => fetch(`${studio.url}/api/runs`, { headers: { authorization: `Bearer ${key}` } });
    expect((await runs()).status).toBe(200);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Revoke nightly" }).click();
    await page.getByRole("button", { name: "Revoke it" }).click();
    await page.getByText("revoked").waitFor();
    expect((await runs()).status).toBe(401);
    expect(await page.content()).not.toContain(key);
  }, 120_000);

  test("a forgotten password is replaced by a link, and one's own on the account page, which ends other sessions", async () => {
    const person = studio.person("interviewer");
    const { path } = await studio.api<{ path: string }>(studio.person("super_admin"), "POST", `/api/users/${person.id}/password-reset?tenant=${person.tenant}`);
    const reset = await studio.open(undefined, path);
    await reset.getByLabel("New password").fill(NEW);
    await reset.getByLabel("Once more").fill(NEW);
    await reset.getByRole("button", { name: "Set it" }).click();
    await reset.getByRole("link", { name: "Sign in" }).click();
    await signIn(reset, studio.url, { email: person.email, password: NEW });

    const other = await studio.open(undefined, "/");
    await signIn(other, studio.url, { email: person.email, password: NEW });
    await reset.goto(`${studio.url}/account`);
    await reset.getByRole("button", { name: "Sign out everywhere else" }).waitFor();
    await reset.getByLabel("The one you have").fill(NEW);
    await reset.getByLabel("The new one", { exact: false }).first().fill(`${NEW} again`);
    await reset.getByLabel("The new one again").fill(`${NEW} again`);
    await reset.getByRole("button", { name: "Change it" }).click();
    await reset.getByText("Changed. Your other sessions ended.").waitFor();
    await expect.poll(() => reset.getByRole("table", { name: "Sessions" }).locator("tbody tr").count()).toBe(1);
    await other.goto(`${studio.url}/account`);
    await other.getByRole("heading", { name: "Sign in to Plugboard" }).waitFor();
  }, 120_000);
});
