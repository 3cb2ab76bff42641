/** Calls: whether the arguments are what the function takes, and what it gives for them. */
import { suggest } from "../../errors/nearest.ts";
import type { Node, NodeOf } from "../syntax/index.ts";
import type { Env } from "./env.ts";
import type { Inference } from "./infer.ts";
import { NOT_STRICT } from "./narrow.ts";
import { asList, elementsOf, isOrCanBe } from "./sequence.ts";
import { signatureOf, type Parameter } from "./signatures.ts";
import {
  ABSENT, BOOLEAN, NEVER, NUMBER, PERHAPS_ABSENT, STRING, SEVERAL, UNKNOWN, WHOLE, absenceOf, alternativesOf, describe, isNever, isOnly, listOf, memberOf, saysNothing, text as textType, textAs, union, without, type Alternative, type Type,
} from "./type.ts";

const INSTANTS = new Set(["parse_datetime", "to_zone", "next_day", "from_epoch", "parse_ms_date"]);
const WHOLE_NUMBERS = new Set(["epoch_seconds", "epoch_millis", "length", "millis", "toMillis", "parseInteger"]);
/** Their texts are read as instants, so they need an offset or a zone. */
const READ_INSTANTS = new Set(["toMillis", "to_zone", "date_in", "format_datetime", "epoch_seconds", "epoch_millis", "time_between", "add_duration", "subtract_duration"]);

interface Call {
  readonly name: string;
  readonly node: Node;
  readonly nodes: readonly (Node | undefined)[];
  readonly types: readonly Type[];
}

export class Calls {
  private readonly inference: Inference;
  constructor(inference: Inference) {
    this.inference = inference;
  }

  isFunction(name: string): boolean {
    return signatureOf(name) !== undefined;
  }

  call(node: NodeOf<"call">, env: Env, first?: { readonly node: Node; readonly type: Type }): Type {
    const nodes = [...(first ? [first.node] : []), ...node.args];
    const types = [...(first ? [first.type] : []), ...node.args.map((argument) => this.inference.infer(argument, env))];
    if (node.callee.kind !== "variable") return this.inference.infer(node.callee, env).function?.call?.(types) ?? UNKNOWN;
    if (node.partial) return { function: {} };
    return this.named(node.callee.name, node, nodes, types, env);
  }

  /** `x ~> $f(y)` and `x ~> $f`; any other right side is a function made on the spot. */
  apply(node: NodeOf<"apply">, env: Env): Type {
    const type = this.inference.infer(node.left, env);
    const first = { node: node.left, type };
    if (node.right.kind === "call") return this.call(node.right, env, first);
    if (node.right.kind === "variable") return this.named(node.right.name, node, [node.left], [type], env);
    const fn = this.inference.infer(node.right, env);
    return type.function ? UNKNOWN : (fn.function?.call?.([type]) ?? UNKNOWN);
  }

  private named(name: string, node: Node, nodes: readonly Node[], types: readonly Type[], env: Env): Type {
    const bound = env.lookup(name);
    if (bound) return bound.function?.call?.(types) ?? UNKNOWN;
    const signature = signatureOf(name);
    if (!signature) return UNKNOWN;
    const { parameters } = signature;
    const isContext = parameters[0]?.context === true && nodes.length < parameters.filter(({ optional }) => !optional).length;
    const call: Call = { name, node, nodes: isContext ? [undefined, ...nodes] : nodes, types: isContext ? [env.context, ...types] : types };
    call.types.forEach((type, index) => {
      const parameter = parameters[index] ?? (parameters.at(-1)?.asList ? parameters.at(-1) : undefined);
      if (parameter) this.checkArgument(call, type, call.nodes[index] ?? node, parameter);
    });
    this.checkTimeZone(call);
    const given = this.result(call) ?? signature.gives;
    if (given.unknown || NOT_STRICT.has(name) || !parameters[0] || parameters[0].optional) return given;
    return union(given, absenceOf(call.types[0] ?? ABSENT));
  }

  private checkArgument({ name }: Call, type: Type, node: Node, { accepts, asList: takesList, items }: Parameter): void {
    if (accepts === "all" || saysNothing(type)) return;
    const what = `An argument of $${name}`;
    if (takesList) {
      if (!items) return;
      const wrong = without(elementsOf(type), ...items);
      if (!elementsOf(type).unknown && !isNever(wrong)) this.inference.report("LINT_WRONG_TYPE", node, { what, expected: named(items), ...isOrCanBe(elementsOf(type), wrong), suggestion: cure(wrong, items) });
      return;
    }
    const wrong = without(type, "absent", ...accepts);
    if (isNever(wrong)) return;
    if (wrong.array && !saysNothing(wrong.array.items) && alternativesOf(wrong.array.items).some((one) => accepts.includes(one))) {
      this.inference.report("LINT_LIST_TRAP", node, { detail: `$${name} takes one value; this ${wrong.array.loose ? "is a list when there are several" : "is a list"}.`, suggestion: "Take one with [0], join it with $join(…), or call the function for each: list.$f($)" });
    } else this.inference.report("LINT_WRONG_TYPE", node, { what, expected: named(accepts), ...isOrCanBe(type, wrong), suggestion: cure(wrong, accepts) }, isOnly(type, ...alternativesOf(wrong)) ? "error" : "warning");
  }

  private checkTimeZone({ name, node, nodes, types }: Call): void {
    const [argument, second, third] = nodes;
    const at = argument ?? node;
    const local = types[0]?.string?.format === "local-date-time";
    const picture = second?.kind === "string" ? second.value : undefined;
    const suggestion = "Say where it was written: $parse_datetime(…, \"\", \"Europe/London\")";
    if (name === "parse_datetime") {
      if (third !== undefined || types[2]) return;
      if (picture ? !/Z|z|x|X/.test(picture.replace(/'[^']*'/g, "")) : local) {
        this.inference.report("LINT_NO_TIME_ZONE", picture ? second! : at, { detail: "This time is read without an offset and without a zone.", suggestion: "Say the zone it was written in as the third argument: \"Europe/London\"" });
      }
    } else if (READ_INSTANTS.has(name) && name !== "toMillis" && local) {
      this.inference.report("LINT_NO_TIME_ZONE", at, { detail: `This time has no zone, and $${name} needs an instant.`, suggestion });
    } else if (name === "toMillis" && (picture === undefined ? local : /\[[Hh]/.test(picture) && !/\[[Zz]/.test(picture))) {
      this.inference.report("LINT_NO_TIME_ZONE", picture === undefined ? at : second!, { detail: "This time has no zone, and is taken as UTC.", suggestion });
    }
  }

  /** More than the signature says; undefined: the signature says it all. */
  private result(call: Call): Type | undefined {
    const { name, types, nodes } = call;
    const [first = ABSENT, second = ABSENT] = types;
    const item = elementsOf(first);
    if (INSTANTS.has(name)) return textAs("date-time");
    if (WHOLE_NUMBERS.has(name)) return WHOLE;
    switch (name) {
      case "string": {
        if (!first.unknown && first.null) this.inference.report("LINT_WRONG_TYPE", nodes[0] ?? call.node, { what: "An argument of $string", expected: "a value", is: "can be", actual: "null, which becomes the word null", suggestion: "Ask first: x ? $string(x)" });
        return isOnly(first, "string", "absent") && first.string ? { string: first.string } : STRING;
      }
      case "number": {
        if (first.string?.digits) this.inference.report("LINT_LOSSY_NUMBER", nodes[0] ?? call.node, { detail: first.string.digits === "long" ? "These digits are more than a number holds exactly." : "These digits begin with 0, which a number does not keep.", suggestion: "Keep it as text." });
        return isOnly(first, "number", "absent") && first.number ? { number: first.number } : NUMBER;
      }
      case "lowercase": case "uppercase": case "trim": {
        const change = (value: string): string => (name === "trim" ? value.trim() : name === "lowercase" ? value.toLowerCase() : value.toUpperCase());
        const { string } = first;
        return string?.values ? textType(...new Set(string.values.map(change))) : string?.format && name !== "uppercase" ? textAs(string.format) : STRING;
      }
      case "substring": {
        const [, start, length] = nodes;
        const isDate = start?.kind === "number" && start.value === 0 && length?.kind === "number" && length.value === 10;
        return isDate && /date/.test(first.string?.format ?? "") ? textAs("date") : STRING;
      }
      case "substringBefore": return nodes[1]?.kind === "string" && nodes[1].value === "T" && /date-time/.test(first.string?.format ?? "") ? textAs("date") : STRING;
      case "parse_date": case "date_in": return textAs("date");
      case "start_of": case "add_duration": case "subtract_duration": return first.string?.format === "date" ? textAs("date") : first.string?.format === "date-time" || first.number ? textAs("date-time") : STRING;
      case "now": case "fromMillis": return types.length <= (name === "now" ? 0 : 1) ? textAs("date-time") : STRING;
      case "email": return union(textAs("email"), ABSENT);
      case "phone": case "format_phone": case "parse_boolean": case "parse_number": case "translate": case "presence": return this.lenient(call);
      case "floor": case "ceil": return WHOLE;
      case "round": return nodes.length < 2 || (nodes[1]?.kind === "number" && nodes[1].value <= 0) ? WHOLE : NUMBER;
      case "abs": return first.number ? { number: first.number.whole === undefined ? {} : { whole: first.number.whole } } : NUMBER;
      case "average": return union({ number: { whole: false } }, mayBeEmpty(first) ? ABSENT : NEVER);
      case "sum": return { number: item.number?.whole === undefined ? {} : { whole: item.number.whole } };
      case "max": case "min": return union(item.number ? { number: item.number } : NUMBER, mayBeEmpty(first) ? ABSENT : NEVER);
      case "count": return WHOLE;
      case "exists": return isOnly(first, "absent") && !isNever(first) ? { boolean: "false" } : BOOLEAN;
      case "boolean": case "not": return BOOLEAN;
      case "type": return first.unknown || isNever(first) ? STRING : textType(...alternativesOf(without(first, "absent")));
      case "split": return listOf(STRING, { nonEmpty: true });
      case "lookup": return this.lookup(call);
      case "map": {
        const each = this.callback(call, 1, [item, WHOLE, first]);
        if (first.unknown || each.unknown) return UNKNOWN;
        if (isNever(item)) return ABSENT;
        const one = without(each, "absent");
        return union(one, first.array ? listOf(one, SEVERAL) : NEVER, absenceOf(each), absenceOf(first), mayBeEmpty(first) ? ABSENT : NEVER);
      }
      case "filter": case "single": {
        if (nodes.length > 1) this.callback(call, 1, [item, WHOLE, first]);
        if (first.unknown) return UNKNOWN;
        return name === "single" ? item : union(item, ABSENT, first.array ? listOf(item, SEVERAL) : NEVER);
      }
      case "reduce": {
        this.callback(call, 1, [UNKNOWN, item, WHOLE, first]);
        return UNKNOWN;
      }
      case "each": case "sift": {
        this.callback(call, 1, [UNKNOWN, STRING, first]);
        return UNKNOWN;
      }
      case "sort": case "reverse": case "shuffle": return first.unknown ? UNKNOWN : nodes.length > 1 && name === "sort" ? (this.callback(call, 1, [item, item]), without(asList(first), "absent")) : without(asList(first), "absent");
      case "distinct": return without(first, "absent");
      case "append": {
        if (first.unknown || second.unknown) return UNKNOWN;
        const both = listOf(union(item, elementsOf(second)), first.array?.nonEmpty || second.array?.nonEmpty ? { nonEmpty: true } : {});
        return union(both, first.absent ? second : NEVER, second.absent ? without(first, "absent") : NEVER, first.absent && second.absent ? ABSENT : NEVER);
      }
      case "merge": return item.object && isOnly(item, "object") ? union({ object: item.object }, mayBeEmpty(first) ? { object: { members: new Map() } } : NEVER) : undefined;
      case "clone": return without(first, "absent");
      case "error": return NEVER;
      case "eval": return UNKNOWN;
      default: return undefined;
    }
  }

  /** Functions that give absent where the value cannot be read. */
  private lenient({ name, types, nodes }: Call): Type {
    const [first = ABSENT, , otherwise = ABSENT] = types;
    switch (name) {
      case "translate": {
        const table = types[1];
        if (!table?.object) return UNKNOWN;
        const values = isOnly(first, "string", "absent") ? first.string?.values : undefined;
        const entries = [...table.object.members.values()];
        // Without an enum the table is taken to be complete: nobody can say what it lacks.
        if (!values || table.object.rest) return union(...entries, table.object.rest ?? NEVER, types.length > 2 ? otherwise : union(PERHAPS_ABSENT, absenceOf(first)));
        const missing = values.filter((value) => !table.object!.members.has(value));
        if (missing.length > 0 && types.length < 3) this.missing(nodes[1]!, missing, "this table");
        return union(...values.map((value) => table.object!.members.get(value) ?? otherwise), first.absent ? otherwise : NEVER);
      }
      case "presence": return first.unknown ? UNKNOWN : union(without(first, "null"), ABSENT);
      case "parse_boolean": return union(BOOLEAN, ABSENT);
      case "parse_number": return union(NUMBER, ABSENT);
      default: return union(STRING, ABSENT);
    }
  }

  /** `$lookup({ "a": 1 }, status)`: a table. */
  private lookup({ types, nodes }: Call): Type {
    const [table = ABSENT, key = ABSENT] = types;
    const item = elementsOf(table);
    if (!item.object || !isOnly(item, "object")) return UNKNOWN;
    const { object } = item;
    const values = isOnly(key, "string", "absent") ? key.string?.values : undefined;
    const single = !table.array;
    // Without an enum the table is taken to be complete: nobody can say what it lacks.
    if (!values || !single) return single ? union(...object.members.values(), object.rest ?? NEVER, PERHAPS_ABSENT, absenceOf(key)) : UNKNOWN;
    const missing = object.rest ? [] : values.filter((value) => !object.members.has(value));
    const isConstant = nodes[1]?.kind === "string";
    if (missing.length > 0 && nodes[0]?.kind === "object" && !isConstant) this.missing(nodes[0], missing, "this table");
    else if (missing.length > 0 && isConstant) this.inference.report("LINT_UNKNOWN_FIELD", nodes[1]!, { name: missing[0]!, where: "The object", suggestion: suggest(missing[0]!, object.members.keys()) });
    return union(...values.map((value) => memberOf(object, value) ?? ABSENT), key.absent ? ABSENT : NEVER);
  }

  private missing(node: Node, values: readonly string[], what: string): void {
    this.inference.report("LINT_ENUM_VALUE", node, { values: values.map((value) => JSON.stringify(value)).join(", "), what, suggestion: `Add ${values.length > 1 ? "them" : "it"}, or say what else: … ?? "other"` });
  }

  /** What a function given as an argument gives for such values. */
  private callback({ types }: Call, index: number, args: readonly Type[]): Type {
    return types[index]?.function?.call?.(args) ?? UNKNOWN;
  }
}

const mayBeEmpty = (type: Type): boolean => !type.unknown && (type.array !== undefined && !type.array.nonEmpty);

const NAMES: Readonly<Record<Alternative, string>> = { string: "text", number: "a number", boolean: "true or false", null: "null", object: "an object", array: "a list", function: "a function", absent: "nothing" };
const named = (alternatives: readonly Alternative[]): string => alternatives.map((one) => NAMES[one]).join(" or ");

function cure(wrong: Type, accepts: readonly Alternative[]): string {
  if (wrong.null) return "Ask first: x ? $f(x)";
  if (wrong.number && accepts.includes("string")) return "Make it text: $string(…)";
  if (wrong.string && accepts.includes("number")) return "Make it a number: $number(…)";
  return wrong.object || wrong.array || wrong.boolean ? `This is ${describe(wrong)}.` : "";
}
