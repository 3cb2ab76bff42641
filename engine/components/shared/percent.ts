/**
 * Text as it stands in a query. Not URLSearchParams: that writes a blank as `+`, which only forms understand, and escapes the
 * `$` of `$filter`, which some servers do not unescape in a name.
 */
export const percentEncode = (text: string): string => encodeURIComponent(text.toWellFormed()).replaceAll("%24", "$");

/** `a=1&b=2`; a list repeats its name; absent and null members are left out. */
export function encodePairs(members: Readonly<Record<string, unknown>>): string {
  const pairs: string[] = [];
  for (const [name, value] of Object.entries(members)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item === undefined || item === null) continue;
      if (typeof item === "object") throw new TypeError(`'${name}' is ${Array.isArray(item) ? "a list" : "an object"}; a parameter is text, a number, true or false`);
      pairs.push(`${percentEncode(name)}=${percentEncode(String(item))}`);
    }
  }
  return pairs.join("&");
}
