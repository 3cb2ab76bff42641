/** The one edit distance: "did you mean". */

/** The known name that needs the fewest edits, if those are few for its length, or one that is a word of the given name (`page_size` → `size`). */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const all = [...known];
  const given = name.toLowerCase();
  let best: { name: string; edits: number } | undefined;
  for (const candidate of all) {
    const edits = editsBetween(given, candidate.toLowerCase());
    if (edits <= Math.max(1, Math.floor(Math.max(candidate.length, name.length) / 3)) && (!best || edits < best.edits)) best = { name: candidate, edits };
  }
  if (best) return best.name;
  const words = given.split(/[_\-. ]/);
  return all.find((candidate) => candidate.length > 3 && given.length > 3 && (given.startsWith(candidate.toLowerCase().slice(0, 4)) && Math.abs(given.length - candidate.length) < 3)) ?? all.find((candidate) => candidate.length > 2 && words.length > 1 && words.includes(candidate.toLowerCase()));
}

/** "Did you mean …?" where something is near, else what there is. */
export function suggest(name: string, known: Iterable<string>): string {
  const all = [...known];
  const near = nearest(name, all);
  if (near !== undefined) return `did you mean '${near}'?`;
  return all.length === 0 ? "there is none yet" : `there is: ${all.slice(0, 16).join(", ")}${all.length > 16 ? ", …" : ""}`;
}

/**
 * The known name that this one is plainly a slip of, where names that nobody listed are right too: another case, two neighbours
 * swapped, a letter doubled or not, or in a long name one letter too many or too few. `state` is no slip of `stage`.
 */
export function slipOf(name: string, known: Iterable<string>): string | undefined {
  return [...known].find((each) => each !== name && (each.toLowerCase() === name.toLowerCase() || (name.length > 4 && (undoubled(each) === undoubled(name) || isSwapped(each, name))) || (name.length >= LONG_NAME && lacksOneLetter(each, name))));
}

/** From this length on, two names that differ by one letter inside are hardly both meant. */
const LONG_NAME = 12;

const undoubled = (name: string): string => name.replace(/([a-z])\1/gi, "$1");

function isSwapped(a: string, b: string): boolean {
  const at = firstDifference(a, b);
  return a.length === b.length && /^[a-z]{2}$/i.test(a.slice(at, at + 2)) && a.slice(0, at) + a[at + 1]! + a[at]! + a.slice(at + 2) === b;
}

/** Not the last one: a plural is another name. */
function lacksOneLetter(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const at = firstDifference(short, long);
  return long.length === short.length + 1 && at < short.length && /[a-z]/i.test(long[at]!) && long.slice(0, at) + long.slice(at + 1) === short;
}

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editsBetween(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      let edits = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) edits = Math.min(edits, rows[i - 2]![j - 2]! + 1);
      row.push(edits);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
