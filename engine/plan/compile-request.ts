/** From a request block of the effective tree to a RequestPlan. */
import type { JsonObject } from "../manifest/types.ts";
import { DURATION_FORM, parseDuration } from "./duration.ts";
import { problemAt, type Report } from "./problems.ts";
import { at, isRemoval, members, plain, text, type Sourced } from "./sourced.ts";
import type { AuthPlan, ComponentPlan, ErrorRulePlan, PollPlan, RequestPlan, Value } from "./types.ts";

const METHODS = ["get", "post", "put", "patch", "delete"] as const;
const ENCODINGS = ["json", "form", "text"] as const;

/** JSONata without the `=` that keys which are always an expression do not need. */
export function expression(node: Sourced | undefined): string | undefined {
  const written = text(node);
  return written === undefined ? undefined : written.trimStart().startsWith("=") ? written.trimStart().slice(1) : written;
}

/** Those of a list: `key`, `id`. */
export const expressions = (node: Sourced | undefined): string[] => (node?.kind === "list" ? node.items.flatMap((each) => expression(each) ?? []) : []);

/** `{ [key]: value }`, or nothing for an absent value: for spreading. */
export function optional<Key extends string, T>(key: Key, value: T | undefined): { readonly [K in Key]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: T };
}

export const value = (node: Sourced | undefined): Value | undefined => (node && !isRemoval(node) ? plain(node) : undefined);

export const record = <T>(node: Sourced | undefined, each: (member: Sourced, name: string) => T): Record<string, T> =>
  Object.fromEntries(members(node).map(([name, member]) => [name, each(member, name)]));

/** A number; what is none is told where manifests are validated. */
export const numberOf = (node: Sourced | undefined): number | undefined => (node?.kind === "scalar" && typeof node.value === "number" ? node.value : undefined);

/** The members that are numbers; what is none is told where manifests are validated. */
export const numbers = (node: Sourced | undefined): Record<string, number> =>
  Object.fromEntries(members(node).flatMap(([name, member]) => (member.kind === "scalar" && typeof member.value === "number" ? [[name, member.value] as const] : [])));

export const component = (node: Sourced | undefined, standardType: string): ComponentPlan | undefined =>
  node?.kind === "map" ? { ...(plain(node) as JsonObject), type: text(at(node, "type")) ?? standardType } : undefined;

/** Name of the only one, where there is no `by`. */
export const ONLY = "default";

/** One component, or with `by` one of several by name: authenticators, verifiers. */
export function named(node: Sourced | undefined): AuthPlan | undefined {
  if (node?.kind !== "map") return undefined;
  const by = at(node, "by");
  if (!by) return { named: { [ONLY]: plain(node) as ComponentPlan } };
  return { by: expression(by)!, named: Object.fromEntries(members(node).filter(([name]) => name !== "by").map(([name, each]) => [name, plain(each) as ComponentPlan])) };
}

/** @param where the block's place, for messages: `connectors.crm.streams.contacts.list`. */
export function compileRequest(node: Sourced, where: string, report: Report): RequestPlan | undefined {
  const method = METHODS.find((each) => at(node, each));
  if (!method) {
    report(problemAt(node.source, "MANIFEST_MISSING_FIELD", { field: "get", where, expected: "a path (or post, put, patch, delete)" }));
    return undefined;
  }
  const encoding = ENCODINGS.find((each) => at(node, each));
  return {
    method: method.toUpperCase() as RequestPlan["method"],
    path: text(at(node, method)) ?? "",
    ...optional("base_url", text(at(node, "base_url"))),
    ...optional("query", value(at(node, "query"))),
    ...optional("headers", value(at(node, "headers"))),
    ...(encoding ? { body: { encoding, value: plain(at(node, encoding)!) } } : {}),
    ...optional("auth", text(at(node, "auth"))),
    ...optional("as", component(at(node, "as"), "json")),
    ...optional("empty", expression(at(node, "empty"))),
    errors: compileErrors(at(node, "errors")),
  };
}

export function compileErrors(node: Sourced | undefined): Record<string, ErrorRulePlan> {
  return record(node, (rule) => ({
    when: expression(at(rule, "when")) ?? "false",
    do: (text(at(rule, "do")) ?? "fail") as ErrorRulePlan["do"],
    ...optional("until", expression(at(rule, "until"))),
    ...optional("say", value(at(rule, "say"))),
  }));
}

/** Requests around another one, by name. */
export function compilePolls(node: Sourced | undefined, where: string, report: Report): Record<string, PollPlan> {
  return Object.fromEntries(members(node).flatMap(([name, poll]) => {
    const request = compileRequest(poll, `${where}.${name}`, report);
    const [every, within] = [at(poll, "every"), at(poll, "within")];
    return request ? [[name, {
      request,
      ...optional("until", expression(at(poll, "until"))),
      ...optional("every_seconds", every && seconds(every, `${where}.${name}.every`, report)),
      ...optional("within_seconds", within && seconds(within, `${where}.${name}.within`, report)),
    }] as const] : [];
  }));
}

export function seconds(node: Sourced, field: string, report: Report): number | undefined {
  const parsed = parseDuration(plain(node));
  if (parsed === undefined) report(problemAt(node.source, "MANIFEST_WRONG_VALUE", { field, expected: DURATION_FORM, actual: JSON.stringify(plain(node)) }));
  return parsed;
}

const BYTES: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Of `5MB`, or of a plain number. */
export function bytes(node: Sourced | undefined): number | undefined {
  const written = text(node);
  const [, amount, unit] = written?.match(/^(\d+(?:\.\d+)?)([kKMG]?i?B)?$/) ?? [];
  return amount === undefined ? undefined : Math.round(Number(amount) * (BYTES[unit ?? "B"] ?? 1));
}
