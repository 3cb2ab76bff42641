import type { Command } from "commander";
import pc from "picocolors";
import { explain, type Explained, type Origin } from "../../../engine/plan/index.ts";
import { print, printJson } from "../output.ts";
import { openWorkspace } from "./validate.ts";

interface Options { readonly workspace?: string; readonly json?: boolean }

export function registerExplain(program: Command): void {
  program.command("explain")
    .description("say where a value of a tenant comes from: its file and line, its layer, and what it hides")
    .argument("<tenant>", "the tenant's id")
    .argument("[path]", "a value or a part: flows.learners.from.every, connections.aptem; without it, everything")
    .option("--workspace <dir>", "the workspace (default: the nearest folder upwards with a workspace.yaml)")
    .option("--json", "print one JSON document")
    .action((tenant: string, path: string | undefined, options: Options) => {
      const workspace = openWorkspace(options.workspace)?.workspace;
      if (!workspace) return;
      const explained = explain(workspace, tenant, path);
      if (options.json) printJson({ tenant, path: path ?? "", values: explained });
      else for (const each of explained) for (const line of linesOf(each)) print(line);
    });
}

/** `flows.learners.from.every: 15m`, where that is written, and each value it hides. */
export function linesOf({ path, value, origin }: Explained): string[] {
  return [
    `${pc.bold(path)}: ${shown(value)}`,
    `  ${place(origin)}  ${origin.layer}`,
    ...(origin.shadows ?? []).map((shadow) => `  ${pc.dim("hides")} ${shown(shadow.value)}  ${place(shadow)}  ${shadow.layer}`),
  ];
}

const place = ({ file, line, col }: Pick<Origin, "file" | "line" | "col">): string => pc.cyan(`${file}:${line}:${col}`);

/** Text as it is, unless it would read as something else; everything else as JSON. */
function shown(value: unknown): string {
  return typeof value === "string" && value !== "" && !/^(null|true|false|[\d.]+)$/.test(value) && !value.includes("\n") ? value : JSON.stringify(value);
}
