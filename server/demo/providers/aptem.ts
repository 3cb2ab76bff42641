/**
 * A stand-in for Aptem's OData feed. Behaviour from public client code (no vendor documentation is public), read 2026-11:
 * `X-API-Token` on everything but `$metadata`; `value[]` with `@odata.nextLink` when there is more than a page; unquoted
 * datetime literals; fractional seconds of up to seven digits; 403 for an entity that the customer has not licensed;
 * 414 for a `$select` that is too long. A vendor tenant is a subdomain there; here it is the first part of the path.
 */
import { startStandIn, type Asked, type Reply, type StandIn, type StandInOptions } from "./kernel.ts";
import { compileFilter, compileOrder, ODataSyntaxError, type Columns, type Row } from "./odata.ts";

/** Rows per page, whatever `$top` asks for: `Users` pages of 1,000 work, other sets give up to 100,000. */
const PAGE_SIZE: Readonly<Record<string, number>> = { Users: 1_000, LearningPlanEvidences: 5_000, ReviewResponses: 5_000 };
const DEFAULT_PAGE_SIZE = 100_000;
const MAX_TARGET_CHARACTERS = 8_192;
/** Beside an `$expand`, a `$select` longer than this is refused. */
const MAX_SELECT_CHARACTERS_WITH_EXPAND = 1_500;
const OPTIONS = ["$filter", "$orderby", "$top", "$skip", "$select", "$expand", "$count", "$skiptoken", "$format"];

export interface AptemEntitySet {
  readonly columns: Columns;
  /** Mutable: the demo changes rows while the server runs. */
  rows: Row[];
  /** Collections that `$expand` adds; always empty here. */
  readonly expandable?: readonly string[];
}

export interface AptemTenant {
  readonly token: string;
  /** By name; a set that the vendor has and this customer lacks is `unlicensed`. */
  readonly sets: Record<string, AptemEntitySet>;
  readonly unlicensed: readonly string[];
}

export type AptemData = { readonly tenants: Record<string, AptemTenant> };

export function startProvider(options: StandInOptions & { data: AptemData }): Promise<StandIn> {
  return startStandIn(options, (asked) => {
    const [, name = "", odata, version, set = "", ...rest] = asked.path.split("/");
    const tenant = options.data.tenants[name];
    if (tenant === undefined || odata !== "odata" || version !== "1.0" || rest.length > 0) return { status: 404, body: "The resource cannot be found." };
    if (asked.target.length > MAX_TARGET_CHARACTERS) return { status: 414, body: "Request-URI Too Long" };
    if (asked.method !== "GET") return failure(405, "The requested resource does not support this method.");
    if (set === "$metadata") return { status: 200, headers: { "content-type": "application/xml" }, body: metadata(tenant) };
    if (asked.headers["x-api-token"] !== tenant.token) return { status: 401, body: { Message: "Authorization has been denied for this request." } };
    const root = `http://${asked.headers.host}/${name}/odata/1.0`;
    if (set === "") return { status: 200, body: { "@odata.context": `${root}/$metadata`, value: Object.keys(tenant.sets).map((of) => ({ name: of, kind: "EntitySet", url: of })) } };
    try {
      return read(set, tenant, asked, root);
    } catch (thrown) {
      if (thrown instanceof ODataSyntaxError) return failure(400, `The query specified in the URI is not valid. ${thrown.message}`);
      throw thrown;
    }
  });
}

function read(path: string, tenant: AptemTenant, asked: Asked, root: string): Reply {
  const [, name = "", id] = /^(\w+)(?:\((\d+)\))?$/.exec(path) ?? [];
  if (tenant.unlicensed.includes(name)) return failure(403, `Your licence does not include ${name}.`);
  const set = tenant.sets[name];
  if (set === undefined) return failure(404, `Resource not found for the segment '${path}'.`);

  const option = readOptions(asked.query);
  const select = option("$select")?.split(",").map((column) => column.trim());
  const expand = option("$expand")?.split(",").map((column) => column.trim()) ?? [];
  for (const column of select ?? []) if (!(column in set.columns)) throw new ODataSyntaxError(`Could not find a property named '${column}'.`);
  for (const column of expand) if (!set.expandable?.includes(column)) throw new ODataSyntaxError(`Could not find a navigation property named '${column}'.`);
  if (expand.length > 0 && (option("$select")?.length ?? 0) > MAX_SELECT_CHARACTERS_WITH_EXPAND) return { status: 414, body: "Request-URI Too Long" };
  const shape = (row: Row) => ({
    ...(select === undefined ? row : Object.fromEntries(select.map((column) => [column, row[column] ?? null]))),
    ...Object.fromEntries(expand.map((column) => [column, []])),
  });

  if (id !== undefined) {
    const row = set.rows.find((candidate) => candidate.Id === Number(id));
    return row === undefined ? failure(404, "Resource not found.") : { status: 200, body: { "@odata.context": `${root}/$metadata#${name}/$entity`, ...shape(row) } };
  }

  const filter = option("$filter") === undefined ? () => true : compileFilter(option("$filter")!, set.columns);
  // Without `$orderby`, and among equals, the server orders by key: OData 4.01 asks for a stable order when it pages.
  const chosen = option("$orderby") === undefined ? undefined : compileOrder(option("$orderby")!, set.columns);
  const byKey = compileOrder("Id", set.columns);
  const order = (a: Row, b: Row) => chosen?.(a, b) || byKey(a, b);
  const matching = set.rows.filter(filter).sort(order);

  const top = wholeNumber("$top", option("$top")) ?? Infinity;
  const skip = option("$skiptoken") === undefined ? wholeNumber("$skip", option("$skip")) ?? 0 : 0;
  const after = readSkipToken(option("$skiptoken"));
  const start = after === undefined ? skip : matching.findIndex((row) => order(row, after) > 0);
  const rest = start === -1 ? [] : matching.slice(start);
  const page = rest.slice(0, Math.min(top, pageSize(name, asked)));

  const more = rest.length > page.length && top > page.length;
  return {
    status: 200,
    headers: { "odata-version": "4.0" },
    body: {
      "@odata.context": `${root}/$metadata#${name}`,
      ...(option("$count") === "true" ? { "@odata.count": matching.length } : {}),
      value: page.map(shape),
      ...(more ? { "@odata.nextLink": nextLink(`${root}/${name}`, asked.query, keyOf(page.at(-1)!, option("$orderby")), top - page.length) } : {}),
    },
  };
}

/** Refuses options the feed does not know; OData §5.1 lets a service reject any system option it does not support. */
function readOptions(query: URLSearchParams): (name: string) => string | undefined {
  for (const name of query.keys()) {
    if (!OPTIONS.includes(name)) throw new ODataSyntaxError(`The query parameter '${name}' is not supported.`);
    if (query.getAll(name).length > 1) throw new ODataSyntaxError(`Query option '${name}' was specified more than once.`);
  }
  return (name) => query.get(name) ?? undefined;
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new ODataSyntaxError(`Invalid value '${text}' for ${name} query option found. The ${name} query option requires a non-negative integer value.`);
  return Number(text);
}

/** A client may ask for smaller pages: OData 4.01 Part 1 §8.2.8.6, `Prefer: odata.maxpagesize=100`. */
function pageSize(set: string, asked: Asked): number {
  const wished = Number(/odata\.maxpagesize=(\d+)/.exec(String(asked.headers.prefer ?? ""))?.[1] ?? Infinity);
  return Math.max(1, Math.min(wished, PAGE_SIZE[set] ?? DEFAULT_PAGE_SIZE));
}

/** The order columns of the last row given: a token of them, unlike one of a count, is not shifted by rows added before it. */
function keyOf(row: Row, orderby = ""): Row {
  const columns = [...orderby.split(",").map((part) => part.trim().split(" ")[0]!).filter(Boolean), "Id"];
  return Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));
}

function nextLink(address: string, query: URLSearchParams, last: Row, left: number): string {
  const next = new URLSearchParams(query);
  next.delete("$skip");
  if (left !== Infinity) next.set("$top", String(left));
  next.set("$skiptoken", Buffer.from(JSON.stringify(last)).toString("base64url"));
  return `${address}?${next.toString().replaceAll("%24", "$")}`;
}

function readSkipToken(token: string | undefined): Row | undefined {
  if (token === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString("utf8")) as Row;
  } catch {
    throw new ODataSyntaxError("Invalid value for $skiptoken query option.");
  }
}

function failure(status: number, message: string): Reply {
  return { status, body: { error: { code: "", message } } };
}

function metadata(tenant: AptemTenant): string {
  const types = Object.entries(tenant.sets).map(([name, set]) =>
    `<EntityType Name="${name}"><Key><PropertyRef Name="Id"/></Key>${
      Object.entries(set.columns).map(([column, type]) => `<Property Name="${column}" Type="Edm.${type}"/>`).join("")}</EntityType>`);
  const sets = Object.keys(tenant.sets).map((name) => `<EntitySet Name="${name}" EntityType="Aptem.${name}"/>`);
  return `<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>`
    + `<Schema Namespace="Aptem" xmlns="http://docs.oasis-open.org/odata/ns/edm">${types.join("")}<EntityContainer Name="Container">${sets.join("")}</EntityContainer></Schema>`
    + `</edmx:DataServices></edmx:Edmx>`;
}
