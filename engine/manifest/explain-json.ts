/** Entity files are JSON: what YAML's parser says of one that is broken would advise YAML. */
import type { ErrorParams } from "../errors/plugboard-error.ts";

export interface JsonExplanation { readonly params: ErrorParams; readonly at: number }

/** @param stopped where the YAML parser lost its way, for engines whose JSON errors name no position. */
export function explainJson(text: string, stopped: number): JsonExplanation | undefined {
  const found = positionOf(text);
  if (!found) return undefined;
  const at = found.at ?? stopped;
  const next = text.slice(at).trimStart();
  if (next === "") return { at: Math.max(0, text.trimEnd().length - 1), params: { detail: "the file ends before its last bracket is closed.", cure: "Every { ends with a }, every [ with a ], every text with a double quote." } };
  if (found.isEnd) return { at, params: { detail: "something is left over after the end.", cure: "Is there one closing bracket too many?" } };
  return { at, params: { detail: `a comma, a double quote or a bracket is missing before this.`, cure: 'Members are separated by commas, and keys and texts stand in double quotes: { "a": "text", "b": 2 }' } };
}

/** Undefined when it is JSON after all. */
function positionOf(text: string): { readonly at: number | undefined; readonly isEnd: boolean } | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (thrown) {
    const { message } = thrown as Error;
    const position = /position (\d+)/.exec(message)?.[1];
    return { at: position === undefined ? undefined : Number(position), isEnd: /after JSON/.test(message) };
  }
}
