/**
 * Checks a function signature (`<s-n?:s>`) as the reference does when it parses a lambda: which symbols may stand where.
 * Types of the arguments are checked when the function is called, not here.
 */
export interface SignatureProblem {
  readonly code: "S0401" | "S0402" | "P0401";
  /** Characters from the signature's `<` to the symbol at fault. */
  readonly offset: number;
  readonly value: unknown;
}

export function checkSignature(signature: string): SignatureProblem | undefined {
  let pattern = "";        // the regular expression the reference matches arguments with; a mark before the first parameter marks nothing
  let previous = "";       // type of the parameter before
  for (let at = 1; at < signature.length && signature[at] !== ":"; at++) {
    const symbol = signature[at]!;
    if ("snbloafjx".includes(symbol)) {
      pattern += "[m]";
      previous = symbol;
    } else if (symbol === "-" || symbol === "?" || symbol === "+") {
      if (pattern !== "") pattern += symbol === "-" ? "?" : symbol;
    } else if (symbol === "(") {
      const close = closingBracket(signature, at, "(", ")");
      const choice = signature.slice(at + 1, close);
      if (choice.includes("<")) return { code: "S0402", offset: at, value: choice };
      pattern += `[${choice}m]`;
      previous = `(${choice})`;
      at = close;
    } else if (symbol === "<") {
      if (previous !== "a" && previous !== "f") return { code: "S0401", offset: at, value: previous === "" ? undefined : previous };
      at = closingBracket(signature, at, "<", ">");
    }
  }
  try {
    new RegExp(`^${pattern}$`);
    return undefined;
  } catch (thrown) {
    return { code: "P0401", offset: 0, value: (thrown as Error).message };
  }
}

function closingBracket(text: string, start: number, open: string, close: string): number {
  let depth = 1;
  let at = start;
  while (at < text.length) {
    at++;
    if (text[at] === close && --depth === 0) break;
    if (text[at] === open) depth++;
  }
  return at;
}
