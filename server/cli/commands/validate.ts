import type { Command } from "commander";
import pc from "picocolors";
import { PlugboardError, type Problem } from "../../../engine/errors/plugboard-error.ts";
import { problemJson, renderProblems } from "../../../engine/errors/render.ts";
import { read, runMappingTests, validateWorkspace, withTests, type Workspace } from "../../../engine/manifest/index.ts";
import { notTold, resolveAll, resolvePlan } from "../../../engine/plan/index.ts";
import { locateWorkspace, readWorkspace, type LocatedWorkspace } from "../../workspace/locate.ts";
import { fail, print, printJson } from "../output.ts";

export function registerValidate(program: Command): void {
  program.command("validate")
    .description("check every manifest, reference, expression and mapping test; needs no database")
    .argument("[dir]", "the workspace (default: the nearest folder upwards with a workspace.yaml, else the built-in catalogue)")
    .option("--json", "print one JSON document")
    .option("--no-warnings", "leave warnings out")
    .addHelpText("after", "\nExit codes: 0 no errors, 1 errors found, 2 wrong usage or unreadable folder")
    .action(async (dir: string | undefined, options: { json?: boolean; warnings: boolean }) => {
      const located = openWorkspace(dir);
      if (!located) return;
      const { workspace } = located;
      const told = allProblems(workspace);
      const tests = await runMappingTests(workspace, told);
      const all = withTests(told, tests);
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

/** What only a plan can know. Its other problems follow from manifests, and are told where those are right. */
const ONLY_PLANNED = /^PLAN_(LOCKED|FORBIDDEN_OVERRIDE|SAME_AS_PRESET|CYCLE)$/;

/** Problems of the manifests, then those of every tenant's and preset's plan that were not told yet. */
export function allProblems(workspace: Workspace): Problem[] {
  const told = validateWorkspace(workspace);
  const planned = notTold([...resolveAll(workspace).problems, ...[...workspace.presets.keys()].flatMap((id) => problemsOfPreset(workspace, id))], told);
  const isRight = told.every(({ severity }) => severity !== "error");
  return [...told, ...(isRight ? planned : planned.filter(({ code }) => ONLY_PLANNED.test(code)))];
}

/** Of a preset that no tenant has yet: planned for one that says nothing else. */
function problemsOfPreset(workspace: Workspace, preset: string): Problem[] {
  const id = "preset";
  const { tenants } = read([{ layer: "workspace", label: "", files: new Map([[`tenants/${id}.yaml`, `tenant: ${id}\npreset: ${preset}\n`]]) }]);
  const { problems } = resolvePlan({ ...workspace, tenants }, id);
  return problems.filter(({ at }) => at?.file !== `tenants/${id}.yaml`);
}

/** Reads the workspace of a folder over the built-in catalogue; says why and sets exit code 2 when it cannot be read. */
export function openWorkspace(dir: string | undefined): LocatedWorkspace | undefined {
  try {
    return readWorkspace(locateWorkspace(dir, process.cwd()), process.cwd());
  } catch (thrown) {
    if (!(thrown instanceof PlugboardError)) throw thrown;
    fail(thrown);
    process.exitCode = 2;
    return undefined;
  }
}
