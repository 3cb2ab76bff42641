/** The text of an expression: highlighted, completed from the source's fields and every function, problems underlined. */
import { autocompletion, closeBrackets, completionKeymap, type CompletionContext } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { forceLinting, linter, type Diagnostic } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
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

const colours = HighlightStyle.define([
  { tag: tags.string, color: "var(--mantine-color-teal-7)" }, { tag: tags.number, color: "var(--mantine-color-orange-8)" }, { tag: tags.variableName, color: "var(--mantine-color-violet-7)" },
  { tag: tags.keyword, color: "var(--mantine-color-blue-7)" }, { tag: tags.comment, color: "var(--mantine-color-dimmed)", fontStyle: "italic" }, { tag: tags.operator, color: "var(--mantine-color-dimmed)" },
]);

const look = EditorView.theme({
  "&": { fontSize: "13px", border: "1px solid var(--mantine-color-default-border)", borderRadius: "6px", background: "var(--mantine-color-body)" },
  "&.cm-focused": { outline: "2px solid var(--mantine-primary-color-filled)", outlineOffset: "1px" },
  ".cm-content": { fontFamily: "var(--mantine-font-family-monospace)", padding: "7px 4px", caretColor: "var(--mantine-color-text)" },
  ".cm-tooltip": { background: "var(--mantine-color-body)", border: "1px solid var(--mantine-color-default-border)", color: "var(--mantine-color-text)" },
  ".cm-placeholder": { color: "var(--mantine-color-placeholder)" },
});

export interface ExpressionEditorProps {
  readonly value: string;
  readonly label: string;
  readonly sources: readonly SourceField[];
  readonly problems: readonly { readonly message: string; readonly severity: string; readonly position?: number | undefined }[];
  readonly onChange: (text: string) => void;
}

export function ExpressionEditor({ value, label, sources, problems, onChange }: ExpressionEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({ sources, problems, onChange });
  latest.current = { sources, problems, onChange };
  useEffect(() => {
    const complete = (context: CompletionContext) => {
      const word = context.matchBefore(/\$?[\w.`]*/);
      if (!word || (word.from === word.to && !context.explicit)) return null;
      const fields = flat(latest.current.sources).map(({ path, type, description }) => ({ label: writtenAt(path, []), type: "property", detail: type, ...(description === undefined ? {} : { info: description }) }));
      const calls = functions.map(({ name, parameters, doc, group }) => ({ label: `$${name}`, type: "function", detail: `(${parameters.join(", ")})`, info: `${group}: ${doc}`, apply: `$${name}(` }));
      return { from: word.from, options: [...fields, ...calls], validFor: /^\$?[\w.`]*$/ };
    };
    const lint = linter((editor): Diagnostic[] => latest.current.problems.map(({ message, severity, position = 0 }) => {
      const from = Math.min(position, editor.state.doc.length);
      return { from, to: Math.min(from + 1, editor.state.doc.length), message, severity: severity === "error" ? "error" : "warning" };
    }), { delay: 250 });
    const editor = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: value,
        extensions: [
          history(), closeBrackets(), jsonata, syntaxHighlighting(colours), autocompletion({ override: [complete] }), lint, look, EditorView.lineWrapping, placeholder("Drop a source field here, or write"),
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap]), EditorView.contentAttributes.of({ "aria-label": label }),
          EditorView.updateListener.of((update) => { if (update.docChanged) latest.current.onChange(update.state.doc.toString()); }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [label]);      // its text is brought up to date below
  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);
  useEffect(() => { if (view.current) forceLinting(view.current); }, [problems]);
  return <div ref={place} />;
}
