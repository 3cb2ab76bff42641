/** From a request block of the effective tree to a RequestPlan. */
import type { JsonObject } from "../manifest/types.ts";
import { problemAt, type Report } from "./problems.ts";
import { at, isRemoval, members, plain, text, type Sourced } from "./sourced.ts";
import type { ComponentPlan, ErrorRulePlan, RequestPlan, Value } from "./types.ts";

const METHODS = ["get", "post", "put", "patch", "delete"] as const;
const ENCODINGS = ["json", "form", "text"] as const;

/** JSONata without the `=` that keys which are always an expression do not need. */
export function expression(node: Sourced | undefined): string | undefined {
  const written = text(node);
  return written === undefined ? undefined : written.trimStart().startsWith("=") ? written.trimStart().slice(1) : written;
}

/** `{ [key]: value }`, or nothing for an absent value: for spreading. */
export function optional<Key extends string, T>(key: Key, value: T | undefined): { readonly [K in Key]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: T };
}

export const value = (node: Sourced | undefined): Value | undefined => (node && !isRemoval(node) ? plain(node) : undefined);

export const record = <T>(node: Sourced | undefined, each: (member: Sourced, name: string) => T): Record<string, T> =>
  Object.fromEntries(members(node).map(([name, member]) => [name, each(member, name)]));

/** The members that are numbers; what is none is told where manifests are validated. */
export const numbers = (node: Sourced | undefined): Record<string, number> =>
  Object.fromEntries(members(node).flatMap(([name, member]) => (member.kind === "scalar" && typeof member.value === "number" ? [[name, member.value] as const] : [])));

export const component = (node: Sourced | undefined, standardType: string): ComponentPlan | undefined =>
  node?.kind === "map" ? { ...(plain(node) as JsonObject), type: text(at(node, "type")) ?? standardType } : undefined;

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
