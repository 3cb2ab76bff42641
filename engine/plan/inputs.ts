/** What a preset asks of each tenant: declared like `config`, answered in the tenant's file, read as `$inputs`. */
import { suggest } from "../errors/nearest.ts";
import { problemAt, type Report } from "./problems.ts";
import { at, isRemoval, map, members, plain, sameJson, text, type Source, type Sourced, type SourcedMap } from "./sourced.ts";

export function effectiveInputs(declared: Sourced | undefined, given: Sourced | undefined, tenant: Source, report: Report): SourcedMap {
  const fields = members(declared);
  const values = fields.flatMap(([name, field]) => {
    const answer = answerOf(name, field, given, tenant, report);
    return answer ? [[name, answer] as const] : [];
  });
  for (const [name, value] of members(given)) {
    if (!fields.some(([known]) => known === name))
      report(problemAt(value.source, "MANIFEST_UNKNOWN_FIELD", { field: name, where: "inputs", suggestion: suggest(name, fields.map(([known]) => known)) }, { part: "key" }));
  }
  return map(given?.source ?? tenant, values);
}

function answerOf(name: string, field: Sourced, given: Sourced | undefined, tenant: Source, report: Report): Sourced | undefined {
  const standard = at(field, "default");
  const own = at(given, name);
  if (!own) {
    if (!standard && text(at(field, "optional")) !== "true")
      report(problemAt(given?.source ?? tenant, "MANIFEST_MISSING_FIELD", { field: `inputs.${name}`, where: "the tenant", expected: text(at(field, "title")) ?? "a value" }));
    return standard;
  }
  const expected = expectation(field, own);
  if (expected !== undefined) report(problemAt(own.source, "MANIFEST_WRONG_VALUE", { field: `inputs.${name}`, expected, actual: JSON.stringify(plain(own)) }));
  return standard && !isRemoval(standard) ? { ...own, shadows: [{ source: standard.source, value: plain(standard) }] } : own;
}

/** What the field wants, when the value is not that. */
function expectation(field: Sourced, value: Sourced): string | undefined {
  const actual = plain(value);
  const choices = at(field, "enum");
  if (choices?.kind === "list") return choices.items.some((choice) => sameJson(plain(choice), actual)) ? undefined : `one of ${choices.items.map((choice) => plain(choice)).join(", ")}`;
  switch (text(at(field, "type")) ?? "string") {
    case "integer": return Number.isInteger(actual) ? undefined : "a whole number";
    case "number": return typeof actual === "number" ? undefined : "a number";
    case "boolean": return typeof actual === "boolean" ? undefined : "true or false";
    default: return typeof actual === "string" ? undefined : "text";
  }
}
