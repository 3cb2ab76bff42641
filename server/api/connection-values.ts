/**
 * What was entered for a connection, checked against its connector's config: all problems together, each with its field and
 * where it stands in the body. A value is never repeated in a problem: it may be a secret in the wrong place.
 */
import { RE2JS } from "re2js";
import type { ErrorCode } from "../../engine/errors/catalog.ts";
import { suggest } from "../../engine/errors/nearest.ts";
import { hintOf, messageOf, type ErrorParams } from "../../engine/errors/plugboard-error.ts";
import { compileExpression } from "../../engine/expression/index.ts";
import type { Json, JsonObject } from "../../engine/manifest/types.ts";
import { hostFields, type ConfigField, type ConnectionPlan, type ConnectorPlan } from "../../engine/plan/index.ts";
import type { ConnectionState } from "../../engine/store/index.ts";
import type { ValueProblem } from "./errors.ts";

export interface Entered {
  readonly config?: JsonObject;
  readonly secrets?: JsonObject;
  /** Secret field → where its value is kept: `env:NAME`, `file:PATH`, `vault:mount/path#field`. */
  readonly references?: Readonly<Record<string, string>>;
}

export interface Context {
  readonly connector: ConnectorPlan;
  readonly plan: Pick<ConnectionPlan, "config" | "locks">;
  /** What is stored; absent before anything was entered. */
  readonly state: ConnectionState | undefined;
  /** Fields of `scope: app` that the operator has set. */
  readonly ofOperator: readonly string[];
  /** It is the operator's own connection: what its customers bring is not asked for where the operator sets something for all of them. */
  readonly isOperators?: boolean;
}

export interface Accepted {
  readonly problems: readonly ValueProblem[];
  /** The whole config from now on. */
  readonly config: JsonObject;
  /** Field → new value, `null` to forget it. */
  readonly secrets: Readonly<Record<string, string | null>>;
  readonly references: Readonly<Record<string, string>>;
  /** Secrets forgotten because the address they go to is another one now. */
  readonly cleared: readonly string[];
  /** Whether it is. */
  readonly moved: boolean;
}

type Part = "config" | "secrets" | "references";

/** What forms show in place of a secret. */
const MASK = /^[*•●∙·.…xX]{3,}$/;
const TEXT_LIMIT = 20_000;
/** `https://user:password@host`: in a field that is no secret, it would stand in clear in answers, the database and the audit log. */
export const PASSWORD_IN_ADDRESS = /^\s*[a-z][a-z0-9+.-]*:[\\/]*[^\\/?#]*:[^\\/?#]*@/i;

export async function acceptValues(entered: Entered, context: Context): Promise<Accepted> {
  const { connector, plan, state } = context;
  const problems: ValueProblem[] = [];
  const report = (code: ErrorCode, field: string, part: Part, params: ErrorParams): void => {
    const all = { field, ...params };
    const hint = hintOf(code, all);
    problems.push({ code, field, pointer: `/${part}/${field.replaceAll("~", "~0").replaceAll("/", "~1")}`, message: messageOf(code, all), ...(hint === undefined ? {} : { hint }) });
  };
  const sound = (field: string, value: Json, part: Part): boolean => {
    const declared = Object.hasOwn(connector.config, field) ? connector.config[field] : undefined;
    if (declared === undefined) report("SERVER_UNKNOWN_FIELD", field, part, { connector: connector.id, suggestion: suggest(field, Object.keys(connector.config)) });
    else if (plan.locks.includes(field)) report("PLAN_LOCKED", field, part, { path: field, by: "the configuration" });
    else if ((declared.secret === true) === (part === "config")) report("SERVER_WRONG_VALUE", field, part, { expected: declared.secret === true ? "given in 'secrets'" : "given in 'config'", suggestion: declared.secret === true ? "It is a secret: encrypted, and never shown again." : "It is no secret." });
    else if (value === null || part === "references") return true;
    else if (part === "secrets" && typeof value === "string" && MASK.test(value)) report("SERVER_MASKED_SECRET", field, part, {});
    else {
      const expected = unlike(value, declared);
      if (expected === undefined) return true;
      report("SERVER_WRONG_VALUE", field, part, { expected, suggestion: declared.help ?? "" });
    }
    return false;
  };

  const before = state?.config ?? {};
  const config: Record<string, Json> = entered.config === undefined ? known(before, connector) : {};
  for (const [field, value] of Object.entries(entered.config ?? {})) if (sound(field, value, "config") && value !== null) config[field] = value;
  const secrets: Record<string, string | null> = {};
  for (const [field, value] of Object.entries(entered.secrets ?? {})) if (sound(field, value, "secrets")) secrets[field] = value === null ? null : String(value);

  const references: Record<string, string> = {};
  for (const [field, reference] of Object.entries(entered.references ?? {})) {
    if (Object.hasOwn(secrets, field)) report("SERVER_WRONG_VALUE", field, "references", { expected: "given once: as a secret or as a reference", suggestion: "" });
    else if (sound(field, reference, "references")) references[field] = reference;
  }

  const now = effective(connector, plan, config);
  const moved = movesElsewhere(context, config);
  const cleared = moved ? Object.keys(state?.secrets ?? {}).filter((field) => !Object.hasOwn(secrets, field) && !Object.hasOwn(references, field)) : [];
  for (const field of cleared) secrets[field] = null;

  for (const [field, declared] of Object.entries(connector.config)) {
    const part = declared.secret === true ? "secrets" : "config";
    const given = (entered[part] as JsonObject | undefined)?.[field] ?? references[field];
    if (!(await isAsked(declared, now))) {
      if (given !== undefined && given !== null && !plan.locks.includes(field)) report("SERVER_WRONG_VALUE", field, part, { expected: `left out: it is asked for only when ${String(declared.when)}`, suggestion: "" });
      continue;
    }
    const wrong = problems.some((problem) => problem.field === field);
    if (!wrong && !cleared.includes(field) && lacks(field, declared, context, now, { ...secrets, ...references })) report("AUTH_MISSING_CREDENTIAL", field, part, { connection: "", title: declared.title, suggestion: declared.help ?? "" });
  }
  return { problems: problems.map(sayMissing), config, secrets, references, cleared, moved };
}

/** A form says it in its own words: the connection is known. */
const sayMissing = (problem: ValueProblem): ValueProblem => (problem.code === "AUTH_MISSING_CREDENTIAL" ? { ...problem, message: `'${problem.field}' has no value.` } : problem);

/** Fields without which the connection cannot be used, as it is stored. */
export async function missingFields(context: Context): Promise<string[]> {
  const now = effective(context.connector, context.plan, context.state?.config ?? {});
  const missing: string[] = [];
  for (const [field, declared] of Object.entries(context.connector.config)) if ((await isAsked(declared, now)) && lacks(field, declared, context, now, {})) missing.push(field);
  return missing;
}

/** Fields that a form asks for, with this config entered so far. */
export async function askedFields({ connector, plan }: Pick<Context, "connector" | "plan">, entered: JsonObject): Promise<string[]> {
  const now = effective(connector, plan, entered);
  const asked: string[] = [];
  for (const [field, declared] of Object.entries(connector.config)) if (declared.scope !== "app" && !plan.locks.includes(field) && (await isAsked(declared, now))) asked.push(field);
  return asked;
}

/** Whether, with this config, a person signs in at the provider. */
export async function signsInWith({ connector, plan }: Pick<Context, "connector" | "plan">, entered: JsonObject): Promise<boolean> {
  const { by, named = {} } = connector.http?.auth ?? {};
  const variables = { config: effective(connector, plan, entered) };
  const name = by === undefined ? Object.keys(named)[0] : String(await Promise.resolve(compileExpression(by).evaluate(variables, variables)).catch(() => ""));
  return name !== undefined && Object.hasOwn(named, name) && named[name]!.type === "oauth2_authorization_code";
}

/** Fields of `scope: app` without which nobody signs in, and that the operator has not entered. */
export const missingOfOperator = (config: Readonly<Record<string, ConfigField>>, ofOperator: readonly string[]): string[] =>
  Object.entries(config).flatMap(([field, { scope, optional, default: preset }]) => (scope === "app" && optional !== true && preset === undefined && !ofOperator.includes(field) ? [field] : []));

/** Stored config that the connector still has, and that is no secret (by now). */
export const known = (config: JsonObject, connector: ConnectorPlan): Record<string, Json> =>
  Object.fromEntries(Object.entries(config).filter(([field]) => Object.hasOwn(connector.config, field) && connector.config[field]!.secret !== true));

/** Defaults, the tree, what was entered: without secrets. A locked field is the tree's. */
function effective(connector: ConnectorPlan, plan: Context["plan"], entered: JsonObject): JsonObject {
  const values: Record<string, Json> = {};
  for (const [field, declared] of Object.entries(connector.config)) {
    const value = (plan.locks.includes(field) ? plan.config[field] : entered[field] ?? plan.config[field]) ?? declared.default;
    if (value !== undefined && value !== null && declared.secret !== true) values[field] = value;
  }
  return values;
}

/** Whether, with this config entered, a stored credential would go to another host than the one it was entered for. */
export function movesElsewhere({ connector, plan, state }: Pick<Context, "connector" | "plan" | "state">, entered: JsonObject): boolean {
  if (state === undefined || (Object.keys(state.secrets).length === 0 && !state.signed_in)) return false;
  if (state.connector !== connector.id) return true;
  const [then, now] = [effective(connector, plan, state.config), effective(connector, plan, entered)];
  return hostFields(connector).some((field) => JSON.stringify(then[field]) !== JSON.stringify(now[field]));
}

function lacks(field: string, declared: ConfigField, { connector, plan, state, ofOperator, isOperators }: Context, now: JsonObject, secrets: Readonly<Record<string, string | null>>): boolean {
  if (declared.optional === true || declared.default !== undefined || declared.scope === "app" || ofOperator.includes(field)) return false;
  if (isOperators === true && Object.values(connector.config).some(({ scope }) => scope === "app")) return false;
  if (declared.secret !== true) return now[field] === undefined || now[field] === "";
  if (plan.config[field] !== undefined) return false;
  const given = secrets[field];
  return given === undefined ? state?.secrets[field] === undefined : given === null || given === "";
}

/** A condition that cannot be evaluated does not keep a field from being asked for. */
async function isAsked(field: ConfigField, config: JsonObject): Promise<boolean> {
  if (field.when === undefined) return true;
  if (typeof field.when === "boolean") return field.when;
  try {
    return (await compileExpression(field.when).evaluate(config, { config })) === true;
  } catch {
    return true;
  }
}

/** What the value should have been; undefined when it is that. */
function unlike(value: Json, { type = "string", enum: choices, pattern, optional, secret, default: preset }: ConfigField): string | undefined {
  if (choices !== undefined) return choices.some((choice) => choice === value) ? undefined : `one of: ${choices.map(String).join(", ")}`;
  if (type === "boolean") return typeof value === "boolean" ? undefined : "true or false";
  if (type === "integer") return Number.isSafeInteger(value) ? undefined : "a whole number";
  if (type === "number") return typeof value === "number" && Number.isFinite(value) ? undefined : "a number";
  if (typeof value !== "string") return type === "string" ? "a text" : `a ${type} as text`;
  if (value.length > TEXT_LIMIT) return `at most ${TEXT_LIMIT} characters long`;
  // PostgreSQL keeps neither.
  if (value.includes("\0") || !value.isWellFormed()) return "a text without a NUL character or half a character";
  if (secret !== true && PASSWORD_IN_ADDRESS.test(value)) return "an address without a password in it, which would be shown to everybody who sees the address";
  if (value.trim() === "" && optional !== true && preset === undefined) return "not empty";
  if (type === "date" && !isDate(value)) return "a date such as 2026-03-01";
  if (type === "date-time" && !isDateTime(value)) return "an instant such as 2026-03-01T09:00:00Z";
  if (pattern !== undefined && !matches(pattern, value)) return `a text that matches ${pattern}`;
  return undefined;
}

const isDate = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`)) && new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
const isDateTime = (text: string): boolean => /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.test(text) && isDate(text.slice(0, 10)) && !Number.isNaN(Date.parse(text));

/** In linear time; what needs more is not checked here. */
function matches(pattern: string, text: string): boolean {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern)).matcher(text).find();
  } catch {
    return true;
  }
}
