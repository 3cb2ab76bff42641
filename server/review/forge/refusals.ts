/** What every way to a forge says when it brings nothing: the REST API and Git. */
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { live } from "../../../engine/run/redact.ts";

/** Characters of what came from outside. */
const SHOWN = 300;

export const limited = (forge: string, request: string, detail: string, seconds: number): PlugboardError =>
  new PlugboardError("CHANGE_FORGE_LIMITED", { forge, request, detail, seconds }, { retryAfterSeconds: seconds });

/** What came from outside, for a message: one line, short, without what is secret. */
export const plain = (text: string): string => live.text(text.replaceAll(/\p{Cc}+/gu, " ").trim()).slice(0, SHOWN);

/** A request that brought no answer. What the egress guard refuses is told as it is. */
export function unanswered(thrown: unknown, forge: string, request: string): unknown {
  if (!(thrown instanceof PlugboardError) || !["RUN_NETWORK", "RUN_TIMEOUT", "RUN_REDIRECT", "RUN_BODY_TOO_LARGE", "RUN_NOT_DECODABLE"].includes(thrown.code)) return thrown;
  if (thrown.code === "RUN_REDIRECT") return new PlugboardError("CHANGE_FORGE_SETTINGS", { detail: `${forge} has moved: ${request} leads to ${plain(String(thrown.params["host"]))}`, suggestion: "Write the new name to forge.repository in workspace.yaml." });
  return new PlugboardError("CHANGE_FORGE_UNREACHABLE", { forge, request, detail: thrown.message.replace(/\.$/, "") }, { cause: thrown });
}
