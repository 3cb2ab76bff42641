/** A library function that cannot give a value. `code` is stable; the evaluator adds the position. */
export class LibraryError extends Error {
  override readonly name = "LibraryError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
