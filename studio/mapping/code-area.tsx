/** CodeMirror as a field of a form: a text, its language, completion, and problems underlined where they are. */
import { autocompletion, closeBrackets, completionKeymap, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { forceLinting, linter, lintGutter, type Diagnostic } from "@codemirror/lint";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";

const COLOURS = HighlightStyle.define([
  { tag: tags.string, color: "var(--code-string)" }, { tag: tags.number, color: "var(--code-number)" }, { tag: tags.variableName, color: "var(--code-name)" },
  { tag: [tags.keyword, tags.definition(tags.propertyName)], color: "var(--code-keyword)" }, { tag: tags.comment, color: "var(--mantine-color-dimmed)", fontStyle: "italic" }, { tag: tags.operator, color: "var(--mantine-color-dimmed)" },
]);

const LOOK = EditorView.theme({
  "&": {
    fontSize: "13px", border: "1px solid var(--mantine-color-default-border)", borderRadius: "6px", background: "var(--mantine-color-body)",
    "--code-string": "light-dark(#087f5b, #63e6be)", "--code-number": "light-dark(#b84a00, #ffa94d)", "--code-name": "light-dark(#6741d9, #b197fc)", "--code-keyword": "light-dark(#1864ab, #74c0fc)",
  },
  "&.cm-focused": { outline: "2px solid var(--mantine-primary-color-filled)", outlineOffset: "1px" },
  ".cm-content": { fontFamily: "var(--mantine-font-family-monospace)", padding: "7px 4px", caretColor: "var(--mantine-color-text)" },
  ".cm-cursor": { borderLeftColor: "var(--mantine-color-text)" },
  ".cm-gutters": { background: "transparent", color: "var(--mantine-color-dimmed)", borderRight: "1px solid var(--mantine-color-default-border)" },
  ".cm-tooltip": { background: "var(--mantine-color-body)", border: "1px solid var(--mantine-color-default-border)", color: "var(--mantine-color-text)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--mantine-primary-color-filled)", color: "#fff" },
  ".cm-placeholder": { color: "var(--mantine-color-placeholder)" },
});

/** `to` is where a problem ends; a position is counted in characters from the start of the text. */
export interface TextProblem { readonly message: string; readonly severity: string; readonly from?: number | undefined; readonly to?: number | undefined }

export interface CodeAreaProps {
  readonly value: string;
  readonly label: string;
  /** Once: another one is another editor. */
  readonly language: Extension;
  readonly complete: (context: CompletionContext) => CompletionResult | null;
  readonly problems: readonly TextProblem[];
  readonly onChange: (text: string) => void;
  readonly hint?: string;
  /** A file: with line numbers, as high as it is allowed to be. */
  readonly height?: string;
  readonly readOnly?: boolean;
}

export function CodeArea({ value, label, language, complete, problems, onChange, hint = "", height, readOnly = false }: CodeAreaProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({ complete, problems, onChange });
  latest.current = { complete, problems, onChange };
  useEffect(() => {
    const lint = linter((editor): Diagnostic[] => latest.current.problems.map(({ message, severity, from = 0, to }) => {
      const { length } = editor.state.doc;
      const start = Math.min(from, length);
      return { from: start, to: Math.min(Math.max(to ?? start + 1, start), length), message, severity: severity === "error" ? "error" : "warning" };
    }), { delay: 200 });
    const editor = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: value,
        extensions: [
          history(), closeBrackets(), language, syntaxHighlighting(COLOURS), autocompletion({ override: [(context) => latest.current.complete(context)] }), lint, LOOK, EditorView.lineWrapping, placeholder(hint),
          ...(height === undefined ? [] : [lineNumbers(), lintGutter(), EditorView.theme({ "&": { height }, ".cm-scroller": { overflow: "auto" } })]),
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap]), EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }), EditorState.readOnly.of(readOnly), EditorView.editable.of(!readOnly),
          EditorView.updateListener.of((update) => { if (update.docChanged && !update.transactions.some((each) => each.isUserEvent("outside"))) latest.current.onChange(update.state.doc.toString()); }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [label, language, height, readOnly]);      // its text is brought up to date below
  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value }, userEvent: "outside" });
  }, [value]);
  useEffect(() => { if (view.current) forceLinting(view.current); }, [problems]);
  return <div ref={place} />;
}
