/**
 * CSV for people: RFC 4180, and no cell that a spreadsheet would run. A cell that begins like a formula, also behind blanks or
 * in full-width letters, gets an apostrophe. Source: OWASP ASVS 5.0 §1.2.10.
 */
export const csvLine = (cells: readonly (string | undefined)[]): string => `${cells.map(cell).join(",")}\r\n`;

function cell(value: string | undefined): string {
  if (value === undefined) return "";
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const FORMULA = /^[\s\0'"]*[=+\-@\t\r\0＝＋－＠]/u;
