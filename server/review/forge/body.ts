/** A pull request's text: why, the plan as `plan --markdown` prints it, and where the rest is. */
import type { DataEffect } from "../data-effect.ts";
import type { ChangePlan } from "../plan.ts";
import { planMarkdown } from "../words.ts";

/** Of GitHub ("body is too long (maximum is 65536 characters)"), counted here in UTF-16 units: never more than it counts. */
const MAX_CHARACTERS = 65_536;

export interface BodyOf {
  readonly change: { readonly id: string; readonly description: string; readonly author: { readonly name: string } };
  readonly plan: ChangePlan;
  /** Counts of records; reasons and samples may hold what only some may read, and stay here. */
  readonly data?: DataEffect | undefined;
  /** The change in Studio. */
  readonly page?: string | undefined;
}

export function pullRequestBody({ change: { id, description, author }, plan, data, page }: BodyOf, most = MAX_CHARACTERS): string {
  const counted = data && { ...data, flows: data.flows.map((flow) => ({ ...flow, reasons: [], samples: [] })) };
  const why = description.trim() === "" ? "" : `${description.trim().split("\n").map((line) => `> ${literal(line)}`.trimEnd()).join("\n")}\n\n`;
  const where = page === undefined ? `\`plugboard changes show ${id}\`` : `[Plugboard](${page})`;
  const foot = `\n<sub>Proposed in Plugboard by ${literal(author.name)}: ${where}. What is merged here is put in force by itself. <!-- plugboard:change ${id} --></sub>\n`;
  const text = quiet(`${why}${planMarkdown(plan, counted === undefined ? {} : { data: counted })}`);
  if (text.length + foot.length <= most) return `${text}${foot}`;
  const rest = (lines: number): string => `\n\n… and ${lines.toLocaleString("en")} more lines, more than fit here. All of it: ${page === undefined ? `\`plugboard changes show ${id} --markdown\`` : where}.\n`;
  const lines = text.split("\n");
  // A line is shown whole or not at all: half a row of a table breaks all of it.
  const room = most - foot.length - rest(lines.length).length;
  let shown = 0;
  for (let size = 0; shown < lines.length && size + lines[shown]!.length + 1 <= room; shown++) size += lines[shown]!.length + 1;
  return `${lines.slice(0, shown).join("\n")}${rest(lines.length - shown)}${foot}`;
}

/** Text of somebody's: no markup, no links, no references to other things there. */
const literal = (text: string): string => quiet(text.replaceAll(/[\\`*_|[\]<>#!~]/g, (character) => `\\${character}`));

/** `@name` in a value would call that person: a joiner of no width keeps it from being one. */
const quiet = (text: string): string => text.replaceAll(/(^|[^\p{L}\p{N}_`])@(?=[A-Za-z0-9])/gmu, "$1@\u2060");
