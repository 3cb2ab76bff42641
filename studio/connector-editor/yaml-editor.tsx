/** The text of a manifest: highlighted, keys completed from its schema, problems where the engine's own validator finds them. */
import { autocompletion, closeBrackets, completionKeymap, type CompletionContext } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { suggestionsAt } from "./yaml-completion.ts";

const colour = (name: string): string => `light-dark(var(--mantine-color-${name}-9), var(--mantine-color-${name}-3))`;
const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: colour("plug") }, { tag: [tags.string, tags.content], color: "var(--mantine-color-text)" }, { tag: tags.special(tags.string), color: colour("teal") },
  { tag: [tags.number, tags.bool, tags.null], color: colour("orange") }, { tag: tags.comment, color: "var(--mantine-color-dimmed)", fontStyle: "italic" }, { tag: [tags.punctuation, tags.separator, tags.brace, tags.squareBracket], color: "var(--mantine-color-dimmed)" },
]);

const look = EditorView.theme({
  "&": { fontSize: "12.5px", border: "1px solid var(--mantine-color-default-border)", borderRadius: "8px", background: "var(--mantine-color-body)", color: "var(--mantine-color-text)", maxHeight: "62vh" },
  "&.cm-focused": { outline: "2px solid var(--mantine-primary-color-filled)", outlineOffset: "1px" },
  ".cm-scroller": { fontFamily: "var(--mantine-font-family-monospace)", lineHeight: "1.55" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--mantine-color-text)" },
  ".cm-gutters": { background: "transparent", border: "none", color: "var(--mantine-color-dimmed)" },
  ".cm-cursor": { borderLeftColor: "var(--mantine-color-text)" },
  ".cm-tooltip": { background: "var(--mantine-color-body)", border: "1px solid var(--mantine-color-default-border)", color: "var(--mantine-color-text)", maxWidth: "420px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--mantine-primary-color-light)", color: "var(--mantine-color-text)" },
});

const NONE: readonly YamlProblem[] = [];


export interface YamlProblem { readonly line: number; readonly col: number; readonly severity: string; readonly message: string }

export function YamlEditor({ value, label, readOnly = false, schema, problems = NONE, onChange, goTo }: {
  readonly value: string; readonly label: string; readonly readOnly?: boolean;
  /** Of the root: `connector.schema.json`. Absent: nothing is completed. */
  readonly schema?: string;
  readonly problems?: readonly YamlProblem[];
  readonly onChange?: (text: string) => void;
  /** Where to stand; a new object moves there again. */
  readonly goTo?: { readonly line: number; readonly col: number } | undefined;
}) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({ onChange, schema });
  latest.current = { onChange, schema };
  useEffect(() => {
    const complete = (context: CompletionContext) => {
      if (latest.current.schema === undefined) return null;
      const { from, options } = suggestionsAt(context.state.doc.toString(), context.pos, latest.current.schema);
      if (options.length === 0 || (from === context.pos && !context.explicit)) return null;
      return { from, validFor: /^[\w$.-]*$/, options: options.map(({ label: name, detail, info, apply, kind }) => ({ label: name, detail, info, apply, type: kind === "key" ? "property" : "constant" })) };
    };
    const editor = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: value,
        extensions: [
          lineNumbers(), history(), closeBrackets(), indentOnInput(), yaml(), syntaxHighlighting(colours), look, autocompletion({ override: [complete] }), lintGutter(),
          // Tab leaves the editor, as everywhere: indentation is typed, or comes with Enter.
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap]), EditorView.contentAttributes.of({ "aria-label": label, ...(readOnly ? { "aria-readonly": "true" } : {}) }),
          ...(readOnly ? [EditorState.readOnly.of(true)] : []), EditorState.tabSize.of(2),
          EditorView.updateListener.of((update) => { if (update.docChanged) latest.current.onChange?.(update.state.doc.toString()); }),
        ],
      }),
    });
    editor.scrollDOM.tabIndex = 0;
    view.current = editor;
    return () => editor.destroy();
  }, [label, readOnly]);      // its text is brought up to date below
  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);
  // Set, not asked for: they come from the server, a moment after the text.
  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, problems.map((problem) => shownAt(editor.state, problem))));
  }, [problems, label, readOnly]);
  useEffect(() => {
    const editor = view.current;
    if (!editor || !goTo) return;
    const line = editor.state.doc.line(Math.min(Math.max(goTo.line, 1), editor.state.doc.lines));
    editor.dispatch({ selection: { anchor: Math.min(line.from + goTo.col - 1, line.to) }, scrollIntoView: true });
    editor.focus();
  }, [goTo]);
  return <div ref={place} />;
}

function shownAt(state: EditorState, { line, col, severity, message }: YamlProblem): Diagnostic {
  const at = state.doc.line(Math.min(Math.max(line, 1), state.doc.lines));
  const from = Math.min(at.from + Math.max(col - 1, 0), at.to);
  return { from, to: Math.max(from, Math.min(at.to, at.from + wordEnd(at.text, from - at.from))), message, severity: severity === "error" ? "error" : "warning" };
}

const wordEnd = (text: string, from: number): number => from + (/^[^\s:,}\]]*/.exec(text.slice(from))?.[0].length ?? 1);
