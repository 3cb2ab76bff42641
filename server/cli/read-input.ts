import { readFileSync } from "node:fs";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";

/** JSON of a file, or of standard input for `-`; a `.jsonl` file is the list of its lines. @throws PlugboardError CLI_USAGE */
export function readInput(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file === "-" ? 0 : file, "utf8").replace(/^\uFEFF/, "");
  } catch (thrown) {
    throw new PlugboardError("CLI_USAGE", { detail: `${file} cannot be read: ${(thrown as NodeJS.ErrnoException).code ?? (thrown as Error).message}.`, suggestion: "Give a file of JSON, or - to read from a pipe." }, { cause: thrown });
  }
  const lines = file.endsWith(".jsonl") ? text.split("\n").map((line, index) => ({ line, number: index + 1 })).filter(({ line }) => line.trim() !== "") : undefined;
  return lines ? lines.map(({ line, number }) => parse(line, `${file}:${number}`)) : parse(text, file);
}

/** `name=value`: JSON where it is JSON, else text. @throws PlugboardError CLI_USAGE */
export function readVariable(written: string): [name: string, value: unknown] {
  const at = written.indexOf("=");
  if (at < 1) throw new PlugboardError("CLI_USAGE", { detail: `--var ${written} is not name=value.`, suggestion: "For example: --var config='{\"region\":\"eu\"}'" });
  const text = written.slice(at + 1);
  try {
    return [written.slice(0, at), JSON.parse(text)];
  } catch {
    return [written.slice(0, at), text];
  }
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new PlugboardError("CLI_USAGE", { detail: `${where} is not JSON: ${(thrown as Error).message}` }, { cause: thrown });
  }
}
