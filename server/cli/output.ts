/** How the command line speaks: results on stdout, everything else on stderr, so that output can be piped. */
import pc from "picocolors";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";

// A reader that has seen enough (`| head`) ends us quietly.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

/** A line of the result. */
export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** A line for the person who watches. */
export function say(line = ""): void {
  process.stderr.write(`${line}\n`);
}

/** One JSON document on one line: the last line of stdout, whatever a script runner printed before it. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** The sentence, the hint and, for a bug of ours, the stack. */
export function fail(thrown: unknown): void {
  if (thrown instanceof PlugboardError) {
    const place = thrown.at ? `${thrown.at.file}:${thrown.at.line}:${thrown.at.col}  ` : "";
    say(`${pc.red("error")}  ${place}${pc.bold(thrown.code)}  ${thrown.message}`);
    if (thrown.hint) say(`  ${pc.dim("hint:")} ${thrown.hint}`);
    return;
  }
  say(`${pc.red("error")}  ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`);
}
