/**
 * HubSpot's CRM search: what a query may hold, and which objects it finds.
 * Sources: "Search the CRM" of the vendor's API guide and the change log entry of August 2024 on filter limits, read 2026-11.
 */

export type PropertyType = "string" | "number" | "datetime" | "enumeration" | "bool";
export type Properties = Readonly<Record<string, string | null>>;

const MAX_LIMIT = 200;
/** A query never gives more than this many objects, however it is paged. */
const MAX_RESULTS = 10_000;
const MAX_GROUPS = 5;
const MAX_FILTERS_PER_GROUP = 10;
const MAX_FILTERS = 25;
const MAX_PROPERTIES = 500;
const KNOWN = ["filterGroups", "sorts", "properties", "limit", "after", "query"];

/** The vendor answers 400 with this message. */
export class SearchError extends Error {}

export interface Search {
  readonly matches: (properties: Properties) => boolean;
  readonly order: (a: Properties, b: Properties) => number;
  readonly properties: readonly string[] | undefined;
  readonly limit: number;
  readonly after: number;
}

type Test = (properties: Properties) => boolean;

/** @throws SearchError */
export function compileSearch(body: Record<string, unknown> | undefined, types: Readonly<Record<string, PropertyType>>): Search {
  if (body === undefined) throw new SearchError("Invalid input JSON: the body must be an object.");
  for (const name of Object.keys(body)) if (!KNOWN.includes(name)) throw new SearchError(`Invalid input JSON: unrecognized field "${name}".`);

  const limit = wholeNumber("limit", body.limit, 10);
  const after = wholeNumber("after", body.after, 0);
  if (limit < 1 || limit > MAX_LIMIT) throw new SearchError(`limit must be between 1 and ${MAX_LIMIT}.`);
  if (after + limit > MAX_RESULTS) throw new SearchError(`The maximum of ${MAX_RESULTS} results per query was passed. Narrow the query with filters.`);

  const properties = body.properties === undefined ? undefined : list("properties", body.properties).map((name) => text("properties", name));
  if ((properties?.length ?? 0) > MAX_PROPERTIES) throw new SearchError(`At most ${MAX_PROPERTIES} properties can be requested.`);
  const query = body.query === undefined ? undefined : text("query", body.query).toLowerCase();
  const groups = compileGroups(body.filterGroups, types);
  return {
    matches: (of) => (groups.length === 0 || groups.some((tests) => tests.every((test) => test(of))))
      && (query === undefined || Object.values(of).some((value) => value?.toLowerCase().includes(query))),
    order: compileSort(body.sorts, types), properties, limit, after,
  };
}

function compileGroups(written: unknown, types: Readonly<Record<string, PropertyType>>): Test[][] {
  const groups = list("filterGroups", written ?? []).map((group) => list("filters", member(group, "filters") ?? []));
  if (groups.length > MAX_GROUPS) throw new SearchError(`At most ${MAX_GROUPS} filterGroups are allowed.`);
  if (groups.some((filters) => filters.length > MAX_FILTERS_PER_GROUP)) throw new SearchError(`At most ${MAX_FILTERS_PER_GROUP} filters are allowed in a filterGroup.`);
  if (groups.flat().length > MAX_FILTERS) throw new SearchError(`At most ${MAX_FILTERS} filters are allowed.`);
  return groups.map((filters) => filters.map((filter) => compileFilter(filter, types)));
}

function compileFilter(filter: unknown, types: Readonly<Record<string, PropertyType>>): Test {
  const name = text("propertyName", member(filter, "propertyName"));
  const operator = text("operator", member(filter, "operator"));
  const type = types[name];
  if (type === undefined) throw new SearchError(`There was a problem with the request: property "${name}" does not exist.`);

  const value = (key: string) => comparable(name, type, text(key, member(filter, key)));
  const values = () => list("values", member(filter, "values")).map((one) => comparable(name, type, text("values", one)));
  const with_ = (test: (of: string | number) => boolean): Test => (properties) => {
    const stored = properties[name];
    return stored !== undefined && stored !== null && stored !== "" && test(comparable(name, type, stored));
  };
  switch (operator) {
    case "EQ": { const wanted = value("value"); return with_((of) => of === wanted); }
    case "NEQ": { const wanted = value("value"); const equal = with_((of) => of === wanted); return (properties) => !equal(properties); }
    case "LT": { const bound = value("value"); return with_((of) => of < bound); }
    case "LTE": { const bound = value("value"); return with_((of) => of <= bound); }
    case "GT": { const bound = value("value"); return with_((of) => of > bound); }
    case "GTE": { const bound = value("value"); return with_((of) => of >= bound); }
    case "BETWEEN": { const [low, high] = [value("value"), value("highValue")]; return with_((of) => of >= low && of <= high); }
    case "IN": { const wanted = values(); return with_((of) => wanted.includes(of)); }
    case "NOT_IN": { const unwanted = values(); return with_((of) => !unwanted.includes(of)); }
    case "HAS_PROPERTY": return with_(() => true);
    case "NOT_HAS_PROPERTY": { const has = with_(() => true); return (properties) => !has(properties); }
    case "CONTAINS_TOKEN": { const part = text("value", member(filter, "value")).replaceAll("*", "").toLowerCase(); return with_((of) => String(of).toLowerCase().includes(part)); }
    default: throw new SearchError(`Invalid operator "${operator}".`);
  }
}

/** One sort at most; by default the oldest object comes first. */
function compileSort(written: unknown, types: Readonly<Record<string, PropertyType>>): (a: Properties, b: Properties) => number {
  const sorts = list("sorts", written ?? []);
  if (sorts.length > 1) throw new SearchError("Only one sort is allowed.");
  const name = sorts.length === 0 ? "createdate" : typeof sorts[0] === "string" ? sorts[0].replace(/^-/, "") : text("propertyName", member(sorts[0], "propertyName"));
  const direction = sorts.length === 0 ? "ASCENDING" : typeof sorts[0] === "string" ? (sorts[0].startsWith("-") ? "DESCENDING" : "ASCENDING") : member(sorts[0], "direction") ?? "ASCENDING";
  const type = types[name];
  if (type === undefined) throw new SearchError(`Cannot sort by property "${name}": it does not exist.`);
  if (direction !== "ASCENDING" && direction !== "DESCENDING") throw new SearchError(`Invalid sort direction "${String(direction)}".`);
  const of = (properties: Properties) => properties[name] ? comparable(name, type, properties[name]) : undefined;
  const sign = direction === "ASCENDING" ? 1 : -1;
  return (a, b) => {
    const [left, right] = [of(a), of(b)];
    if (left === right) return 0;
    if (left === undefined) return 1;
    if (right === undefined) return -1;
    return left < right ? -sign : sign;
  };
}

/** Datetimes are given as milliseconds since the epoch or as ISO 8601. */
function comparable(name: string, type: PropertyType, value: string): string | number {
  if (type === "string" || type === "enumeration" || type === "bool") return value;
  const number = type === "number" || /^-?\d+$/.test(value) ? Number(value) : Date.parse(value);
  if (value.trim() === "" || Number.isNaN(number)) throw new SearchError(`Property "${name}" of type ${type} cannot be compared with "${value}".`);
  return number;
}

function wholeNumber(name: string, value: unknown, fallback: number): number {
  if (value === undefined) return fallback;
  const number = typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value)) ? Number(value) : NaN;
  if (!Number.isInteger(number) || number < 0) throw new SearchError(`Invalid input JSON: "${name}" must be a whole number.`);
  return number;
}

function list(name: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new SearchError(`Invalid input JSON: "${name}" must be a list.`);
  return value;
}

function text(name: string, value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string" || value === "") throw new SearchError(`Invalid input JSON: "${name}" is required and must be text.`);
  return value;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) throw new SearchError("Invalid input JSON: an object was expected.");
  return (value as Record<string, unknown>)[name];
}
