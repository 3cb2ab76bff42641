/** Pages with which the operator's people watch and mend: walked, and used. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addDelivery, currentRevision, newDeliveryId, withTenant } from "../../engine/store/index.ts";
import { chromiumPath, openStudio, type Studio } from "../support/studio.ts";
import { settled, walk } from "./walk.ts";

if (chromiumPath === undefined) console.warn("skipped: no Chromium here, so Studio's pages for operating are not tried");

describe.skipIf(chromiumPath === undefined)("operating", () => {
  let studio: Studio;
  let run: string;
  let failed: string;
  beforeAll(async () => {
    studio = await openStudio({ ran: ["acme/learners", "acme/employers"] });
    run = (await studio.api<{ data: { id: string }[] }>(studio.person("super_admin"), "GET", "/api/runs?tenant=acme&flow=learners")).data[0]!.id;
    failed = await deliver("failed", "DELIVERY_REFUSED", "It answered 400.");
  });
  afterAll(() => studio?.close());

  /** A delivery of a row that there is. */
  async function deliver(status: "failed" | "held", code?: string, reason?: string): Promise<string> {
    const { db, keyring } = studio;
    const [row] = (await studio.api<{ data: { id: string }[] }>(studio.person("super_admin"), "GET", "/api/records/learner?tenant=acme&limit=1")).data;
    const id = newDeliveryId();
    const revision = (await currentRevision(db, "acme"))!;
    await withTenant(db, "acme", async (tx) => addDelivery(tx, await keyring.of(tx), {
      id, flow: "to_hubspot", kind: "save", target: "hubspot", operation: "contacts", status, revision, tokens: [], payload: { input: { email: "ann@example.com" }, minted: {} } as never,
      change: { seq: String(Date.now()), entity: "learner", row: row!.id, links: {}, cause: "poll", at: Date.now() }, ...(code === undefined ? {} : { code }), ...(reason === undefined ? {} : { reason }), ...(status === "held" ? { holdRole: "recruiter" } : {}),
    }));
    return id;
  }

  const pages = (): string[] => [
    "/", "/?days=7&tenant=acme", `/runs/${run}?tenant=acme`, "/quarantine?tenant=acme", "/events?tenant=acme", "/events/refused?tenant=acme", "/webhook-addresses?tenant=acme", "/deliveries?tenant=acme", `/deliveries/${failed}?tenant=acme`, "/deliveries/pending?tenant=acme",
    "/outgoing-webhooks?tenant=acme", "/audit", "/audit?tenant=acme", "/settings/people", "/settings/people?tenant=acme", "/settings/roles", "/settings/keys", "/settings/sign-in", "/settings/tokens", "/settings/installation", "/account",
  ];

  test("a super admin walks all pages: no error, nothing that axe finds, no secret in any answer", async () => {
    expect(await walk(studio, await studio.open(studio.person("super_admin"), "/"), pages())).toEqual([]);
  }, 180_000);

  test("nor on a narrow screen in the dark", async () => {
    const narrow = await studio.open(studio.person("super_admin"), "/", { width: 390, dark: true });
    expect(await walk(studio, narrow, ["/", `/runs/${run}?tenant=acme`, "/events?tenant=acme", `/deliveries/${failed}?tenant=acme`, "/settings/roles", "/account"])).toEqual([]);
  }, 120_000);

  test("the overview counts what ran, draws it, and has the drawing as a table", async () => {
    const page = await studio.open(studio.person("super_admin"), "/?tenant=acme&days=1");
    await page.getByText(/^0 of \d+ runs failed/).waitFor();
    const drawn = page.getByRole("img", { name: /^Runs: \d+ succeeded, 0 failed/ });
    await drawn.locator("canvas").waitFor();
    expect(await drawn.locator("canvas").evaluate((canvas: HTMLCanvasElement) => canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value !== 0))).toBe(true);
    await page.getByText("Runs as a table", { exact: true }).click();
    const table = page.getByRole("table", { name: "Runs", exact: true });
    await table.locator("tbody tr").first().waitFor();
    const newest = (await table.locator("tbody tr").first().locator("td").allInnerTexts()).slice(1);
    expect(newest.slice(0, 2)).toEqual(["0", "0"]);
    expect(Number(newest[2])).toBeGreaterThanOrEqual(2);
    await page.getByRole("radio", { name: "24 hours" }).focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => new URL(page.url()).searchParams.get("days")).toBe("7");
  });

  test("a run shows its requests and pages in time, and what follows", async () => {
    const page = await studio.open(studio.person("super_admin"), `/runs/${run}?tenant=acme`);
    await page.getByRole("img", { name: /requests, \d+ pages/ }).waitFor();
    await page.getByText(/The next run begins/).waitFor();
  });

  test("an address for webhooks is made and shown once; a bad request to it is refused by reason, a replaced one goes on for a while", async () => {
    const page = await studio.open(studio.person("super_admin"), "/webhook-addresses?tenant=northwind");
    await page.getByRole("button", { name: "Make an address" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Make an address" }).click();
    const url = await page.locator("[data-shown-once]").innerText();
    expect(url).toMatch(/\/webhooks\/greenhouse\/\S{20,}$/);
    await page.keyboard.press("Escape");
    await page.getByRole("table", { name: "Addresses of Greenhouse" }).waitFor();
    expect(await page.content()).not.toContain(url);
    expect((await fetch(url, { method: "POST", headers: { "content-type": "application/json", signature: "sha256 00" }, body: "{}" })).status).toBe(401);
    // They are written down a few seconds at a time.
    await expect.poll(async () => (await studio.api<{ data: unknown[] }>(studio.person("super_admin"), "GET", "/api/events/refused?tenant=northwind")).data.length, { timeout: 30_000, interval: 250 }).toBe(1);
    await page.goto(`${studio.url}/events/refused?tenant=northwind`);
    await page.getByRole("table", { name: "Refused requests" }).getByText("greenhouse").first().waitFor();
    await page.goto(`${studio.url}/webhook-addresses?tenant=northwind`);
    await page.getByRole("button", { name: "Make or replace" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Replace it" }).click();
    await page.getByText("The one before goes on until").waitFor();
    expect(await page.locator("[data-shown-once]").innerText()).not.toBe(url);
  }, 60_000);

  test("a delivery that failed is looked at with its reason, and sent again", async () => {
    const page = await studio.open(studio.person("super_admin"), "/deliveries?tenant=acme&status=failed");
    await page.getByRole("link", { name: "to_hubspot" }).click();
    await page.getByText("DELIVERY_REFUSED").waitFor();
    await page.getByText("ann@example.com").waitFor();
    await page.getByRole("button", { name: "Send it again" }).click();
    await page.getByText("It is sent again.").waitFor();
  });

  test("an outgoing webhook's secret is shown when it is made and when it is replaced, and never again", async () => {
    const page = await studio.open(studio.person("super_admin"), "/outgoing-webhooks?tenant=acme");
    await page.getByRole("button", { name: "Add an address" }).click();
    await page.getByLabel("Address", { exact: false }).last().fill("https://product.example.com/webhooks");
    await page.getByRole("button", { name: "Add it" }).click();
    const first = await page.locator("[data-shown-once]").innerText();
    expect(first).toMatch(/^whsec_/);
    await page.keyboard.press("Escape");
    await page.getByRole("article", { name: "product" }).getByRole("button", { name: "New secret" }).click();
    await page.getByRole("button", { name: "Make a new secret" }).click();
    expect(await page.locator("[data-shown-once]").innerText()).not.toBe(first);
    await page.reload();
    await page.getByRole("article", { name: "product" }).getByText("Signs with secret").nth(1).waitFor();
    expect(await page.content()).not.toContain(first);
  });

  test("the audit log is narrowed in the address, and goes out as a file", async () => {
    const page = await studio.open(studio.person("super_admin"), "/audit?tenant=acme&action=endpoint.made");
    await settled(page);
    const actions = await page.getByRole("table", { name: "Audit log" }).locator("tbody tr td:nth-child(3)").allInnerTexts();
    expect(new Set(actions)).toEqual(new Set(["endpoint.made"]));
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
    expect(file.suggestedFilename()).toBe("audit-acme.csv");
  });
});
