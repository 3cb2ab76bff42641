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
  { name: "record", title: "A record and where it came from", page: "/records/$entity/$id", at: newest<{ id: string }>("/api/records/employer?tenant=acme&limit=1", ({ id }) => `/records/employer/${id}?tenant=acme`) },
];
