/** The values an evaluation works with, beside plain JSON: sequences, functions, frames of variables. */
import type { Bindings, EvaluationLimits } from "../types.ts";
import { fail } from "./failure.ts";

/**
 * A list that came from navigating, not from the data: it flattens into others and, with one item, is that item. The flags are
 * the reference's, because its own functions look at them.
 */
export type Sequence = unknown[] & {
  sequence?: true;
  /** Was asked for with `[]`: one item stays a list. */
  keepSingleton?: boolean;
  /** Wraps a list that was the input, so that it counts as one thing. */
  outerWrapper?: boolean;
  /** Written as `[…]` in the expression. */
  cons?: boolean;
  /** Its items are tuples of variables (`@`, `#`, `%`). */
  tupleStream?: boolean;
};

export function sequenceOf(...items: unknown[]): Sequence {
  const sequence: Sequence = items;
  sequence.sequence = true;
  return sequence;
}

/** Makes a fresh list a sequence. */
export const sequenced = (list: unknown[]): Sequence => Object.assign(list, { sequence: true as const });

export const isSequence = (value: unknown): value is Sequence => Array.isArray(value) && (value as Sequence).sequence === true;

/** An empty sequence is absent, one item is that item. Every node that can give a sequence ends with this. */
export function settle(value: unknown, keepArray: boolean): unknown {
  if (!isSequence(value) || value.tupleStream) return value;
  if (keepArray) value.keepSingleton = true;
  if (value.length > 1) return value;
  return value.length === 0 ? undefined : value.keepSingleton ? value : value[0];
}

export interface Signature { readonly definition: string; validate(args: readonly unknown[], context: unknown): unknown[] }

type Invoke = (args: readonly unknown[], input: unknown, frame: Frame) => unknown;

/** A function as a value. Data is never one: only the evaluator makes instances. It has no member that a path could read. */
export class Fn {
  readonly #name: string;
  readonly #arity: number;
  readonly #signature: Signature | undefined;
  readonly #invoke: Invoke;

  constructor(name: string, arity: number, signature: Signature | undefined, invoke: Invoke) {
    this.#name = name;
    this.#arity = arity;
    this.#signature = signature;
    this.#invoke = invoke;
  }

  get name(): string { return this.#name; }
  get arity(): number { return this.#arity; }
  get signature(): Signature | undefined { return this.#signature; }

  /** Calls without looking at the signature. */
  invoke(args: readonly unknown[], input: unknown, frame: Frame): unknown { return this.#invoke(args, input, frame); }

  // What the reference's own functions recognise a function by.
  get _jsonata_function(): true { return true; }
  get _jsonata_lambda(): true { return true; }
}

/** A call in tail position, to be made by whoever made the call that ends with it: recursion without depth. */
export class TailCall {
  readonly fn: unknown;
  readonly args: readonly unknown[];
  readonly position: number | undefined;
  readonly name: string;

  constructor(fn: unknown, args: readonly unknown[], position: number | undefined, name: string) {
    this.fn = fn;
    this.args = args;
    this.position = position;
    this.name = name;
  }
}

/** How many times the longest list, and the longest text, one evaluation may make in all. */
const MADE = 20;
const WRITTEN = 5;

/** Every limit, with its default filled in. */
export type Limits = Required<Omit<EvaluationLimits, "openSteps">>;

/** One evaluation: what it may see and what it has used up. It is also `this` of the reference's functions. */
export class Run {
  readonly input: unknown;
  readonly bindings: Bindings;
  readonly limits: Limits;
  depth = 0;
  #ticks = 0;
  #items = 0;
  #characters = 0;
  /** Set at the first look at the clock: most evaluations end before one. */
  #deadline = 0;
  #now: number | undefined;

  constructor(input: unknown, bindings: Bindings, limits: Limits) {
    this.input = input;
    this.bindings = bindings;
    this.limits = limits;
  }

  /** Milliseconds since the epoch: the caller's instant, else the one at which it was first asked for. */
  get now(): number {
    const { now } = this.bindings;
    return (this.#now ??= typeof now === "number" ? now : Date.now());
  }

  // What the reference's functions look for in `this`.
  get environment(): { readonly timestamp: Date } {
    return { timestamp: new Date(this.now) };
  }

  get options(): Limits {
    return this.limits;
  }

  createSequence(...items: unknown[]): Sequence {
    return sequenceOf(...items);
  }

  /** Called for each item and each call; looks at the clock now and then. */
  tick() {
    if ((++this.#ticks & 127) === 0) this.checkTime();
  }

  /** Looks at the clock: for steps that may each take long. */
  checkTime() {
    const now = performance.now();
    if (this.#deadline === 0) this.#deadline = now + this.limits.milliseconds;
    else if (now > this.#deadline) throw fail("D1012", { value: this.limits.milliseconds });
  }

  /** A sequence or list has grown to this many items. */
  checkLength(length: number) {
    if (length > this.limits.sequence) throw fail("D2015", { value: this.limits.sequence });
  }

  /** So many items were made. All together are bounded too: a thousand lists, each within its limit, fill the memory. */
  made(items: number) {
    this.checkLength(items);
    this.#items += items;
    if (this.#items > this.limits.sequence * MADE) throw fail("D2015", { value: this.limits.sequence * MADE });
  }

  /** A function wrote so many characters; bounded like items. */
  wrote(characters: number) {
    this.checkText(characters);
    this.#characters += characters;
    if (this.#characters > this.limits.output * WRITTEN) throw fail("D2016", { value: this.limits.output * WRITTEN });
  }

  /** A text has grown to this many characters. */
  checkText(length: number) {
    if (length > this.limits.output) throw fail("D2016", { value: this.limits.output });
  }
}

export const UNBOUND = Symbol("unbound");

/** Variables of a block, a call or a tuple. */
export class Frame {
  readonly run: Run;
  readonly #outer: Frame | undefined;
  #names: Map<string, unknown> | undefined;

  constructor(run: Run, outer: Frame | undefined) {
    this.run = run;
    this.#outer = outer;
  }

  bind(name: string, value: unknown) {
    (this.#names ??= new Map()).set(name, value);
  }

  /** UNBOUND when nobody bound the name; a bound name may hold absent. */
  find(name: string): unknown {
    if (this.#names?.has(name)) return this.#names.get(name);
    return this.#outer === undefined ? UNBOUND : this.#outer.find(name);
  }

  /** As `find`, with absent for unbound. */
  lookup(name: string): unknown {
    const value = this.find(name);
    return value === UNBOUND ? undefined : value;
  }

  /** A frame with the variables of a tuple. */
  withTuple(tuple: Readonly<Record<string, unknown>>): Frame {
    const frame = new Frame(this.run, this);
    for (const name of Object.keys(tuple)) frame.bind(name, tuple[name]);
    return frame;
  }
}
