/**
 * What was signed, as bytes. `{{request.body}}` stands for the raw bytes themselves, never for text that was made of them and
 * back; around it templates are rendered as everywhere.
 */
import type { CompiledTemplate } from "../../expression/index.ts";
import type { BuildContext, Variables } from "../kinds.ts";
import { refuse } from "./refused.ts";

const BODY = /\{\{\s*request\.body\s*\}\}/;
/** Roots that a sender has a say in: text made of them is never read as a template. */
const SENT = ["request", "headers", "body", "timestamp", "id"];
/** Templates that config values gave; they change when somebody changes the connection. */
const KEPT = 50;
/** Characters of one of them. */
const MAX_ENTERED = 1000;

export type SignedText = (variables: Variables, body: Uint8Array) => Promise<Uint8Array>;

export function compileSignedText(text: string, context: BuildContext, field = "signed"): SignedText {
  if (/^\s*=/.test(text)) {
    const value = context.value(text, "text", field);
    return async (variables) => {
      const signed = await value(variables);
      return typeof signed === "string" ? Buffer.from(signed) : refuse(`the option '${field}' gives no text for this request`);
    };
  }
  const pieces = piecesOf(text, context, field);
  const isFromConfig = pieces.length === 1 && text.includes("{{") && !pieces[0]!.reads.some(([root]) => SENT.includes(root ?? "")) && pieces[0]!.reads.length > 0;
  const kept = new Map<string, SignedText>();
  return async (variables, body) => {
    const parts = pieces.map((piece) => piece.render(variables) ?? refuse(`${absentIn(piece, variables)} is signed, but the request does not have it`));
    const [only] = parts;
    if (isFromConfig && only!.includes("{{")) {
      // Whoever connects an account writes it: insertions are enough to say what is signed.
      if (only!.length > MAX_ENTERED || /\{\{[~\s]*[#^>*/]/.test(only!)) refuse(`the option '${field}' as entered is longer than ${MAX_ENTERED} characters, or has blocks`);
      if (kept.size >= KEPT) kept.clear();
      const again = kept.get(only!) ?? compileSignedText(only!, context, field);
      kept.set(only!, again);
      return again(variables, body);
    }
    if (parts.length === 2 && parts.every((part) => part === "")) return body;       // nothing but the body: the most that is signed
    return Buffer.concat(parts.flatMap((part, index) => (index === 0 ? [Buffer.from(part)] : [body, Buffer.from(part)])));
  };
}

/** The templates between the bodies; the whole where a body stands inside a block, which then sees it as text. */
function piecesOf(text: string, { template }: BuildContext, field: string): CompiledTemplate[] {
  const split = text.split(BODY);
  if (split.length > 1) {
    try {
      return split.map((piece) => template(piece, "text", field));
    } catch { /* A block began in one piece and ended in another. */ }
  }
  return [template(text, "text", field)];
}

/** The first path a template reads that leads nowhere: `request.headers.x-id`. */
function absentIn(template: CompiledTemplate, variables: Variables): string {
  const isAbsent = (path: readonly string[]): boolean => {
    let value: unknown = variables;
    for (const name of path) value = typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Variables)[name] : undefined;
    return value === undefined || value === null;
  };
  return template.reads.find(isAbsent)?.join(".") ?? "something";
}
