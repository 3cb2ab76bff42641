import type { Command } from "commander";
import pc from "picocolors";
import { isolatedEvaluator } from "../../../engine/run/expression-worker.ts";
import { previewMapping, type PreviewedRecord, type PreviewProblem } from "../../preview/mapping.ts";
import { print, printJson } from "../output.ts";
import { readInput, readVariable } from "../read-input.ts";
import { collectSet } from "../connection-values.ts";
import { previewFlow, showChange } from "./preview-change.ts";
import { openWorkspace } from "./validate.ts";

export function registerPreview(program: Command): void {
  program.command("preview")
    .description("show what a mapping makes of a record, or the exact request that a flow would send for a change of a row")
    .argument("<mapping>", "its id: hubspot/employer; for a flow the tenant: acme")
    .argument("[flow]", "a tenant's flow from a change, or an action with its input (mail.send): nothing is sent, secrets are masked")
    .requiredOption("--input <file>", "a record (for a flow a row, or { before, after }) as JSON, a list of them, or .jsonl; - reads from a pipe")
    .option("--set <field=value>", "for a flow: a config value of its connection (repeatable)", collectSet, [])
    .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml, else the built-in catalogue)")
    .option("--var <name=value...>", "a variable, $name in the expressions; JSON or text")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  plugboard preview hubspot/employer --input company.json\n  plugboard preview acme invitations --input application.json\nExit codes: 0 every record maps or is filtered, 1 some have errors, 2 wrong usage or unreadable folder")
    .action(async (mapping: string, flow: string | undefined, options: { input: string; workspace?: string; set: readonly string[]; var?: string[]; json?: boolean }) => {
      const located = openWorkspace(options.workspace);
      if (!located) return;
      const input = readInput(options.input);
      if (flow !== undefined) {
        const changes = await previewFlow(located, mapping, flow, Array.isArray(input) ? input : [input], options.set);
        const sendable = changes.every(({ problem, action }) => problem === undefined && action?.problem === undefined);
        if (!sendable) process.exitCode = 1;
        if (options.json) printJson({ ok: sendable, tenant: mapping, flow, changes });
        else changes.forEach((change, index) => { showChange(change, changes.length > 1 ? index + 1 : undefined); });
        return;
      }
      // What is previewed was vouched for by nobody yet: it runs in a thread that can be ended.
      const evaluator = isolatedEvaluator();
      const records = await previewMapping(located.workspace, mapping, Array.isArray(input) ? input : [input], Object.fromEntries((options.var ?? []).map(readVariable)), evaluator).finally(() => evaluator.close());
      const ok = records.every((record) => record.filtered || [record, ...record.fields].every(({ problems }) => problems.every(({ severity }) => severity !== "error")));
      if (!ok) process.exitCode = 1;
      if (options.json) printJson({ ok, mapping, records });
      else records.forEach((record, index) => { show(record, records.length > 1 ? index + 1 : undefined); });
    });
}

function show({ filtered, fields, problems }: PreviewedRecord, number: number | undefined) {
  if (number !== undefined) print(pc.bold(`record ${number}`));
  if (filtered) print(pc.yellow("`where` drops this record; the fields would be:"));
  const width = Math.max(0, ...fields.map(({ field }) => field.length));
  for (const { field, value, type, problems: found } of fields) {
    print(`${field.padEnd(width)}  ${value === undefined ? pc.dim("nothing") : shortened(JSON.stringify(value))}  ${pc.dim(type)}`);
    for (const problem of found) print(`${" ".repeat(width)}  ${line(problem)}`);
  }
  for (const problem of problems) print(line(problem));
}

const line = ({ severity, code, message }: PreviewProblem): string => `${severity === "error" ? pc.red("error") : pc.yellow("warning")}  ${pc.bold(code)}  ${message}`;

const shortened = (text: string): string => (text.length > 100 ? `${text.slice(0, 99)}…` : text);
