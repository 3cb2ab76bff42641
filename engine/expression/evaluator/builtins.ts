/**
 * JSONata's own functions. Most are the reference's, taken from it as it starts an evaluation; those that call functions are
 * asynchronous there and stand in `higher-order.ts`, those that are slow there in `lists.ts`.
 */
import jsonata from "jsonata";
import { callLibrary, library } from "../functions/index.ts";
import { formatCommon } from "./date-pictures.ts";
import { fail } from "./failure.ts";
import { compileSignature } from "./reference-signature.ts";
import { higherOrder } from "./higher-order.ts";
import { lists } from "./lists.ts";
import { Fn, type Frame, type Run, type Signature } from "./values.ts";

interface Definition { readonly implementation: (...args: unknown[]) => unknown; readonly signature?: Signature }

const SYNCHRONOUS = (
  "sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim pad join formatNumber formatBase formatInteger "
  + "parseInteger number floor ceil round abs sqrt power random boolean zip keys lookup append exists not spread merge reverse error assert type shuffle "
  + "distinct base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl toMillis fromMillis clone"
).split(" ");

/** The hook is called before the first step of an evaluation, and sees where the functions live. */
function referenceDefinitions(names: readonly string[]): ReadonlyMap<string, Definition> {
  const found = new Map<string, Definition>();
  const expression = jsonata("null");
  const collect = (_node: unknown, _input: unknown, environment: { lookup(name: string): Definition }) => {
    for (const name of names) found.set(name, environment.lookup(name));
  };
  (expression.assign as unknown as (name: symbol, value: unknown) => void)(Symbol.for("jsonata.__evaluate_entry"), collect);
  void expression.evaluate(undefined);
  return found;
}

const definitions = referenceDefinitions([...SYNCHRONOUS, ...Object.keys(higherOrder)]);

export const reference = (name: string): ((...args: unknown[]) => unknown) => (definitions.get(name) as Definition).implementation;

/** Guards for what would take long or large before any limit is looked at. */
const GUARDS: Readonly<Record<string, (args: readonly unknown[], run: Run) => void>> = {
  pad: ([, width], run) => { if (typeof width === "number") run.checkText(Math.abs(width)); },
  formatNumber: ([, picture], run) => { if (typeof picture === "string") run.checkText(picture.length * 1000); },
  join: ([list, separator], run) => {
    if (!Array.isArray(list)) return;
    run.checkText(list.reduce<number>((sum, item) => sum + String(item).length, 0) + (typeof separator === "string" ? separator.length * list.length : 0));
  },
  zip: (lists, run) => { run.checkLength(lists.reduce<number>((sum, list) => sum + (Array.isArray(list) ? list.length : 1), 0)); },
  string: ([value], run) => { if (typeof value === "object") weigh(value, { left: run.limits.output }, run); },
  clone: ([value], run) => { weigh(value, { left: run.limits.output }, run); },
};

/** Shared parts make a value that is small in memory and huge as text. */
function weigh(value: unknown, budget: { left: number }, run: Run) {
  budget.left -= typeof value === "string" ? value.length : 10;
  if (budget.left < 0) run.checkText(Number.POSITIVE_INFINITY);
  if (typeof value !== "object" || value === null || value instanceof Fn) return;
  run.tick();
  for (const member of Object.values(value)) weigh(member, budget, run);
}

/** Some of the reference's functions read an absent argument as if it were there. */
function called(implementation: Definition["implementation"], args: readonly unknown[], run: Run): unknown {
  try {
    return implementation.apply(run, args as unknown[]);
  } catch (thrown) {
    throw thrown instanceof TypeError ? fail("T0413") : thrown;
  }
}

/** `$fromMillis`: the common pictures directly, all others by the reference. */
function formatMillis(run: Run, millis: unknown, picture: unknown, zone: unknown): unknown {
  const quick = typeof millis === "number" && zone === undefined ? formatCommon(millis, picture as string | undefined) : undefined;
  return quick ?? called(reference("fromMillis"), [millis, picture, zone], run);
}

function make(name: string): Fn | undefined {
  const higher = higherOrder[name] ?? lists[name];
  const definition = definitions.get(name);
  if (higher) return new Fn(name, higher.arity, definition?.signature, higher.invoke);
  if (name === "millis") return new Fn(name, 0, compileSignature("<:n>"), (_args, _input, { run }) => run.now);
  if (name === "now") return new Fn(name, 2, compileSignature("<s?s?:s>"), ([picture, zone], _input, { run }) => formatMillis(run, run.now, picture, zone));
  if (name === "fromMillis") return new Fn(name, 3, definition?.signature, ([millis, picture, zone], _input, { run }) => formatMillis(run, millis, picture, zone));
  if (definition) {
    const guard = GUARDS[name];
    const { implementation } = definition;
    return new Fn(name, implementation.length, definition.signature, (args, _input, frame) => {
      guard?.(args, frame.run);
      const result = called(implementation, args, frame.run);
      if (typeof result === "string") frame.run.wrote(result.length);
      else if (Array.isArray(result)) frame.run.made(result.length);
      return result;
    });
  }
  const fn = library[name];
  return fn && new Fn(name, fn.parameters.length, compileSignature(fn.signature), (args, _input, { run }) => callLibrary(fn, { now: run.now }, args));
}

const made = new Map<string, Fn | undefined>();

/** The function of a name that the expression did not bind itself. */
export function builtin(name: string): Fn | undefined {
  let fn = made.get(name);
  if (fn === undefined && !made.has(name)) {
    fn = make(name);
    if (fn) made.set(name, fn);
  }
  return fn;
}

/** Text of a value as `$string` and `&` write it. */
export function textOf(value: unknown, frame: Frame): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (typeof value === "object") GUARDS.string?.([value], frame.run);
  return reference("string")(value) as string;
}
