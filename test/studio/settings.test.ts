/** People, keys and one's own account, through the pages. */
import { generateKeyPairSync } from "node:crypto";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { agree, APP, refuse, startSignInProvider, type SignInProvider } from "../support/sign-in-provider.ts";
import { chromiumPath, openStudio, signIn, type Studio } from "../support/studio.ts";

if (chromiumPath === undefined) console.warn("skipped: no Chromium here, so Studio's settings are not tried");

const NEW = "seven green doors by the sea";

describe.skipIf(chromiumPath === undefined)("settings", () => {
  let studio: Studio;
  let provider: SignInProvider;
  beforeAll(async () => {
    provider = await startSignInProvider();
    studio = await openStudio({ mayReach: [new URL(provider.url).host] });
    provider.begin([`${studio.url}/api/sign-in/oidc/desk/callback`]);
  }, 180_000);
  afterAll(async () => {
    await studio?.close();
    provider?.close();
  });

  test("who is invited comes in by the link, which is shown once and works once; their role is changed, and they are let go", async () => {
    const page = await studio.open(studio.person("super_admin"), "/settings/people?tenant=acme");
    await page.getByRole("button", { name: "Invite" }).click();
    await page.getByLabel("E-mail").fill("nina@acme.example");
    expect(await page.getByRole("button", { name: "Make the link" }).isDisabled()).toBe(true);
    await page.getByRole("dialog").getByLabel("Role").click();
    await page.getByRole("option", { name: "tenant admin" }).click();
    await page.getByRole("button", { name: "Make the link" }).click();
    const link = await page.locator("[data-shown-once]").innerText();
    expect(link).toContain("/invitation#");

    const invited = await studio.open(undefined, link.slice(studio.url.length));
    await invited.getByText("Acme Training Ltd").waitFor();
    expect(new URL(invited.url()).hash).toBe("");
    await invited.getByLabel("Your name").fill("Nina New");
    await invited.locator("input[type=password]").fill("short");
    await invited.getByRole("button", { name: "Accept the invitation" }).click();
    await invited.getByText(/it has 5 characters, and needs 12/).waitFor();
    await invited.locator("input[type=password]").fill(NEW);
    await invited.getByRole("button", { name: "Accept the invitation" }).click();
    await invited.getByRole("heading", { name: "Overview" }).waitFor();
    const again = await studio.open(undefined, link.slice(studio.url.length));
    await again.getByRole("alert").waitFor();

    await page.reload();
    await page.getByRole("button", { name: "More for Nina New" }).click();
    await page.getByRole("menuitem", { name: "Sign out everywhere" }).click();
    await page.getByRole("button", { name: "Sign them out" }).click();
    await page.getByText("1 session of Nina New ended.").waitFor();
    await invited.reload();
    await invited.getByRole("heading", { name: "Sign in to Plugboard" }).waitFor();
    await page.getByRole("button", { name: "More for Nina New" }).click();
    await page.getByRole("menuitem", { name: "Change the role" }).click();
    await page.getByRole("dialog").getByLabel("Role").click();
    await page.getByRole("option", { name: "recruiter" }).click();
    await page.getByRole("button", { name: "Change it" }).click();
    await page.getByRole("row", { name: /Nina New/ }).getByText("recruiter").waitFor();
    await page.getByRole("button", { name: "More for Nina New" }).click();
    await page.getByRole("menuitem", { name: "End the membership" }).click();
    await page.getByRole("button", { name: "End it" }).click();
    await page.getByRole("row", { name: /Nina New/ }).waitFor({ state: "detached" });
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

  test("a provider for single sign-on is entered, its button appears, and who has no role there is told so in words", async () => {
    const page = await studio.open(studio.person("super_admin"), "/settings/sign-in");
    await page.getByRole("button", { name: "Add a provider" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name here").fill("desk");
    await dialog.getByLabel("Title").fill("Idea Desk");
    await dialog.getByLabel("Issuer").fill(provider.url);
    await dialog.getByLabel("Client id").fill(APP.client_id);
    await dialog.locator("input[type=password]").fill(APP.client_secret);
    await dialog.getByLabel("Claim that names groups").fill("groups");
    await dialog.getByLabel(/^Scopes/).fill("openid email profile groups");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await dialog.getByRole("textbox", { name: "Group", exact: true }).fill("hr");
    await dialog.getByLabel("Role of hr").first().click();
    await page.getByRole("option", { name: "recruiter" }).click();
    await dialog.getByLabel("Organisation of hr").first().click();
    await page.getByRole("option", { name: /Northwind/ }).click();
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("article", { name: "Idea Desk" }).getByText("in use").waitFor();
    expect(await page.content()).not.toContain(APP.client_secret);

    provider.groupsOf.set("rita", ["hr"]);
    const start = async () => {
      const other = await studio.open(undefined, "/sign-in");
      await other.getByRole("link", { name: "Sign in with Idea Desk" }).click();
      return other;
    };
    const rita = await start();
    await agree(rita, "rita");
    await rita.getByRole("article", { name: "Greenhouse" }).waitFor();
    const nobody = await start();
    await agree(nobody, "norman");
    await nobody.getByRole("heading", { name: "You are not signed in" }).waitFor();
    await nobody.getByText(/this account has no role here/).waitFor();
    await nobody.getByRole("link", { name: "Back to signing in" }).click();
    await nobody.getByRole("heading", { name: "Sign in to Plugboard" }).waitFor();
    const refused = await start();
    await refuse(refused);
    await refused.getByRole("heading", { name: "You are not signed in" }).waitFor();
  }, 120_000);

  test("a signer of service tokens is trusted for what it names, and new data keys are made while one watches", async () => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const page = await studio.open(studio.person("super_admin"), "/settings/tokens");
    await page.getByRole("button", { name: "Trust a signer" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name here").fill("host");
    await dialog.getByLabel("Issuer").fill("https://host.example");
    await dialog.locator(".mantine-MultiSelect-input").click();
    await page.getByRole("option", { name: "ES256" }).click();
    await page.getByRole("option", { name: "RS256" }).click();
    await page.keyboard.press("Escape");
    await dialog.getByLabel("Public keys").fill("not JSON");
    await dialog.getByLabel("Claim that names the organisation").fill("org");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText(/This is no JSON/).waitFor();
    await dialog.getByLabel("Public keys").fill(JSON.stringify([pair.publicKey.export({ format: "jwk" })]));
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("article", { name: "host" }).getByText("trusted").waitFor();
    const token = await new SignJWT({ org: "acme", role: "recruiter" }).setProtectedHeader({ alg: "ES256" }).setIssuer("https://host.example").setAudience("plugboard").setSubject("u-1").setIssuedAt().setExpirationTime("5m").sign(pair.privateKey);
    const session = await fetch(`${studio.url}/api/session`, { headers: { authorization: `Bearer ${token}` } });
    expect(await session.json()).toMatchObject({ role: "recruiter", tenant: "acme" });

    await page.goto(`${studio.url}/settings/installation`);
    await page.getByRole("button", { name: "New data keys" }).click();
    await page.getByRole("button", { name: "Make new keys" }).click();
    await page.getByText(/^\d+ organisations have new data keys/).waitFor();
    await page.getByRole("button", { name: "New key for Acme Training Ltd" }).click();
    await page.getByRole("button", { name: "Make a new key" }).click();
    await page.getByText("One organisation has a new data key").waitFor();
    expect(studio.errorsOf(page)).toEqual([]);
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
