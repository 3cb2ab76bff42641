/** Where the tour stops: every page once, in the order in which one would show it to somebody. */
import type { Page } from "playwright-core";

export type Person = "super" | "engineer" | "admin" | "employer" | "nobody";

interface Api { readonly call: (method: string, where: string, body?: unknown) => Promise<unknown> }

export interface Stop {
  /** Of the picture's file. */
  readonly name: string;
  readonly title: string;
  /** The route it is a picture of, as studio/app/areas.ts writes it. */
  readonly page: string;
  readonly who?: Person;
  /** Its address; worked out where it names something that is there. */
  readonly at: string | ((api: Api) => Promise<string>);
  /** What is opened before the picture is taken. */
  readonly prepare?: (page: Page) => Promise<void>;
}

interface List<Item> { readonly data: readonly Item[] }

const newest = <Item>(where: string, show: (item: Item) => string) => async ({ call }: Api): Promise<string> => {
  const { data: [first] } = await call("GET", where) as List<Item>;
  if (first === undefined) throw new Error(`${where} is empty: nothing to show`);
  return show(first);
};

/** The organisation whose providers send something: it may take the demo a moment. */
async function busy({ call }: Api, what: "events" | "deliveries", only?: string): Promise<string> {
  for (let tries = 0; tries < 120; tries++) {
    for (const { tenant } of (await call("GET", "/api/tenants") as List<{ tenant: string }>).data) if ((only === undefined || tenant === only) && ((await call("GET", `/api/${what}?tenant=${tenant}`)) as List<unknown>).data.length > 0) return tenant;
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
  }
  throw new Error(`the demo made no ${what}`);
}

export const stops: readonly Stop[] = [
  { name: "sign-in", title: "Signing in", page: "/sign-in", who: "nobody", at: "/sign-in" },
  { name: "overview", title: "Overview", page: "/", at: "/" },
  { name: "organizations", title: "Organisations", page: "/super-admin/organizations", at: "/super-admin/organizations" },
  { name: "organization-new", title: "A new organisation, in three steps", page: "/super-admin/organizations/new", at: "/super-admin/organizations/new", prepare: async (page) => { await page.locator("input[name=name]").fill("Northgate Training"); await page.waitForTimeout(900); await page.getByRole("button", { name: "Next" }).click(); } },
  { name: "organization", title: "One organisation: integrations", page: "/super-admin/organizations/$tenant", at: "/super-admin/organizations/acme" },
  { name: "organization-overrides", title: "Its overrides beside the defaults", page: "/super-admin/organizations/$tenant", at: "/super-admin/organizations/acme?tab=settings" },
  { name: "organization-integrations", title: "Its integrations alone", page: "/super-admin/organizations/$tenant/integrations", at: "/super-admin/organizations/acme/integrations" },
  { name: "mappings", title: "Mappings", page: "/mappings", at: "/mappings" },
  { name: "mapping-list", title: "A mapping, target first", page: "/mappings/$connector/$name", at: "/mappings/hubspot/employer", prepare: async (page) => { await page.locator("[data-field=domain] [data-row-button]").click(); } },
  { name: "mapping-graph", title: "The same mapping as a graph", page: "/mappings/$connector/$name", at: "/mappings/hubspot/employer", prepare: async (page) => { await page.getByText("Graph", { exact: true }).click(); await page.waitForTimeout(800); } },
  { name: "mapping-override", title: "A customer's mapping, preset and overrides together", page: "/super-admin/organizations/$tenant/mappings/$flow", at: "/super-admin/organizations/acme/mappings/learners" },
  { name: "changes", title: "Changes", page: "/changes", at: async ({ call }) => { await call("POST", "/api/changes", { title: "Sync Acme's learners more often", edits: [{ file: "tenants/acme.yaml", set: [{ pointer: "/flows/learners/from/every", value: "10m" }, { pointer: "/flows/learners/map/fields/full_name", value: "$uppercase(FullName)" }] }], propose: true }); return "/changes"; } },
  { name: "change", title: "A change: what it does to organisations and records", page: "/changes/$id", at: newest<{ id: string }>("/api/changes", ({ id }) => `/changes/${id}`), prepare: async (page) => { await page.getByText("would change").first().waitFor(); } },
  { name: "runs", title: "Runs", page: "/runs", at: "/runs?tenant=acme" },
  { name: "run", title: "One run", page: "/runs/$run", at: newest<{ id: string }>("/api/runs?tenant=acme&status=succeeded&flow=learners", ({ id }) => `/runs/${id}?tenant=acme`) },
  { name: "quarantine", title: "Quarantine", page: "/quarantine", at: "/quarantine?tenant=acme" },
  { name: "records", title: "Records", page: "/records", at: "/records?tenant=acme&entity=learner" },
  { name: "audit", title: "The audit log", page: "/audit", at: "/audit?tenant=acme" },
  { name: "flows", title: "A preset's flows, with their health", page: "/flows", at: "/flows?tenant=acme" },
  { name: "connectors", title: "Connectors", page: "/connectors", at: "/connectors" },
  { name: "connector", title: "A connector: what it offers, its files, trying it", page: "/connectors/$connector", at: "/connectors/hubspot" },
  { name: "integration-defaults", title: "Integration defaults", page: "/super-admin/integration-defaults", at: "/super-admin/integration-defaults" },
  { name: "integration-default", title: "One preset: defaults, releases, who is on which", page: "/super-admin/integration-defaults/$preset", at: "/super-admin/integration-defaults/aptem-hubspot" },
  { name: "platform", title: "The operator's own connections", page: "/platform", at: "/platform" },
  { name: "requests", title: "Integration requests", page: "/requests", at: async ({ call }) => { await call("POST", "/api/requests?tenant=acme", { provider: "BambooHR", note: "Our HR team moves there in spring." }); return "/requests"; } },
  { name: "events", title: "Events that providers sent", page: "/events", at: async (api) => `/events?tenant=${await busy(api, "events")}` },
  { name: "event", title: "One event", page: "/events/$event", at: async (api) => { const tenant = await busy(api, "events"); return newest<{ id: string }>(`/api/events?tenant=${tenant}`, ({ id }) => `/events/${id}?tenant=${tenant}`)(api); } },
  { name: "events-refused", title: "Requests that were refused", page: "/events/refused", at: async (api) => `/events/refused?tenant=${await busy(api, "events")}` },
  { name: "webhooks", title: "Webhook addresses", page: "/webhook-addresses", at: async (api) => `/webhook-addresses?tenant=${await busy(api, "events")}` },
  { name: "deliveries", title: "Deliveries", page: "/deliveries", at: async (api) => `/deliveries?tenant=${await busy(api, "deliveries")}` },
  { name: "delivery", title: "One delivery and every try of it", page: "/deliveries/$delivery", at: async (api) => { const tenant = await busy(api, "deliveries"); return newest<{ id: string }>(`/api/deliveries?tenant=${tenant}`, ({ id }) => `/deliveries/${id}?tenant=${tenant}`)(api); } },
  { name: "deliveries-pending", title: "What did not fire by itself", page: "/deliveries/pending", at: async (api) => `/deliveries/pending?tenant=${await busy(api, "deliveries")}` },
  { name: "outgoing-webhooks", title: "Outgoing webhooks", page: "/outgoing-webhooks", at: "/outgoing-webhooks?tenant=acme" },
  { name: "holds", title: "What waits for a person", page: "/holds", who: "employer", at: async (api) => { await busy(api, "deliveries", "northwind"); return "/holds"; } },
  { name: "hold", title: "What would be sent", page: "/holds/$hold", who: "employer", at: async (api) => { await busy(api, "deliveries", "northwind"); return newest<{ id: string }>("/api/deliveries?tenant=northwind&status=held", ({ id }) => `/holds/${id}`)(api); } },
  { name: "settings-people", title: "People", page: "/settings/people", at: "/settings/people" },
  { name: "settings-roles", title: "Roles", page: "/settings/roles", at: "/settings/roles" },
  { name: "settings-keys", title: "API keys", page: "/settings/keys", at: "/settings/keys" },
  { name: "settings-sign-in", title: "Single sign-on", page: "/settings/sign-in", at: "/settings/sign-in" },
  { name: "settings-tokens", title: "Service tokens", page: "/settings/tokens", at: "/settings/tokens" },
  { name: "settings-installation", title: "Secrets, rotation and this installation", page: "/settings/installation", at: "/settings/installation" },
  { name: "account", title: "One's own account", page: "/account", at: "/account" },
  { name: "org", title: "What a customer's administrator sees", page: "/org", who: "admin", at: "/org" },
  { name: "org-integrations", title: "Their integrations", page: "/org/integrations", who: "admin", at: "/org/integrations" },
  { name: "org-reports", title: "Their reports", page: "/org/reports", who: "admin", at: "/org/reports" },
  { name: "org-requests", title: "What they ask for", page: "/org/requests", who: "admin", at: "/org/requests" },
  { name: "record", title: "A record and where it came from", page: "/records/$entity/$id", at: newest<{ id: string }>("/api/records/employer?tenant=acme&limit=1", ({ id }) => `/records/employer/${id}?tenant=acme`) },
];
