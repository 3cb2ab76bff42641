/** The text of an expression: highlighted, completed from the source's fields and every function, problems underlined. */
import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { StreamLanguage } from "@codemirror/language";
import { useMemo } from "react";
import { CodeArea } from "./code-area.tsx";
import { functions } from "./functions.ts";
import { writtenAt } from "./gestures.ts";
import { flat, type SourceField } from "./trees.ts";

const jsonata = StreamLanguage.define<{ comment: boolean }>({
  startState: () => ({ comment: false }),
  token(stream, state) {
    if (state.comment) { if (stream.skipTo("*/")) { stream.match("*/"); state.comment = false; } else stream.skipToEnd(); return "comment"; }
    if (stream.match("/*")) { state.comment = true; return "comment"; }
    if (stream.match(/^"(?:[^"\\]|\\.)*"?|^'(?:[^'\\]|\\.)*'?/)) return "string";
    if (stream.match(/^`[^`]*`?/)) return "propertyName";
    if (stream.match(/^\$[A-Za-z_][\w]*|^\$\$?/)) return "variableName";
    if (stream.match(/^\d+(?:\.\d+)?/)) return "number";
    if (stream.match(/^(?:and|or|in|true|false|null|function)\b/)) return "keyword";
    if (stream.match(/^[A-Za-z_][\w]*/)) return "propertyName";
    stream.next();
    return "operator";
  },
});

/** What an expression may begin with: the source's fields, and functions with what they take. */
export function completeExpression(context: CompletionContext, sources: readonly SourceField[]): CompletionResult | null {
  const word = context.matchBefore(/\$?[\w.`]*/);
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const fields = flat(sources).map(({ path, type, description }) => ({ label: writtenAt(path, []), type: "property", detail: type, ...(description === undefined ? {} : { info: description }) }));
  const calls = functions.map(({ name, parameters, doc, group }) => ({ label: `$${name}`, type: "function", detail: `(${parameters.join(", ")})`, info: `${group}: ${doc}`, apply: `$${name}(` }));
  return { from: word.from, options: [...fields, ...calls], validFor: /^\$?[\w.`]*$/ };
}

export interface ExpressionEditorProps {
  readonly value: string;
  readonly label: string;
  readonly sources: readonly SourceField[];
  readonly problems: readonly { readonly message: string; readonly severity: string; readonly position?: number | undefined }[];
  readonly onChange: (text: string) => void;
  readonly readOnly?: boolean;
}

export function ExpressionEditor({ value, label, sources, problems, onChange, readOnly = false }: ExpressionEditorProps) {
  const placed = useMemo(() => problems.map(({ message, severity, position }) => ({ message, severity, from: position })), [problems]);
  return <CodeArea value={value} label={label} language={jsonata} complete={(context) => completeExpression(context, sources)} problems={placed} onChange={onChange} hint="Drop a source field here, or write" readOnly={readOnly} />;
}
