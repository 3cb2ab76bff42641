/**
 * What a person would enter when connecting, taken from `--set field=value` or the environment: checked against the
 * connector's config, typed as it says, secrets apart. `env:NAME` and `file:PATH` as a value keep a secret out of the
 * list of processes and the shell's history.
 */
import { readFileSync } from "node:fs";
import { suggest } from "../../engine/errors/nearest.ts";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { compileExpression } from "../../engine/expression/index.ts";
import type { Json, JsonObject } from "../../engine/manifest/types.ts";
import { PASSWORD_IN_ADDRESS } from "../api/connection-values.ts";
import type { ConfigField, ConnectionPlan, ConnectorPlan } from "../../engine/plan/types.ts";

export interface EnteredValues {
  readonly config: JsonObject;
  readonly secrets: Readonly<Record<string, string>>;
}

/** What else stands before a `=` may be half a secret. */
const FIELD = /^[a-z][a-z0-9_]{0,40}$/i;

/** Adds one `--set` to those before it; commander's collector. */
export const collectSet = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/**
 * @param names prefixes of environment variables, most particular first: `PLUGBOARD_ACME_HUBSPOT`, `PLUGBOARD_HUBSPOT`.
 * @param stored fields that were entered earlier and need not be entered again; `any`: what is missing is found out later.
 * @throws PlugboardError CLI_USAGE for an unknown field or a value that is not what the field says; AUTH_MISSING_CREDENTIAL naming every field that has no value.
 */
export function enteredValues(connector: ConnectorPlan, connection: { readonly id: string; readonly plan?: ConnectionPlan | undefined }, sets: readonly string[], env: NodeJS.ProcessEnv, names: readonly string[], stored: readonly string[] | "any" = []): EnteredValues {
  const given = new Map<string, string>();
  for (const field of Object.keys(connector.config)) {
    const name = names.map((prefix) => `${prefix}_${field}`.toUpperCase().replace(/[^A-Z0-9]/g, "_")).find((each) => env[each] !== undefined);
    if (name !== undefined) given.set(field, env[name]!);
  }
  for (const set of sets) {
    const equals = set.indexOf("=");
    if (equals < 1) throw usage("--set takes field=value, and one of them has no '='.", "For example: --set api_key=env:MY_KEY");
    const field = set.slice(0, equals);
    if (!connector.config[field]) throw usage(`Connector '${connector.id}' has no config field '${FIELD.test(field) ? field : "…"}'.`, suggest(field, Object.keys(connector.config)));
    given.set(field, resolveReference(field, set.slice(equals + 1), env));
  }

  const config: Record<string, Json> = {};
  const secrets: Record<string, string> = {};
  for (const [field, text] of given) {
    const declared = connector.config[field]!;
    if (connection.plan?.locks.includes(field)) throw new PlugboardError("PLAN_LOCKED", { path: `connections.${connection.id}.config.${field}`, by: "the preset" });
    if (declared.secret) secrets[field] = text;
    else config[field] = typed(field, text, declared);
  }
  if (stored !== "any") refuseMissing(connector, connection, { ...connection.plan?.config, ...config }, secrets, stored);
  return { config, secrets };
}

function refuseMissing(connector: ConnectorPlan, connection: { readonly id: string }, config: JsonObject, secrets: Readonly<Record<string, string>>, stored: readonly string[]): void {
  const known: Record<string, Json> = { ...Object.fromEntries(Object.entries(connector.config).flatMap(([field, { default: value }]) => (value === undefined ? [] : [[field, value]]))), ...config };
  const missing = Object.entries(connector.config).filter(([field, declared]) =>
    declared.default === undefined && declared.optional !== true && declared.scope !== "app" && known[field] === undefined && secrets[field] === undefined && !stored.includes(field) && isAsked(declared, known));
  const [first] = missing;
  if (!first) return;
  const flags = missing.map(([field, declared]) => `--set ${field}=${declared.secret ? `env:${field.toUpperCase()}` : "…"}`).join(" ");
  throw new PlugboardError("AUTH_MISSING_CREDENTIAL", { connection: connection.id, field: missing.map(([field]) => field).join("', '"), title: missing.map(([, { title }]) => title).join(", "), suggestion: `Give it with ${flags}, or in the environment.` });
}

function isAsked(field: ConfigField, config: JsonObject): boolean {
  if (field.when === undefined) return true;
  try {
    return compileExpression(field.when).evaluate(config, { config }) === true;
  } catch {
    return true;
  }
}

function resolveReference(field: string, text: string, env: NodeJS.ProcessEnv): string {
  const [, kind, rest] = /^(env|file):(.+)$/s.exec(text) ?? [];
  if (kind === "env") {
    const value = env[rest!];
    if (value === undefined) throw usage(`--set ${field}=${text}: the environment has no ${rest}.`, `export ${rest}=… first`);
    return value;
  }
  if (kind === "file") {
    try {
      return readFileSync(rest!, "utf8").replace(/\r?\n$/, "");
    } catch (thrown) {
      throw usage(`--set ${field}=${text}: the file cannot be read: ${(thrown as Error).message}.`, "Check the path.");
    }
  }
  return text;
}

function typed(field: string, text: string, declared: ConfigField): Json {
  const refuse = (expected: string): PlugboardError => usage(`Config field '${field}' must be ${expected}, not '${text}'.`, declared.help ?? "Check the value.");
  if (declared.type === "integer" || declared.type === "number") {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || (declared.type === "integer" && !Number.isInteger(value))) throw refuse(declared.type === "integer" ? "a whole number" : "a number");
    return value;
  }
  if (declared.type === "boolean") {
    if (text !== "true" && text !== "false") throw refuse("true or false");
    return text === "true";
  }
  if (declared.enum && !declared.enum.some((each) => String(each) === text)) throw refuse(`one of ${declared.enum.map(String).join(", ")}`);
  if (PASSWORD_IN_ADDRESS.test(text)) throw usage(`Config field '${field}' must be an address without a password in it.`, declared.help ?? "It is no secret: it would be shown to everybody who sees the address.");
  return declared.enum?.find((each) => String(each) === text) ?? text;
}

const usage = (detail: string, suggestion: string): PlugboardError => new PlugboardError("CLI_USAGE", { detail, suggestion });
