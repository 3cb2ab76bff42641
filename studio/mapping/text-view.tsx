/** The file as a text: the mapping's own, or the organisation's that overrides it. What is written here is what the other views show, as soon as it is YAML; the change is then the whole file. */
import { yaml } from "@codemirror/lang-yaml";
import { indentService } from "@codemirror/language";
import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { Alert, Code, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import type { Problem } from "../api/client.ts";
import { CodeArea, type TextProblem } from "./code-area.tsx";
import { completeExpression } from "./expression-editor.tsx";
import type { SourceField, TargetField } from "./trees.ts";

/** A new line begins where the one before begins: not below its comment. */
const LANGUAGE = [indentService.of((context, at) => { const { text } = context.lineAt(at, -1); return /^[ -]*/.exec(text)![0].length + (/:\s*(?:#.*)?$/.test(text) ? 2 : 0); }), yaml()];
const KEYS: Readonly<Record<string, string>> = { mapping: "Its id: connector/name.", from: "The stream: connector.stream.", to: "The entity.", where: "Which records.", fields: "Target field → expression.", tests: "Records and what must become of them." };
const TEST_KEYS: Readonly<Record<string, string>> = { name: "As a sentence.", given: "The record.", expect: "Exactly the fields that must come out.", filtered: "`where` must drop it.", error: "It must be refused like this." };

export interface TextViewProps {
  readonly file: string;
  readonly text: string;
  /** Of the whole configuration, of this file only those are shown. */
  readonly problems: readonly (Problem & { readonly severity?: string })[];
  readonly sources: readonly SourceField[];
  readonly targets: readonly TargetField[];
  /** A file of an earlier layer that this one is laid over. */
  readonly under?: { readonly file: string; readonly text: string } | undefined;
  readonly change: (text: string) => void;
  readonly readOnly: boolean;
}

export default function TextView({ file, text, problems, sources, targets, under, change, readOnly }: TextViewProps) {
  const own = problems.filter(({ at }) => at?.file === file);
  const placed = useMemo(() => own.map((problem) => placeOf(problem, text)), [own.map(({ code, at }) => `${code}${at?.line}:${at?.col}`).join(), text]);
  const complete = (context: CompletionContext): CompletionResult | null => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    if (/^\s*(?:-\s*)?[\w.]*$/.test(before)) {
      const word = context.matchBefore(/[\w.]*/)!;
      if (word.from === word.to && !context.explicit) return null;
      const indent = before.length - before.trimStart().length;
      const keys = !file.startsWith("mappings/") ? {} : indent === 0 ? KEYS : /^\s*-|^ {4}/.test(before) ? TEST_KEYS : {};
      return { from: word.from, options: [...Object.entries(keys).map(([label, info]) => ({ label, info, type: "keyword", apply: `${label}: ` })), ...(indent === 0 ? [] : targets.map(({ field, type, description }) => ({ label: field, detail: type, type: "property", apply: `${field}: `, ...(description === undefined ? {} : { info: description }) })))], validFor: /^[\w.]*$/ };
    }
    return completeExpression(context, sources);
  };
  return (
    <Stack gap="xs">
      <Text size="xs" c="dimmed"><Code>{file}</Code>{under && " is laid over the built-in file: it holds only what differs."}</Text>
      <CodeArea value={text} label={`Text of ${file}`} language={LANGUAGE} complete={complete} problems={placed} onChange={change} height="max(320px, calc(100vh - 420px))" readOnly={readOnly} />
      {own.length > 0 && <Alert color="red" variant="light" py={6} role="status"><Stack gap={2}>{own.map(({ code, message, hint, at }, index) => <Text key={index} size="sm"><Code>{at!.line}:{at!.col}</Code> {message} {hint} <Text span size="xs" c="dimmed">{code}</Text></Text>)}</Stack></Alert>}
      {under && <details><summary><Text span size="sm">What it is laid over: {under.file.replace("(builtin)/", "")}</Text></summary><Code block mt="xs">{under.text}</Code></details>}
    </Stack>
  );
}

/** To the end of the word there, as far as one can tell. */
function placeOf({ message, hint, severity, at }: Problem & { readonly severity?: string }, text: string): TextProblem {
  const lines = text.split("\n");
  const from = lines.slice(0, (at?.line ?? 1) - 1).reduce((sum, line) => sum + line.length + 1, 0) + (at?.col ?? 1) - 1;
  const word = /^[\w.$"'-]+/.exec(text.slice(from))?.[0].length ?? 1;
  return { message: [message, hint].filter(Boolean).join(" "), severity: severity ?? "error", from, to: from + word };
}
