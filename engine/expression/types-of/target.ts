/** Whether what an expression gives is what its target field takes. Told at the part that gives it: of `a ? b : c`, at b or c. */
import { nearest } from "../../errors/nearest.ts";
import type { ErrorParams } from "../../errors/plugboard-error.ts";
import type { Node, Span } from "../syntax/index.ts";
import type { Inferred } from "./infer.ts";
import { lint, type Lint, type LintCode } from "./lint.ts";
import { isOrCanBe } from "./sequence.ts";
import { describe, isNever, isOnly, only, saysNothing, truthy, without, type StringType, type Type } from "./type.ts";

export function checkTarget(root: Node, inferred: Inferred, expected: Type, target: { readonly name: string; readonly required: boolean }): Lint[] {
  const found: Lint[] = [];
  if (expected.unknown) return found;
  const report = (code: LintCode, span: Span, params: ErrorParams, severity?: Lint["severity"]): void => {
    if (!found.some((one) => one.code === code && one.start === span.start && one.end === span.end)) found.push(lint(code, span, params, severity));
  };
  if (target.required && inferred.type.absent === true) {
    const absent = resultsOf(root, inferred).find(({ type }) => type.absent === true)?.node ?? root;
    report("LINT_POSSIBLY_ABSENT", absent === root || absent.parts.length === 0 ? root : absent, { field: target.name, suggestion: "Give a default: … ?? \"value\", or leave such records out with where." }, isOnly(inferred.type, "absent") ? "error" : "warning");
  }
  for (const { node, type } of resultsOf(root, inferred)) new Check(report, node, target.name).value(expected, without(type, "absent"), `'${target.name}'`);
  return found;
}

interface Result { readonly node: Node; readonly type: Type }

/** The parts whose values become the expression's value. */
function resultsOf(node: Node, inferred: Inferred): Result[] {
  const all = (...nodes: readonly (Node | undefined)[]): Result[] => nodes.flatMap((one) => (one ? resultsOf(one, inferred) : []));
  switch (node.kind) {
    case "block": return all(node.expressions.at(-1));
    case "condition": return node.whenFalse ? all(node.whenTrue, node.whenFalse) : [...all(node.whenTrue), { node, type: only(inferred.typeOf(node) ?? {}, "absent") }];
    case "default": {
      const left = resultsOf(node.left, inferred).map(({ node: part, type }) => ({ node: part, type: node.operator === "?:" ? truthy(type) : without(type, "absent") }));
      return [...left, ...all(node.right)];
    }
    case "bind": return all(node.value);
    default: return [{ node, type: inferred.typeOf(node) ?? { unknown: true } }];
  }
}

type Report = (code: LintCode, span: Span, params: ErrorParams, severity?: Lint["severity"]) => void;

class Check {
  private readonly report: Report;
  private readonly node: Node;
  private readonly field: string;

  constructor(report: Report, node: Node, field: string) {
    this.report = report;
    this.node = node;
    this.field = field;
  }

  value(expected: Type, actual: Type, what: string): void {
    if (expected.unknown || saysNothing(actual)) return;
    if (actual.array && !expected.array && !isNever(expected)) return this.listForOne(actual, expected, what);
    const wrong = without(actual, ...(Object.keys(expected) as never[]));
    const single = expected.array && fits(expected.array.items, without(wrong, "null"));
    if (single && !isNever(without(wrong, "null"))) {
      this.report("LINT_LIST_TRAP", this.node, { detail: `${what} is a list; this is one value${actual.array ? " when there is only one" : ""}.`, suggestion: this.node.kind === "array" ? "" : "Keep it a list: …[] behind a path, or [ … ] around a value." });
    } else if (!isNever(wrong)) {
      const definite = isNever(only(actual, ...(Object.keys(expected) as never[])));
      this.report("LINT_WRONG_TYPE", this.node, { what, expected: describe(without(expected, "absent")), ...isOrCanBe(actual, wrong), suggestion: cure(wrong, expected) }, definite ? "error" : "warning");
    }
    if (expected.string && actual.string) this.text(expected.string, actual.string, what);
    if (expected.number?.whole && actual.number && (actual.number.whole === false || actual.number.values?.some((value) => !Number.isInteger(value)))) {
      this.report("LINT_LOSSY_NUMBER", this.node, { detail: `${what} is a whole number, and this can have decimals.`, suggestion: "Say how to round: $round(…), $floor(…) or $ceil(…)." });
    }
    if (expected.array && actual.array) this.value(expected.array.items, without(actual.array.items, "absent"), `An item of '${this.field}'`);
    if (expected.object && actual.object && !expected.object.rest) {
      for (const [name, type] of actual.object.members) {
        const member = expected.object.members.get(name);
        if (member) this.value(without(member, "absent"), without(type, "absent"), `'${this.field}.${name}'`);
      }
    }
  }

  private listForOne(actual: Type, expected: Type, what: string): void {
    const { items, loose } = actual.array!;
    if (!items.unknown && !isNever(items) && !fits(expected, without(items, "absent"))) {
      this.report("LINT_WRONG_TYPE", this.node, { what, expected: describe(without(expected, "absent")), ...isOrCanBe(actual, only(actual, "array")), suggestion: "" }, loose ? "warning" : "error");
    } else this.report("LINT_LIST_TRAP", this.node, { detail: `${what} is one value; this is a list${loose ? " when there are several" : ""}.`, suggestion: expected.string ? "Take one with [0], or join them: $join(…, \", \")" : "Take one with [0], or one of them with $max(…), $sum(…) …" });
  }

  private text(expected: StringType, actual: StringType, what: string): void {
    if (expected.values && actual.values) {
      const unknown = actual.values.filter((value) => !expected.values!.includes(value));
      if (unknown.length === 0) return;
      if (this.node.kind === "string") {
        const near = nearest(unknown[0]!, expected.values);
        this.report("LINT_WRONG_TYPE", this.node, { what, expected: expected.values.map((value) => JSON.stringify(value)).join(" or "), is: "is", actual: JSON.stringify(unknown[0]), suggestion: near === undefined ? "" : `did you mean ${JSON.stringify(near)}?` }, "error");
      } else this.report("LINT_ENUM_VALUE", this.node, { values: unknown.map((value) => JSON.stringify(value)).join(", "), what, suggestion: `Translate it: $translate(…, { ${JSON.stringify(unknown[0])}: ${JSON.stringify(expected.values[0])}, … })` });
      return;
    }
    const [to, from] = [expected.format, actual.format];
    if (to === undefined) return;
    const spoilt = actual.values?.find((value) => PATTERNS[to]?.test(value) === false);
    if (spoilt !== undefined) this.report("LINT_WRONG_TYPE", this.node, { what, expected: `text (${to})`, is: actual.values!.length > 1 ? "can be" : "is", actual: JSON.stringify(spoilt), suggestion: "" });
    if (from === undefined || from === to || !(to in PATTERNS) || !(from in PATTERNS)) return;
    if (to === "date-time" && (from === "date" || from === "local-date-time")) {
      this.report("LINT_NO_TIME_ZONE", this.node, { detail: `${what} is an instant; this is a ${from === "date" ? "day, without time and" : "time without a"} zone.`, suggestion: "Say the zone it was written in: $parse_datetime(…, \"\", \"Europe/London\")" });
    } else this.report("LINT_WRONG_TYPE", this.node, { what, expected: `text (${to})`, is: "is", actual: `text (${from})`, suggestion: to === "date" ? "Take the day: $date_in(…, \"Europe/London\"), or $substring(…, 0, 10) as written" : "" });
  }
}

/** Formats that exclude each other, and what a constant must look like. */
const PATTERNS: Readonly<Record<string, RegExp>> = {
  "date": /^\d{4}-\d\d-\d\d$/, "date-time": /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$/, "local-date-time": /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/,
  "email": /^[^\s@]+@[^\s@]+$/, "uuid": /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
};

/** Whether every alternative is one of the expected ones; what is inside is checked later. */
const fits = (expected: Type, actual: Type): boolean => expected.unknown === true || actual.unknown === true || isNever(without(actual, ...(Object.keys(expected) as never[])));

function cure(wrong: Type, expected: Type): string {
  if (wrong.null) return "Leave it out when null: $presence(…), or x ? x";
  if (wrong.number && expected.string) return "Make it text: $string(…)";
  if (wrong.string && expected.number) return "Make it a number: $number(…)";
  if (wrong.string && expected.boolean) return "Make it true or false: $parse_boolean(…), or x = \"yes\"";
  if (wrong.boolean && expected.string) return "Make it text: x ? \"yes\" : \"no\"";
  if (wrong.object && expected.string) return "Take one of its members.";
  return "";
}
