/** Versions are decimal numbers as text, of any length: an instant in nanoseconds does not fit a JavaScript number. */

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

export const isVersion = (text: string): boolean => text.length <= 100 && DECIMAL.test(text);

/** Negative when a is older. */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [, signA = "", wholeA = "0", fractionA = ""] = DECIMAL.exec(a) ?? [];
  const [, signB = "", wholeB = "0", fractionB = ""] = DECIMAL.exec(b) ?? [];
  const places = Math.max(fractionA.length, fractionB.length);
  const scaled = (sign: string, whole: string, fraction: string) => BigInt(sign + whole + fraction.padEnd(places, "0"));
  const left = scaled(signA, wholeA, fractionA);
  const right = scaled(signB, wholeB, fractionB);
  return left < right ? -1 : left > right ? 1 : 0;
}
