/**
 * What a function of the library is. JSONata knows it as `$name`, templates as the helper `name`. It is pure and told the
 * time. An absent first argument gives absent, so a mapping need not ask first.
 */
export interface FunctionContext {
  /** Milliseconds since the epoch: the run's own instant, the same for every record of a page. */
  readonly now: number;
}

/** A call that documentation shows and the tests run, through JSONata and through a template. */
export interface FunctionExample {
  readonly args: readonly unknown[];
  /** Absent key: the function gives absent. */
  readonly result?: unknown;
  /** Instead of a result: the code it fails with. */
  readonly error?: string;
  /** Milliseconds since the epoch, for functions that look at the time. */
  readonly now?: number;
}

export interface LibraryFunction {
  /** One sentence or two: what it gives, in what unit, what it gives when it cannot. */
  readonly doc: string;
  /** JSONata signature: `<s-s?:s>`. Source: docs.jsonata.org/embedding-extending (function signature syntax). */
  readonly signature: string;
  /** Names of the arguments in order; `zone?` may be left out. */
  readonly parameters: readonly string[];
  readonly examples: readonly FunctionExample[];
  /** Gives something else each time: never for keys or anything compared between runs. */
  readonly nonDeterministic?: true;
  readonly call: (context: FunctionContext, ...args: never[]) => unknown;
}

export interface FunctionGroup {
  readonly title: string;
  readonly functions: Readonly<Record<string, LibraryFunction>>;
}
