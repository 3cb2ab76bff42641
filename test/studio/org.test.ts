/** What an organisation's own people see: their navigation, their pages, and of others that they may not. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addDelivery, addMembership, currentRevision, getDelivery, newDeliveryId, withTenant } from "../../engine/store/index.ts";
import type { Role } from "../../server/api/permissions.ts";
import { chromiumPath, openStudio, type Studio } from "../support/studio.ts";
import { settled, walk } from "./walk.ts";

if (chromiumPath === undefined) console.warn("skipped: no Chromium here, so what each role sees in Studio is not tried");

const ADMIN = ["Changes", "Overview", "Runs", "Quarantine", "Records", "Events", "Deliveries", "Integrations", "Reports", "Ask for an integration", "Audit log", "People", "Roles", "API keys"];
const NAVIGATION = {
  tenant_admin: ADMIN,
  employer_admin: [...ADMIN, "Waits for approval"],
  recruiter: ["Overview", "Waits for approval", "Reports"],
  interviewer: ["Overview", "Waits for approval", "Reports"],
} as const satisfies Partial<Record<Role, readonly string[]>>;
/** Pages of the operator's people, and those that not every role may open. */
const CLOSED: Readonly<Record<keyof typeof NAVIGATION, readonly string[]>> = {
  tenant_admin: ["/holds", "/webhook-addresses", "/outgoing-webhooks", "/settings/sign-in", "/settings/tokens", "/settings/installation", "/super-admin/organizations"],
  employer_admin: ["/webhook-addresses", "/settings/installation", "/super-admin/organizations"],
  recruiter: ["/runs", "/quarantine", "/records", "/events", "/deliveries", "/audit", "/settings/people", "/settings/keys", "/org/integrations", "/org/requests", "/changes", "/super-admin/organizations"],
  interviewer: ["/runs", "/deliveries", "/audit", "/settings/people", "/org/integrations"],
};
const people = Object.keys(NAVIGATION) as (keyof typeof NAVIGATION)[];

describe.skipIf(chromiumPath === undefined)("an organisation's own people", () => {
  let studio: Studio;
  let held: string;
  beforeAll(async () => {
    studio = await openStudio({ ran: ["acme/learners"] });
    held = await hold();
  }, 180_000);
  /** Something that waits for a recruiter. */
  async function hold(): Promise<string> {
    const { db, keyring } = studio;
    const [row] = (await studio.api<{ data: { id: string }[] }>(studio.person("super_admin"), "GET", "/api/records/learner?tenant=acme&limit=1")).data;
    const id = newDeliveryId();
    const revision = (await currentRevision(db, "acme"))!;
    await withTenant(db, "acme", async (tx) => addDelivery(tx, await keyring.of(tx), {
      id, flow: "invitations", kind: "webhook", target: "product", operation: "invited", status: "held", holdRole: "recruiter", revision, tokens: [], payload: { input: { name: "Ann Apprentice" }, minted: {} } as never,
      change: { seq: String(Date.now()), entity: "learner", row: row!.id, links: {}, cause: "poll", at: Date.now() },
    }));
    return id;
  }
  afterAll(() => studio?.close());

  test.each(people)("%s: the navigation shows what they may open, and nothing else", async (role) => {
    const page = await studio.open(studio.person(role), "/");
    await settled(page);
    const shown = await page.getByRole("navigation", { name: "Main navigation" }).or(page.locator("nav")).first().getByRole("link").allInnerTexts();
    expect(shown.map((text) => text.trim()).toSorted()).toEqual([...NAVIGATION[role]].toSorted());
    // Each of them opens, and none says that they may not.
    for (const name of NAVIGATION[role]) {
      await page.getByRole("link", { name, exact: true }).first().click();
      await settled(page);
      expect({ name, refused: await page.getByText("You may not see this").count() }).toEqual({ name, refused: 0 });
    }
    expect(studio.errorsOf(page)).toEqual([]);
  }, 120_000);

  test.each(people)("%s: another page's address says that they may not see it", async (role) => {
    const page = await studio.open(studio.person(role), "/");
    const asked: string[] = [];
    page.on("response", (response) => { if (response.status() === 403) asked.push(response.url()); });
    for (const path of CLOSED[role]) {
      await page.goto(`${studio.url}${path}`);
      await page.getByRole("heading", { name: "You may not see this" }).waitFor();
    }
    expect(asked).toEqual([]);
  }, 120_000);

  test("an administrator walks their pages: no error, nothing that axe finds, no secret in any answer, nothing of another organisation", async () => {
    const page = await studio.open(studio.person("tenant_admin"), "/");
    const others: string[] = [];
    page.on("response", (response) => { void response.text().then((body) => { if (/northwind|brightpath/i.test(body) && response.url().includes("/api/")) others.push(response.url()); }, () => undefined); });
    expect(await walk(studio, page, ["/", "/org", "/org/reports", "/org/requests", "/runs", "/quarantine", "/records", "/events", "/deliveries", "/deliveries/pending", "/audit", "/settings/people", "/settings/roles", "/settings/keys", "/account"])).toEqual([]);
    expect(others).toEqual([]);
  }, 240_000);

  test.each(["tenant_admin", "recruiter"] as const)("%s: no link on any of their pages leads to one that they may not see", async (role) => {
    const page = await studio.open(studio.person(role), "/");
    const known = new Set<string>();
    const left = ["/", "/account", ...(role === "tenant_admin" ? ["/org/integrations", "/runs", "/records", "/deliveries", "/deliveries/pending", "/events", "/audit"] : ["/holds"])];
    const refused: string[] = [];
    page.on("response", (response) => { if (response.status() === 403) refused.push(`${new URL(page.url()).pathname}: ${response.url()}`); });
    // One of each kind: rows of a list all lead to the same page.
    const kindOf = (path: string): string => path.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, ":id").replace(/(mappings)\/.*/, "$1");
    while (left.length > 0) {
      const path = left.shift()!;
      await page.goto(`${studio.url}${path}`);
      await settled(page);
      if (await page.getByText("You may not see this").count() > 0) refused.push(path);
      for (const href of await page.locator("main a[href^='/']:not([download])").evaluateAll((links) => links.map((link) => link.getAttribute("href")!))) {
        const at = new URL(href, studio.url).pathname;
        if (at.startsWith("/api/") || at === "/docs" || known.has(kindOf(at))) continue;
        known.add(kindOf(at));
        left.push(href);
      }
    }
    expect(refused).toEqual([]);
  }, 180_000);

  test("a recruiter sees that integrations are connected, approves what waits for them, and what they saw is what is sent", async () => {
    const page = await studio.open(studio.person("recruiter"), "/");
    await page.getByRole("article", { name: "Aptem" }).getByText("connected").waitFor();
    await page.getByRole("link", { name: "Look at them" }).click();
    await page.getByRole("link", { name: "invitations" }).click();
    await page.getByText("Ann Apprentice").waitFor();
    await page.getByLabel("Why").fill("She is ready.");
    await page.getByRole("button", { name: "Approve and send" }).click();
    await page.getByText("Nothing waits").waitFor();
    expect(await getDelivery(studio.db, "acme", held)).toMatchObject({ decided_by: studio.person("recruiter").email });
    // What is refused is never sent, and says by whom.
    const other = await hold();
    await page.goto(`${studio.url}/holds/${other}`);
    await page.getByRole("button", { name: "Never send it" }).click();
    await page.getByText("Nothing waits").waitFor();
    await page.goto(`${studio.url}/holds/${other}`);
    await page.getByText(`Decided by ${studio.person("recruiter").email}`).waitFor();
    expect(await getDelivery(studio.db, "acme", other)).toMatchObject({ status: "rejected" });
  }, 120_000);

  test("who belongs to two organisations works in one at a time, and goes over to the other", async () => {
    const person = studio.person("employer_admin");
    await withTenant(studio.db, "northwind", (tx) => addMembership(tx, person.id, "tenant_admin"));
    const page = await studio.open(person, "/org/integrations");
    await page.getByRole("article", { name: "Aptem" }).waitFor();
    await page.getByRole("button", { name: /Account of/ }).click();
    await page.getByRole("menu").getByText("Northwind Talent").click();
    await page.getByRole("link", { name: "Integrations" }).click();
    await page.getByRole("article", { name: "Greenhouse" }).waitFor();
    expect(await page.getByRole("article", { name: "Aptem" }).count()).toBe(0);
    expect(studio.errorsOf(page)).toEqual([]);
  }, 120_000);

  test("an administrator asks for an integration, and reads the answer", async () => {
    const page = await studio.open(studio.person("tenant_admin"), "/org/requests");
    await page.getByLabel("What would you like to connect?").fill("OneFile");
    await page.getByRole("button", { name: "Ask for it" }).click();
    await page.getByRole("article", { name: "OneFile" }).waitFor();
    const staff = studio.person("super_admin");
    const [asked] = (await studio.api<{ data: { id: string }[] }>(staff, "GET", "/api/requests?tenant=acme")).data;
    await studio.api(staff, "POST", `/api/requests/${asked!.id}/answer?tenant=acme`, { status: "planned", note: "In spring." });
    await page.reload();
    await page.getByRole("article", { name: "OneFile" }).getByText("In spring.").waitFor();
  }, 120_000);
});
