/**
 * Date pictures that mappings use most, `[Y0001]-[M01]-[D01]` and their like, in UTC. The reference analyses a picture anew at
 * every call, which costs more than all else in a mapping of dates.
 */

/** Where each part stands in `2026-03-01T09:30:15.250Z`. */
const PLACES: Readonly<Record<string, readonly [number, number]>> = {
  "[Y0001]": [0, 4], "[Y]": [0, 4], "[M01]": [5, 7], "[D01]": [8, 10], "[H01]": [11, 13], "[m01]": [14, 16], "[m]": [14, 16], "[s01]": [17, 19], "[s]": [17, 19], "[f001]": [20, 23],
};

type Part = string | readonly [number, number];
const pictures = new Map<string, readonly Part[] | undefined>();

/** Undefined when the picture is not a common one, or the year has not four digits. */
export function formatCommon(millis: number, picture: string | undefined): string | undefined {
  // Years 1000 to 9999, and no fractions of milliseconds.
  if (!(millis >= -30_610_224_000_000 && millis < 253_402_300_800_000) || !Number.isInteger(millis)) return undefined;
  if (picture === undefined) return new Date(millis).toISOString();
  if (!pictures.has(picture)) {
    if (pictures.size > 500) pictures.clear();
    pictures.set(picture, partsOf(picture));
  }
  const parts = pictures.get(picture);
  if (parts === undefined) return undefined;
  const iso = new Date(millis).toISOString();
  let text = "";
  for (const part of parts) text += typeof part === "string" ? part : iso.slice(part[0], part[1]);
  return text;
}

function partsOf(picture: string): Part[] | undefined {
  const parts: Part[] = [];
  for (const [piece] of picture.matchAll(/\[[^[\]]*\]|[^[\]]+|[[\]]/g)) {
    const place = PLACES[piece];
    if (place) parts.push(place);
    else if (/[[\]]/.test(piece)) return undefined;
    else parts.push(piece);
  }
  return parts;
}
