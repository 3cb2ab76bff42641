/** Every function a mapping can call, with names for what it takes: JSONata's own, and the library's. */
import { functionCatalogue } from "../../engine/expression/index.ts";

export interface CallableFunction {
  readonly name: string;
  readonly group: string;
  /** `?` marks those that may be left out. */
  readonly parameters: readonly string[];
  readonly doc: string;
}

/** Source: docs.jsonata.org, the function library. */
const OWN: Readonly<Record<string, readonly [name: string, parameters: string, doc: string][]>> = {
  Text: [
    ["string", "value prettify?", "As text."], ["length", "text", "Number of characters."], ["substring", "text start length?", "A part, by position."], ["substringBefore", "text mark", "What stands before the mark."],
    ["substringAfter", "text mark", "What stands after the mark."], ["uppercase", "text", "In capitals."], ["lowercase", "text", "In small letters."], ["trim", "text", "Without space around it, and single spaces inside."],
    ["pad", "text width character?", "Filled up to a width; a negative one fills the front."], ["contains", "text pattern", "Whether it holds a text or pattern."], ["split", "text separator limit?", "A list of its parts."],
    ["join", "texts separator?", "A list as one text."], ["match", "text pattern limit?", "Where a pattern was found."], ["replace", "text pattern replacement limit?", "With something else in place of a text or pattern."],
    ["base64encode", "text", "In base64."], ["base64decode", "text", "Out of base64."], ["encodeUrlComponent", "text", "For a place in an address."], ["decodeUrlComponent", "text", "Out of an address."],
  ],
  Numbers: [
    ["number", "value", "As a number."], ["abs", "number", "Without its sign."], ["floor", "number", "The whole number below."], ["ceil", "number", "The whole number above."], ["round", "number precision?", "Rounded, halves to even."],
    ["power", "base exponent", "Raised to a power."], ["sqrt", "number", "Its square root."], ["formatNumber", "number picture options?", "As text, after a picture: #,##0.00"], ["formatBase", "number base?", "In another base."], ["formatInteger", "number picture", "As text: w for words, I for Roman."],
    ["parseInteger", "text picture", "A whole number out of text."],
  ],
  Lists: [
    ["sum", "numbers", "Their sum."], ["max", "numbers", "The largest."], ["min", "numbers", "The smallest."], ["average", "numbers", "Their mean."], ["count", "list", "How many there are."], ["append", "first second", "Both, one after the other."],
    ["sort", "list comparison?", "In order."], ["reverse", "list", "From the end."], ["shuffle", "list", "In a random order."], ["distinct", "list", "Each once."], ["zip", "first second", "Pairs of the same position."],
    ["map", "list function", "What a function makes of each."], ["filter", "list function", "Those for which a function says true."], ["single", "list function?", "The only one; an error if there are more."], ["reduce", "list function start?", "One value out of all."],
  ],
  Objects: [
    ["keys", "object", "Names of its members."], ["lookup", "object key", "The member of a name."], ["spread", "object", "A list of one-member objects."], ["merge", "objects", "All members in one."], ["sift", "object function", "The members for which a function says true."], ["each", "object function", "What a function makes of each member."],
  ],
  Conditions: [
    ["boolean", "value", "Whether it counts as true."], ["not", "value", "The opposite."], ["exists", "value", "Whether there is one; null is one."], ["type", "value", "What kind of value it is."], ["error", "message", "Fails, with a message."], ["assert", "condition message", "Fails unless the condition holds."],
  ],
  Dates: [["toMillis", "text picture?", "Milliseconds since 1970."], ["fromMillis", "milliseconds picture? zone?", "A date and time as text."], ["now", "picture? zone?", "This moment."], ["millis", "", "This moment, in milliseconds."]],
};

const words = (text: string): string[] => text.split(" ").filter((word) => word !== "");

export const functions: readonly CallableFunction[] = [
  ...Object.entries(OWN).flatMap(([group, list]) => list.map(([name, parameters, doc]) => ({ name, group, parameters: words(parameters), doc }))),
  ...functionCatalogue.map(({ name, group, usage, doc }) => ({ name, group, doc, parameters: words(usage.slice(usage.indexOf("(") + 1, -1).replaceAll(",", " ")) })),
];

const byName = new Map(functions.map((each) => [each.name, each]));

export const functionNamed = (name: string): CallableFunction | undefined => byName.get(name);
