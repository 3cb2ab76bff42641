const LONGEST = 300;

/** A library function that cannot give a value. `code` is stable; the evaluator adds the position. */
export class LibraryError extends Error {
  override readonly name = "LibraryError";
  readonly code: string;

  constructor(code: string, message: string) {
    // The message quotes what it was given, which may be long.
    super(message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message);
    this.code = code;
  }
}
