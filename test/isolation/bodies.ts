/** Values for a route's own JSON schemas: as valid as possible, so that the route's code runs, with ids and names of one tenant. */
import type { JsonSchema, Known } from "./world.ts";

/** Names under which a tenant's things are meant, beside those of their columns. */
const MEANT: Readonly<Record<string, string>> = { tenants: "tenant", link: "connect_link", account: "account_id", fields: "field", streams: "stream", flows: "flow", connections: "connection", users: "user", runs: "run", run: "run", parent: "run" };

export function valueFor(schema: JsonSchema, name: string, of: Known, depth = 0): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum.find((value) => value !== null);
  const choice = schema.anyOf ?? schema.oneOf;
  if (choice !== undefined) return valueFor(choice.find(({ type }) => type !== "null") ?? choice[0]!, name, of, depth);
  const type = Array.isArray(schema.type) ? schema.type.find((each) => each !== "null") : schema.type;
  switch (type) {
    case "object": {
      const properties = Object.entries(schema.properties ?? {});
      if (depth > 5) return {};
      if (properties.length === 0) return schema.examples?.[0] ?? {};
      return Object.fromEntries(properties.map(([key, of_]) => [key, valueFor(of_, key, of, depth + 1)] as const));
    }
    case "array": return schema.items === undefined || depth > 5 ? [] : [valueFor(schema.items, name, of, depth + 1)];
    case "integer": case "number": return schema.default ?? schema.examples?.[0] ?? schema.minimum ?? 1;
    case "boolean": return schema.default ?? true;
    case "null": return null;
    default: return text(schema, name, of);
  }
}

function text(schema: JsonSchema, name: string, of: Known): string {
  const named = of.names[MEANT[name] ?? name]?.[0];
  if (named !== undefined && fits(schema, named)) return named;
  if (schema.format === "date-time") return "2026-03-01T09:00:00.000Z";
  if (schema.format === "email" || name === "email") return "somebody@isolation.example";
  if (name === "pointer") return "/title";
  const example = schema.examples?.find((value) => typeof value === "string" && !value.includes("…"));
  if (example !== undefined) return example as string;
  const plain = [schema.default, "abc", "abcdefghijklmnop", "https://127.0.0.1/", "0123456789abcdef0123456789abcdef", "A reason of some length"].find((value) => typeof value === "string" && fits(schema, value));
  return (plain as string | undefined) ?? "abc";
}

const fits = ({ pattern, minLength = 0 }: JsonSchema, value: string): boolean => value.length >= minLength && (pattern === undefined || new RegExp(pattern, "u").test(value));

/** Ids are wanted under these names, whatever they are of. */
const ID = new Set(["id", "link", "run", "user"]);

/**
 * What a tenant has for a place of a path or filter. Of ids those of the kind that the path speaks of come first, then some of
 * every other table: a route must not find what is somebody's under any of them.
 */
export function candidates(name: string, of: Known, { path = "", others = 0, random = () => 0 }: { path?: string; others?: number; random?: () => number } = {}): readonly string[] {
  const named = of.names[MEANT[name] ?? name] ?? [];
  if (!ID.has(name)) return named;
  const uuid = (value: string): boolean => /^[0-9a-f-]{36}$/.test(value);
  const resource = /^\/api\/([\w-]+)\//.exec(path)?.[1]?.replaceAll("-", "_").replace(/ies$/, "y").replace(/s$/, "") ?? "";
  const particular = name === "id" ? of.names[KIND[resource] ?? resource] ?? [] : named;
  const rest = Array.from({ length: others }, () => of.uuids[Math.floor(random() * of.uuids.length)]!);
  return [...new Set([...particular.filter(uuid).slice(0, 4), ...rest])];
}

/** The table behind a path, where its name is another. */
const KIND: Readonly<Record<string, string>> = { record: "entity_row", key: "api_key", request: "integration_request", hold: "delivery", webhook: "webhook_endpoint", session: "user" };
