import { contacts } from "./contacts.ts";
import { dates } from "./dates.ts";
import { durations } from "./durations.ts";
import { encodings } from "./encodings.ts";
import { hashes } from "./hashes.ts";
import { identifiers } from "./identifiers.ts";
import { parsing } from "./parsing.ts";
import { texts } from "./texts.ts";
import type { FunctionContext, FunctionExample, LibraryFunction } from "./types.ts";

const groups = [dates, durations, texts, parsing, contacts, hashes, encodings, identifiers];

/** Every function of the library by name. Without a prototype, so that no name is found by accident. */
export const library: Readonly<Record<string, LibraryFunction>> = Object.assign(Object.create(null), ...groups.map((group) => group.functions));

/** Calls a function of the library; an absent argument that it needs makes the result absent. @throws LibraryError */
export function callLibrary(fn: LibraryFunction, context: FunctionContext, args: readonly unknown[]): unknown {
  for (const [index, parameter] of fn.parameters.entries()) if (args[index] === undefined && !parameter.endsWith("?")) return undefined;
  return fn.call(context, ...(args as never[]));
}

/** What documentation and Studio show of a function. */
export interface FunctionEntry {
  readonly name: string;
  readonly group: string;
  /** `$truncate(text, length, mark?)` */
  readonly usage: string;
  readonly signature: string;
  readonly doc: string;
  readonly deterministic: boolean;
  readonly examples: readonly (FunctionExample & { readonly expression: string })[];
}

/** The library in the order it is documented. Every example is run by the tests, in JSONata and in a template. */
export const functionCatalogue: readonly FunctionEntry[] = groups.flatMap(({ title, functions }) => Object.entries(functions).map(([name, fn]) => ({
  name,
  group: title,
  usage: `$${name}(${fn.parameters.join(", ")})`,
  signature: fn.signature,
  doc: fn.doc,
  deterministic: fn.nonDeterministic !== true,
  examples: fn.examples.map((example) => ({ ...example, expression: `$${name}(${example.args.map((arg) => JSON.stringify(arg)).join(", ")})` })),
})));
