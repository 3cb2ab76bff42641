/**
 * What a function of the library is. It is known to JSONata as `$name` and to templates as the helper `name`; it is pure, and
 * told the time. Absent arguments give absent.
 */
export interface FunctionContext {
  /** Milliseconds since the epoch: the run's own instant, the same for every record of a page. */
  readonly now: number;
}

export interface LibraryFunction {
  /** JSONata signature: `<s-s?:s>`. Source: docs.jsonata.org/embedding-extending (function signature syntax). */
  readonly signature: string;
  readonly call: (context: FunctionContext, ...args: never[]) => unknown;
}
