import path from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { PlugboardError, type Problem } from "../../../engine/errors/plugboard-error.ts";
import { problemJson, renderProblems } from "../../../engine/errors/render.ts";
import { read, runMappingTests, validateWorkspace, type Workspace } from "../../../engine/manifest/index.ts";
import { findWorkspace, PRODUCT_ROOT, readTrees } from "../../workspace/read-tree.ts";
import { fail, print, printJson, say } from "../output.ts";

export function registerValidate(program: Command): void {
  program.command("validate")
    .description("check every manifest, reference, expression and mapping test; needs no database")
    .argument("[dir]", "the workspace (default: the nearest folder upwards with a workspace.yaml, else the built-in catalogue)")
    .option("--json", "print one JSON document")
    .option("--no-warnings", "leave warnings out")
    .addHelpText("after", "\nExit codes: 0 no errors, 1 errors found, 2 wrong usage or unreadable folder")
    .action(async (dir: string | undefined, options: { json?: boolean; warnings: boolean }) => {
      const workspace = openWorkspace(dir);
      if (!workspace) return;
      const tests = await runMappingTests(workspace);
      const all = [...validateWorkspace(workspace), ...tests.flatMap(({ problem }) => problem ?? [])];
      const problems = options.warnings ? all : all.filter(({ severity }) => severity === "error");
      const errors = problems.filter(({ severity }) => severity === "error").length;
      if (options.json) printJson({ ok: errors === 0, errors, warnings: problems.length - errors, files: workspace.files.size, tests: { passed: tests.filter(({ passed }) => passed).length, failed: tests.filter(({ passed }) => !passed).length }, problems: problems.map(problemJson) });
      else {
        print(renderProblems(problems, { colour: pc.isColorSupported && process.stdout.isTTY === true, textOf: (file) => workspace.files.get(file), checked: workspace.files.size }));
        if (tests.length > 0) print(`${tests.filter(({ passed }) => passed).length} of ${tests.length} mapping tests passed.`);
      }
      if (errors > 0) process.exitCode = 1;
    });
}

/** Reads the workspace of a folder over the built-in catalogue; says why and sets exit code 2 when it cannot be read. */
export function openWorkspace(dir: string | undefined): Workspace | undefined {
  const folder = dir ?? findWorkspace(process.cwd()) ?? PRODUCT_ROOT;
  const label = dir === undefined || path.isAbsolute(dir) ? path.relative(process.cwd(), folder) : path.normalize(dir);
  try {
    return read(readTrees(folder, label === "." || label.startsWith(`..${path.sep}..`) ? "" : label.split(path.sep).join("/")));
  } catch (thrown) {
    if (!(thrown instanceof PlugboardError)) throw thrown;
    fail(thrown);
    if (thrown.code === "MANIFEST_UNREADABLE" && dir !== undefined) say(`  usage: plugboard validate [dir]`);
    process.exitCode = 2;
    return undefined;
  }
}

export const countErrors = (problems: readonly Problem[]): number => problems.filter(({ severity }) => severity === "error").length;
