/** What a template may call: every function of the library, and the few of JSONata's own that texts need. */
import type { FunctionContext } from "./types.ts";
import { callLibrary, library } from "./index.ts";

type TemplateFunction = (context: FunctionContext, ...args: unknown[]) => unknown;

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

const ofText = (change: (text: string) => string): TemplateFunction => (_context, value) => (isAbsent(value) ? undefined : change(String(value)));

const own: Readonly<Record<string, TemplateFunction>> = {
  lower: ofText((text) => text.toLowerCase()),
  upper: ofText((text) => text.toUpperCase()),
  trim: ofText((text) => text.trim()),
  /** Doubles single quotes, for a text inside quotes in a query language. */
  sql: ofText((text) => text.replaceAll("'", "''")),
  json: (_context, value) => (value === undefined ? undefined : JSON.stringify(value)),
};

export const templateFunctions: Readonly<Record<string, TemplateFunction>> = Object.assign(
  Object.create(null),
  own,
  Object.fromEntries(Object.entries(library).map(([name, fn]): [string, TemplateFunction] => [
    name,
    // A template has no null: it is as absent as what is not there.
    (context, ...args) => callLibrary(fn, context, args.map((arg) => arg ?? undefined)),
  ])),
);
