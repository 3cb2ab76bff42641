import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { parseDocument } from "yaml";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { checkShape } from "../../../engine/manifest/check-shape.ts";
import { read } from "../../../engine/manifest/index.ts";
import { schemaAt } from "../../../engine/manifest/schema-shape.ts";
import { everyManifest } from "../../../engine/manifest/validate.ts";
import { findWorkspace, PRODUCT_ROOT, readTree } from "../../workspace/read-tree.ts";
import { formatYaml, type FormatChange, quoted } from "../format-yaml.ts";
import { fail, print, printJson } from "../output.ts";

export interface FormattedManifest {
  readonly text: string;
  readonly changes: readonly FormatChange[];
  /** What still does not parse, in the words of YAML. */
  readonly left?: { readonly line: number; readonly detail: string };
}

export function registerFmt(program: Command): void {
  program.command("fmt")
    .description("quote expressions and templates that YAML reads as something else; comments and layout stay")
    .argument("[paths...]", "manifests, or a workspace (default: the nearest folder upwards with a workspace.yaml, else the built-in catalogue)")
    .option("--check", "change nothing; exit with 1 when something would be")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nFrozen releases are left alone. Exit codes: 0 done, 1 something does not parse (or, with --check, would change), 2 wrong usage or unreadable file")
    .action((paths: string[], options: { check?: boolean; json?: boolean }) => {
      let files: ManifestFile[];
      try {
        files = filesOf(paths);
      } catch (thrown) {
        if (!(thrown instanceof PlugboardError)) throw thrown;
        fail(thrown);
        process.exitCode = 2;
        return;
      }
      const results = files.map((file) => ({ ...file, result: formatManifest(file.inTree, file.text) }));
      if (!options.check) for (const { file, text, result } of results) if (result.text !== text) writeFileSync(file, result.text);
      const changed = results.filter(({ result }) => result.changes.length > 0);
      const left = results.filter(({ result }) => result.left);
      if (left.length > 0 || (options.check && changed.length > 0)) process.exitCode = 1;
      if (options.json) printJson({ ok: process.exitCode !== 1, checked: files.length, files: [...new Set([...changed, ...left])].map(({ shown, result }) => ({ file: shown, changes: result.changes, ...(result.left ? { left: result.left } : {}) })) });
      else show(files.length, changed, left, options.check === true);
    });
}

/**
 * One manifest, formatted. `inTree`: its path below the workspace's root, which says what kind it is.
 * Idempotent: what it gives is left as it is the next time.
 */
export function formatManifest(inTree: string, text: string): FormattedManifest {
  const hidden = formatYaml(text);
  const [error] = parseDocument(hidden.text, { logLevel: "silent" }).errors;
  if (error) return { ...hidden, left: { line: error.linePos?.[0].line ?? 1, detail: error.message.split("\n")[0]!.replace(/ at line \d+, column \d+:?$/, "") } };
  const equals = withoutEquals(inTree, hidden.text);
  const moved = equals.changes.map((change) => ({ ...change, line: change.line - linesAddedBefore(change.line, hidden.changes) }));
  return { text: equals.text, changes: [...hidden.changes, ...moved].toSorted((left, right) => left.line - right.line) };
}

/** How far a line has moved down: an expression written into a block takes a line more. */
function linesAddedBefore(line: number, changes: readonly FormatChange[]): number {
  let added = 0;
  for (const change of changes) if (change.line + added < line) added += change.to.split("\n").length - change.from.split("\n").length;
  return added;
}

/** Keys that are always an expression take it bare: `name: =title` is `name: title`. */
function withoutEquals(inTree: string, text: string): { text: string; changes: FormatChange[] } {
  const workspace = read([{ layer: "workspace", label: "", files: new Map([[inTree, text]]) }]);
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const splices = everyManifest(workspace).filter(({ file, kind }) => file === inTree && kind !== "tests").flatMap((manifest) =>
    checkShape(manifest.value, schemaAt(`${manifest.kind}.schema.json`), { layer: true }).sites.flatMap((site) => {
      if (site.language !== "jsonata" || site.part !== "value" || !/^\s*=(?!=)/.test(site.text)) return [];
      const { line, col } = manifest.locate(site.pointer, "value", 0);
      const at = lineStarts[line - 1]! + col - 1;
      const bare = site.text.replace(/^\s*=\s*/, "");
      if (text.startsWith(site.text, at) && manifest.written(site.pointer).style === "plain") return [{ start: at, end: at + site.text.length, to: isPlainText(bare) ? bare : quoted(bare), line }];
      const sign = /^["']?\s*=[ \t]*/.exec(text.slice(at));
      return sign ? [{ start: at, end: at + sign[0].length, to: sign[0].replace(/\s*=[ \t]*$/, ""), line }] : [];
    }));
  let result = text;
  for (const { start, end, to } of splices.toSorted((left, right) => right.start - left.start)) result = result.slice(0, start) + to + result.slice(end);
  return { text: result, changes: splices.map(({ start, end, to, line }) => ({ line, from: text.slice(start, end), to })) };
}

/** Whether YAML reads a value without quotes as the same text, in a block and in braces. */
function isPlainText(value: string): boolean {
  return [`k: ${value}`, `{ k: ${value} }`].every((line) => {
    const document = parseDocument(line, { logLevel: "silent" });
    return document.errors.length === 0 && (document.toJS() as { k?: unknown }).k === value;
  });
}

interface ManifestFile {
  /** Where it lies. */
  readonly file: string;
  readonly inTree: string;
  /** As people are told of it. */
  readonly shown: string;
  readonly text: string;
}

/** @throws PlugboardError MANIFEST_UNREADABLE for a path that cannot be read. */
function filesOf(paths: readonly string[]): ManifestFile[] {
  const places = paths.length > 0 ? paths : [findWorkspace(process.cwd()) ?? PRODUCT_ROOT];
  return places.flatMap((place) => {
    const stat = statSync(place, { throwIfNoEntry: false });
    if (!stat) throw new PlugboardError("MANIFEST_UNREADABLE", { file: place, detail: "there is no such file or folder" });
    const root = (stat.isDirectory() ? undefined : findWorkspace(path.dirname(path.resolve(place)))) ?? (stat.isDirectory() ? path.resolve(place) : PRODUCT_ROOT);
    const shown = (file: string): string => path.relative(process.cwd(), file) || file;
    if (!stat.isDirectory()) return [{ file: place, inTree: path.relative(root, path.resolve(place)).split(path.sep).join("/"), shown: shown(place), text: readFileSync(place, "utf8") }];
    return [...readTree(root, "workspace").files].filter(([file]) => file.endsWith(".yaml") && !/^presets\/[^/]+\/releases\//.test(file))
      .map(([file, text]) => ({ file: path.join(root, file), inTree: file, shown: shown(path.join(root, file)), text }));
  });
}

type Shown = ManifestFile & { readonly result: FormattedManifest };

function show(checked: number, changed: readonly Shown[], left: readonly Shown[], isCheck: boolean): void {
  for (const { shown, result } of changed) {
    for (const { line, from, to } of result.changes) {
      print(`${shown}:${line}`);
      print(pc.red(`  - ${from}`));
      print(pc.green(`  + ${to.split("\n").join("\n    ")}`));
    }
  }
  for (const { shown, result } of left) print(`${shown}:${result.left!.line}  ${pc.red("left")}  ${result.left!.detail}  (plugboard validate says more)`);
  const count = changed.reduce((sum, { result }) => sum + result.changes.length, 0);
  print(`${checked} ${checked === 1 ? "file" : "files"}: ${count === 0 ? "nothing to change" : `${count} ${count === 1 ? "value" : "values"} ${isCheck ? "would be" : "were"} rewritten in ${changed.length}`}.`);
}
