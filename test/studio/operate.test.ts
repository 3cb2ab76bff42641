/** Pages with which the operator's people watch and mend: walked, and used. */
import { createHmac, randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addDelivery, currentRevision, getDelivery, newDeliveryId, withTenant } from "../../engine/store/index.ts";
import { insertHold } from "../../engine/store/sql/sweeps.ts";
import { chromiumPath, openStudio, type Studio } from "../support/studio.ts";
import { settled, walk } from "./walk.ts";

if (chromiumPath === undefined) console.warn("skipped: no Chromium here, so Studio's pages for operating are not tried");

describe.skipIf(chromiumPath === undefined)("operating", () => {
  let studio: Studio;
  let run: string;
  let failed: string;
  /** Of the host product: keeps what it is sent. */
  let product: Server;
  const told: { readonly headers: Record<string, string>; readonly body: string }[] = [];
  beforeAll(async () => {
    product = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => { body += chunk.toString(); }).on("end", () => { told.push({ headers: request.headers as Record<string, string>, body }); response.writeHead(204).end(); });
    });
    await new Promise<void>((resolve) => { product.listen(0, "127.0.0.1", resolve); });
    studio = await openStudio({ ran: ["acme/learners", "acme/employers"], mayReach: [`127.0.0.1:${(product.address() as AddressInfo).port}`] });
    run = (await studio.api<{ data: { id: string }[] }>(studio.person("super_admin"), "GET", "/api/runs?tenant=acme&flow=learners")).data[0]!.id;
    failed = await deliver("failed", "DELIVERY_REFUSED", "It answered 400.");
  });
  afterAll(async () => {
    await studio?.close();
    product?.close();
  });

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
  }, 240_000);

  test("nor on a narrow screen in the dark", async () => {
    const narrow = await studio.open(studio.person("super_admin"), "/", { width: 390, dark: true });
    expect(await walk(studio, narrow, ["/", `/runs/${run}?tenant=acme`, "/events?tenant=acme", `/deliveries/${failed}?tenant=acme`, "/settings/roles", "/account"])).toEqual([]);
  }, 240_000);

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

    // What the provider sends there is an event: looked at, processed again alone, and all that fit a filter, counted first.
    const key = studio.demo.connections.find(({ tenant }) => tenant === "northwind")!.secrets["webhook_key"]!;
    for (const id of [1, 2, 3]) {
      const body = JSON.stringify({ action: "nobody_asked_for_this", payload: { id } });
      expect((await fetch(url, { method: "POST", headers: { "content-type": "application/json", "greenhouse-event-id": randomUUID(), signature: `sha256 ${createHmac("sha256", key).update(body).digest("hex")}` }, body })).status).toBe(200);
    }
    await expect.poll(async () => (await studio.api<{ data: unknown[] }>(studio.person("super_admin"), "GET", "/api/events?tenant=northwind&status=ignored")).data.length, { timeout: 15_000 }).toBe(3);
    await page.goto(`${studio.url}/events?tenant=northwind&status=ignored`);
    await page.getByRole("button", { name: "Process these again" }).click();
    await page.getByText("3 events will be processed again.").waitFor();
    await page.getByLabel("No more than").fill("2");
    await page.getByText("2 events will be processed again.").waitFor();
    await page.getByRole("button", { name: "Process them again" }).click();
    await page.getByText("2 events are processed again.").waitFor();
    await page.getByRole("table", { name: "Events" }).getByRole("link").first().click();
    await page.getByRole("button", { name: "Show what was sent" }).click();
    await page.getByText("nobody_asked_for_this").first().waitFor();
    await page.getByRole("button", { name: "Process it again" }).click();
    await page.getByText("It is processed again.").waitFor();
    expect(await page.content()).not.toContain(key);
  }, 90_000);

  test("a delivery that failed is looked at with its reason, and sent again", async () => {
    const page = await studio.open(studio.person("super_admin"), "/deliveries?tenant=acme&status=failed");
    await page.getByRole("link", { name: "to_hubspot" }).click();
    await page.getByText("DELIVERY_REFUSED").waitFor();
    await page.getByText("ann@example.com").waitFor();
    await page.getByRole("button", { name: "Send it again" }).click();
    await page.getByText("It is sent again.").waitFor();
  });

  test("those that failed are sent again together, counted first; of an unknown one a person says what became of it", async () => {
    const [here, gone] = [await deliver("failed"), await deliver("failed")];
    await withTenant(studio.db, "acme", (tx) => tx.query("update deliveries set status = 'unknown', finished_at = null, reason = 'It did not answer.' where tenant_id = $1 and id = any($2)", [tx.tenantId, [here, gone]]));
    for (let each = 0; each < 2; each++) await deliver("failed", "DELIVERY_GONE", "It answered 404.");
    const page = await studio.open(studio.person("super_admin"), "/deliveries?tenant=acme&code=DELIVERY_GONE");
    await page.getByRole("button", { name: "Send failed ones again" }).click();
    await page.getByText("2 deliveries will be sent again.").waitFor();
    await page.getByRole("button", { name: "Send them again" }).click();
    await page.getByText("2 deliveries are sent again.").waitFor();
    await page.goto(`${studio.url}/deliveries/${here}?tenant=acme`);
    await page.getByRole("button", { name: "It arrived" }).click();
    await page.getByRole("button", { name: "Yes, it is there" }).click();
    await page.getByText("A person found that it had arrived.").waitFor();
    await page.goto(`${studio.url}/deliveries/${gone}?tenant=acme`);
    await page.getByRole("button", { name: "It did not arrive" }).click();
    await page.getByRole("button", { name: "It is not there: send it again" }).click();
    await page.getByRole("button", { name: "It did not arrive" }).waitFor({ state: "detached" });
    expect(await getDelivery(studio.db, "acme", here)).toMatchObject({ status: "delivered", decided_by: studio.person("super_admin").email });
    expect(studio.errorsOf(page)).toEqual([]);
  }, 60_000);

  test("what a first load did not send is counted, and leaves when somebody confirms that count", async () => {
    const boss = studio.person("super_admin");
    const { id } = (await studio.api<{ runs: { id: string }[] }>(boss, "POST", "/api/integrations/hubspot/sync?tenant=acme", { mode: "full" })).runs[0]!;
    await studio.ended("acme", id);
    const page = await studio.open(boss, "/deliveries/pending?tenant=acme");
    const flow = page.getByRole("region", { name: "to_hubspot" });
    const button = flow.getByRole("button", { name: /^Send [\d,]+…$/ });
    const rows = (await button.innerText()).replaceAll(/\D/g, "");
    await button.click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText(`${rows} rows leave this product`).waitFor();
    await dialog.getByRole("button", { name: `Send ${rows}`, exact: true }).click();
    await dialog.getByRole("button", { name: `Yes, send ${rows}` }).click();
    await page.getByText(`${rows} rows are being delivered.`).waitFor();
    await flow.getByText("Nothing waits").waitFor();
    expect(studio.errorsOf(page)).toEqual([]);
  }, 90_000);

  test("a sweep that misses so much waits for somebody, who keeps the rows or ends them", async () => {
    const boss = studio.person("super_admin");
    const row = (await studio.api<{ data: { id: string }[] }>(boss, "GET", "/api/records/learner?tenant=acme&limit=1")).data[0]!;
    const lineage = await studio.api<{ contributions: { connection: string; stream: string; key: string; run: string }[] }>(boss, "GET", `/api/records/learner/${row.id}/lineage?tenant=acme`);
    const { connection, stream, key, run: held } = lineage.contributions[0]!;
    const hold = () => withTenant(studio.db, "acme", async (tx) => {
      await tx.run(insertHold(tx.tenantId, { run: held, connection, flow: "learners", stream, entity: "learner", keys: [key], live: 4 }));
      await tx.query("update runs set sweep = $3 where tenant_id = $1 and id = $2", [tx.tenantId, held, JSON.stringify({ held: { missing: 1, live: 4 } })]);
    });
    await hold();
    const page = await studio.open(boss, `/runs/${held}?tenant=acme`);
    await page.getByText("1 of 4 rows were not seen").waitFor();
    await page.getByRole("button", { name: "Keep them" }).click();
    await page.getByText("They are kept.").waitFor();
    await page.getByText("1 of 4 rows were not seen").waitFor({ state: "detached" });
    await hold();
    await page.reload();
    await page.getByRole("button", { name: "End 1 rows" }).click();
    await page.getByRole("button", { name: "End them" }).click();
    await page.getByText("1 rows were ended.").waitFor();
    await page.goto(`${studio.url}/records/learner/${row.id}?tenant=acme`);
    await page.getByText(/, ended/).first().waitFor();
    // From the row to where it came from.
    await page.getByRole("link", { name: "aptem/learner" }).waitFor();
    await page.getByRole("button", { name: "Show what was sent" }).click();
    await page.getByText(key).nth(1).waitFor();
    await page.getByRole("link", { name: /^Run / }).click();
    await page.waitForURL(new RegExp(`/runs/${held}`));
    expect(studio.errorsOf(page)).toEqual([]);
  }, 60_000);

  test("a record that cannot be stored is tried again in vain, and by itself once what is wrong was mended", async () => {
    const boss = studio.person("super_admin");
    const inForce = async (value: string | undefined): Promise<void> => {
      const { change } = await studio.api<{ change: { id: string } }>(boss, "PATCH", "/api/tenants/brightpath/overrides", { changes: [{ at: "flows.learners.map.fields.full_name", ...(value === undefined ? {} : { value }) }] });
      const { plan_hash } = await studio.api<{ plan_hash: string }>(boss, "GET", `/api/changes/${change.id}`);
      await studio.api(studio.person("second"), "POST", `/api/changes/${change.id}/approve`, { plan_hash });
      await studio.api(studio.person("second"), "POST", `/api/changes/${change.id}/apply`, {});
    };
    const sync = async (mode: string): Promise<void> => { for (const { id } of (await studio.api<{ runs: { id: string }[] }>(boss, "POST", "/api/integrations/aptem/sync?tenant=brightpath", { mode })).runs) await studio.ended("brightpath", id); };
    await sync("full");
    const [odd] = (await studio.api<{ data: { full_name: string }[] }>(boss, "GET", "/api/records/learner?tenant=brightpath&limit=1")).data;
    await inForce(`FullName = "${odd!.full_name}" ? $error("an odd one") : FullName`);
    await sync("full");
    const page = await studio.open(boss, "/quarantine?tenant=brightpath");
    await page.getByRole("region", { name: "By reason" }).getByText(/an odd one/).waitFor();
    await page.getByRole("region", { name: "By reason" }).getByRole("button", { name: "Try again" }).click();
    await page.getByText("They are tried again").waitFor();
    await page.getByRole("table", { name: "Quarantined records" }).getByRole("link", { name: "learners" }).waitFor();
    await inForce(undefined);
    await sync("incremental");
    await page.getByText("Nothing is quarantined").waitFor();
    await page.getByLabel("Status").first().click();
    await page.getByRole("option", { name: "resolved" }).click();
    await page.getByRole("table", { name: "Quarantined records" }).getByText("resolved").first().waitFor();
    expect(studio.errorsOf(page)).toEqual([]);
  }, 120_000);

  test("an outgoing webhook's secret is shown when it is made and when it is replaced, and never again", async () => {
    const page = await studio.open(studio.person("super_admin"), "/outgoing-webhooks?tenant=acme");
    await page.getByRole("button", { name: "Add an address" }).click();
    const address = page.getByRole("dialog").getByRole("textbox", { name: "Address" });
    await address.fill("http://10.0.0.1/webhooks");
    await page.getByRole("button", { name: "Add it" }).click();
    await page.getByText(/10\.0\.0\.1 is not an address/).waitFor();
    await address.fill(`http://127.0.0.1:${(product.address() as AddressInfo).port}/webhooks`);
    await page.getByRole("button", { name: "Add it" }).click();
    const first = await page.locator("[data-shown-once]").innerText();
    expect(first).toMatch(/^whsec_/);
    await page.keyboard.press("Escape");
    await page.getByRole("article", { name: "product" }).getByRole("button", { name: "New secret" }).click();
    await page.getByRole("button", { name: "Make a new secret" }).click();
    const second = await page.locator("[data-shown-once]").innerText();
    expect(second).not.toBe(first);
    await page.reload();
    const card = page.getByRole("article", { name: "product" });
    await card.getByText("Signs with secret").nth(1).waitFor();
    expect(await page.content()).not.toContain(first);
    // A test message verifies with the new secret, and with the one before while both sign.
    await card.getByRole("button", { name: "Send a test" }).click();
    await card.getByText(/It arrived: 204/).waitFor();
    for (const secret of [first, second]) expect(new Webhook(secret).verify(told[0]!.body, told[0]!.headers)).toMatchObject({ type: "plugboard.test", tenant: "acme" });
    await card.getByRole("button", { name: "Disable" }).click();
    await card.getByText("Deliveries to it wait.").waitFor();
    await card.getByRole("button", { name: "Enable" }).click();
    await card.getByText("in use").waitFor();
    expect(studio.errorsOf(page)).toEqual([]);
  }, 60_000);

  test("the audit log is narrowed in the address, and goes out as a file", async () => {
    const page = await studio.open(studio.person("super_admin"), "/audit?tenant=acme&action=endpoint.made");
    await settled(page);
    const actions = await page.getByRole("table", { name: "Audit log" }).locator("tbody tr td:nth-child(3)").allInnerTexts();
    expect(new Set(actions)).toEqual(new Set(["endpoint.made"]));
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV" }).click()]);
    expect(file.suggestedFilename()).toBe("audit-acme.csv");
  });
});
