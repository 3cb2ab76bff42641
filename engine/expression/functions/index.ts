import type { LibraryFunction } from "./types.ts";
import { next_day } from "./dates.ts";
import { parse_json } from "./json.ts";

/** Every function of the library by name. */
export const library: Readonly<Record<string, LibraryFunction>> = Object.assign(Object.create(null), { next_day, parse_json });
