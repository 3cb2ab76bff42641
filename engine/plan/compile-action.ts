/** From an action of the effective tree to an ActionPlan. */
import type { JsonObject } from "../manifest/types.ts";
import { compilePolls, compileRequest, expression, expressions, numberOf, optional, record, seconds, value } from "./compile-request.ts";
import { namesVariable } from "./names-variable.ts";
import { problemAt, type Report } from "./problems.ts";
import { at, plain, text, type Sourced } from "./sourced.ts";
import type { ActionPlan, OncePlan } from "./types.ts";

export const EFFECTS = ["creates", "updates", "deletes", "upserts"] as const;
/** What may stand under `once`, for messages. */
export const ONCE_FORM = "how a second try is harmless: repeatable, { key: delivery.key }, { find: … }, { unique: … }; or false, when it is not";

/** @param where `connectors.crm.actions.add_note`, for messages. */
export function compileAction(node: Sourced, where: string, report: Report): ActionPlan | undefined {
  const request = compileRequest(node, where, report);
  const once = compileOnce(at(node, "once"), where, report);
  if (!at(node, "once")) report(problemAt(node.source, "MANIFEST_MISSING_FIELD", { field: "once", where, expected: ONCE_FORM }, { part: "key" }));
  if (!request || !once) return undefined;
  const does = EFFECTS.find((each) => at(node, each));
  const [returns, match] = [at(node, "returns"), at(node, "match")];
  const [before, after] = [compilePolls(at(node, "before"), `${where}.before`, report), compilePolls(at(node, "after"), `${where}.after`, report)];
  return {
    ...optional("title", text(at(node, "title"))),
    input: record(at(node, "input"), (schema) => plain(schema) as JsonObject),
    with: (value(at(node, "with")) ?? {}) as JsonObject,
    request, before, after,
    ...(does ? { effect: { does, stream: text(at(node, does)) ?? "" } } : {}),
    ...optional("batch", numberOf(at(node, "batch"))),
    ...optional("results", expression(at(node, "results"))),
    ...(at(match, "result") ? { match: { result: expression(at(match, "result"))!, ...optional("input", expression(at(match, "input"))) } } : {}),
    ...optional("refused", expression(at(node, "refused"))),
    ...optional("say", value(at(node, "say"))),
    ...(returns ? { returns: { ...(at(returns, "key") ? { key: expressions(at(returns, "key")) } : {}), ...optional("version", expression(at(returns, "version"))) } } : {}),
    once,
    irreversible: at(node, "irreversible") !== undefined && plain(at(node, "irreversible")!) === true,
    reads_current: namesVariable({ request, before, after } as never, "current"),
  };
}

function compileOnce(node: Sourced | undefined, where: string, report: Report): OncePlan | undefined {
  if (!node) return undefined;
  if (node.kind === "scalar") return node.value === "repeatable" ? { is: "repeatable" } : node.value === false ? { is: "never" } : wrong(node, where, report);
  if (node.kind !== "map") return wrong(node, where, report);
  const [find, unique, key] = [at(node, "find"), expression(at(node, "unique")), expression(at(node, "key"))];
  const [validFor, settle] = [at(node, "valid_for"), at(node, "settle")];
  if (!find && unique === undefined && key === undefined) return wrong(node, where, report);
  const request = find && compileRequest(find, `${where}.once.find`, report);
  return {
    is: "guarded",
    // Beside `unique`, `key` says where the record is that made the provider refuse.
    ...(unique === undefined ? optional("key", key) : { unique, ...optional("existing", key) }),
    ...optional("valid_for_seconds", validFor && seconds(validFor, `${where}.once.valid_for`, report)),
    ...(find && request ? { find: { request, key: expressions(at(find, "key")), ...optional("records", expression(at(find, "records"))) } } : {}),
    ...optional("settle_seconds", settle && seconds(settle, `${where}.once.settle`, report)),
  };
}

function wrong(node: Sourced, where: string, report: Report): undefined {
  report(problemAt(node.source, "MANIFEST_WRONG_VALUE", { field: `${where}.once`, expected: ONCE_FORM, actual: JSON.stringify(plain(node)) }));
}
