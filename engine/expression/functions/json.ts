import type { LibraryFunction } from "./types.ts";
import { LibraryError } from "./library-error.ts";

/** JSON text to its value. */
export const parse_json: LibraryFunction = {
  signature: "<s-:x>",
  call: (_context, text: string | undefined) => {
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (thrown) {
      throw new LibraryError("NOT_JSON", `The text is not JSON: ${(thrown as Error).message}`);
    }
  },
};
