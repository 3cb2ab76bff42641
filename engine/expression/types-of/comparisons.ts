/** `=`, `in` and `<`: whether the two sides can meet at all. What is absent is equal to nothing, and nothing is found among lists. */
import { suggest } from "../../errors/nearest.ts";
import { walk, type Node, type NodeOf } from "../syntax/index.ts";
import type { Env } from "./env.ts";
import type { Inference } from "./infer.ts";
import { constantsOf, intersect, pathOf } from "./narrow.ts";
import { elementsOf, isOrCanBe } from "./sequence.ts";
import { BOOLEAN, absenceOf, describe, isNever, isOnly, saysNothing, union, without, type Type } from "./type.ts";

export class Comparisons {
  private readonly inference: Inference;
  constructor(inference: Inference) {
    this.inference = inference;
  }

  equality({ operator, left, right }: NodeOf<"binary">, env: Env): Type {
    const first = this.inference.infer(left, env);
    const second = this.inference.infer(right, env);
    const [a, b] = [without(first, "absent"), without(second, "absent")];
    if (isOnly(first, "absent") && !isNever(first) || isOnly(second, "absent") && !isNever(second)) return { boolean: "false" };
    if (saysNothing(a) || saysNothing(b)) return BOOLEAN;
    const where = { start: left.start, end: right.end };
    if (!isNever(intersect(kinds(a), kinds(b)))) {
      this.listAgainstOne(a, b, left, right);
      if (!isNever(intersect(a, b))) return first.absent || second.absent || !isSameValue(a, b) ? BOOLEAN : { boolean: operator === "=" ? "true" : "false" };
      const [constant, asked] = constantsOf([right]) ? [right, a] : constantsOf([left]) ? [left, b] : [undefined, a];
      if (constant) this.inference.report("LINT_UNKNOWN_VALUE", constant, { value: shown(constantsOf([constant])![0]), suggestion: suggest(String(constantsOf([constant])![0]), asked.string?.values ?? []) });
    } else if (!isOnly(a, "null") && !isOnly(b, "null")) {
      if (a.array || b.array) this.listAgainstOne(a, b, left, right);
      else this.inference.report("LINT_DIFFERENT_TYPES", where, { left: sentence(describe(a)), right: describe(b), consequence: operator === "=" ? "they are never equal" : "they always differ", suggestion: conversion(a, b) });
    }
    return operator === "=" ? { boolean: "false" } : BOOLEAN;
  }

  /** `tags = "new"` asks whether the whole list is that text. */
  private listAgainstOne(a: Type, b: Type, left: Node, right: Node): void {
    const [list, node, other] = a.array && !b.array ? [a.array, left, right] : b.array && !a.array ? [b.array, right, left] : [undefined, left, right];
    if (!list) return;
    this.inference.report("LINT_LIST_TRAP", node, { detail: `This ${list.loose ? "is a list when there are several, and then never equals one value" : "is a list, which never equals one value"}.`, suggestion: `Ask for a member: ${writtenShort(other)} in …` });
  }

  membership({ left, right }: NodeOf<"binary">, env: Env): Type {
    const one = without(this.inference.infer(left, env), "absent");
    const list = this.inference.infer(right, env);
    const items = elementsOf(list);
    if (saysNothing(one) || saysNothing(items)) return BOOLEAN;
    if (isNever(intersect(kinds(one), kinds(items)))) {
      this.inference.report("LINT_DIFFERENT_TYPES", { start: left.start, end: right.end }, { left: sentence(describe(one)), right: describe(items), consequence: "it is never found", suggestion: conversion(one, items) });
      return { boolean: "false" };
    }
    if (right.kind === "array" && one.string?.values && isOnly(one, "string")) {
      for (const item of right.items) {
        if (item.kind === "string" && !one.string.values.includes(item.value)) this.inference.report("LINT_UNKNOWN_VALUE", item, { value: shown(item.value), suggestion: suggest(item.value, one.string.values) });
      }
    }
    return isNever(intersect(one, items)) ? { boolean: "false" } : BOOLEAN;
  }

  order({ operator, left, right }: NodeOf<"binary">, env: Env): Type {
    const types = [left, right].map((node) => {
      const type = this.inference.infer(node, env);
      if (saysNothing(type)) return type;
      const wrong = without(type, "string", "number", "absent");
      if (wrong.array) this.inference.report("LINT_LIST_TRAP", node, { detail: `'${operator}' compares one value; this ${wrong.array.loose ? "is a list when there are several" : "is a list"}.`, suggestion: "Take one: $max(…), $min(…) or [0]." });
      else if (!isNever(wrong)) this.inference.report("LINT_WRONG_TYPE", node, { what: `What '${operator}' compares`, expected: "text or a number", ...isOrCanBe(type, wrong), suggestion: wrong.null ? "Ask first: x != null and x …" : "" });
      return type;
    });
    const [a, b] = types.map((type) => without(type, "absent", "null", "array", "object", "boolean", "function")) as [Type, Type];
    const where = { start: left.start, end: right.end };
    if (!saysNothing(a) && !saysNothing(b)) {
      if (isNever(intersect(kinds(a), kinds(b)))) this.inference.report("LINT_DIFFERENT_TYPES", where, { left: sentence(describe(a)), right: describe(b), consequence: "it fails on every record that has both", suggestion: conversion(a, b) }, "error");
      const formats = [a.string?.format, b.string?.format];
      if (formats.includes("local-date-time") && formats.includes("date-time")) this.inference.report("LINT_NO_TIME_ZONE", formats[0] === "local-date-time" ? left : right, { detail: "This time has no zone, and is compared with an instant.", suggestion: "Say the zone: $parse_datetime(…, \"\", \"Europe/London\")" });
    }
    return union(BOOLEAN, ...types.map(absenceOf));
  }
}

/** A part as a hint names it. */
export function writtenShort(node: Node): string {
  const tokens: string[] = [];
  walk(node, (part) => void (part.parts.forEach((piece) => "token" in piece && tokens.push(piece.text))));
  return node.kind === "string" || node.kind === "name" || node.kind === "variable" ? tokens.join("") : pathOf(node)?.steps.join(".") ?? "…";
}

/** Whether both can only be one and the same text or number. */
function isSameValue(a: Type, b: Type): boolean {
  const only = (type: Type): unknown => {
    const values = [...(type.string ? (type.string.values ?? [NaN]) : []), ...(type.number ? (type.number.values ?? [NaN]) : [])];
    return isOnly(type, "string", "number") && values.length === 1 ? values[0] : undefined;
  };
  return only(a) !== undefined && only(a) === only(b);
}

/** The type without what is known of its values: which kinds of value it can be. */
function kinds(type: Type): Type {
  return Object.fromEntries(Object.entries(type).map(([key, value]) => [key, key === "boolean" ? "any" : key === "string" || key === "number" ? {} : value]));
}

const sentence = (words: string): string => words[0]!.toUpperCase() + words.slice(1);
const shown = (value: unknown): string => JSON.stringify(value);

function conversion(a: Type, b: Type): string {
  if ((a.string && b.number) || (a.number && b.string)) return "Make them alike: $number(…) or $string(…).";
  if ((a.string && b.boolean) || (a.boolean && b.string)) return "Compare text with text in quotes, and true or false without.";
  return "";
}
