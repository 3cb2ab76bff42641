/** A place inside a text of a manifest: of an expression's problem, say. */
import type { Location } from "../errors/plugboard-error.ts";
import type { Manifest } from "./types.ts";

/**
 * @param position characters into the text at the pointer. Where its source differs from it (folded, escaped), the whole text is
 * shown instead.
 * @param length characters at fault; what lies on later lines is not counted.
 */
export function locateIn(manifest: Manifest, pointer: string, text: string, position: number, length: number): Location {
  const whole = manifest.locate(pointer);
  const place = manifest.locate(pointer, "value", position);
  if (position > 0 && place.line === whole.line && place.col === whole.col) return place;
  return { ...place, length: Math.max(1, text.slice(position, position + length).split("\n", 1)[0]!.length) };
}
