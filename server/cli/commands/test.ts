import type { Command } from "commander";
import pc from "picocolors";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { renderProblems } from "../../../engine/errors/render.ts";
import { read, runMappingTests, validateWorkspace, type Workspace } from "../../../engine/manifest/index.ts";
import { resolvePlan, type ConnectorPlan } from "../../../engine/plan/index.ts";
import { runConnectorTest, type ConnectorTest } from "../../../engine/run/replay.ts";
import type { LocatedWorkspace } from "../../workspace/locate.ts";
import { print, printJson, say } from "../output.ts";
import { openWorkspace } from "./validate.ts";

/** One test of a mapping or a connector. */
export interface TestOutcome { readonly of: string; readonly kind: "mapping" | "connector"; readonly name: string; readonly passed: boolean; readonly failures: readonly string[]; readonly file?: string; readonly line?: number }

export function registerTest(program: Command): void {
  program.command("test")
    .description("run the tests inside mappings, and connectors' tests.yaml against their recorded exchanges")
    .argument("[dir]", "the workspace (default: the nearest folder upwards with a workspace.yaml, else the built-in catalogue)")
    .option("--only <name>", "only what starts with it: a connector's id, or a mapping's (hubspot, hubspot/employer)")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExit codes: 0 all passed, 1 some failed or manifests have errors, 2 wrong usage or unreadable folder")
    .action(async (dir: string | undefined, options: { only?: string; json?: boolean }) => {
      const located = openWorkspace(dir);
      if (!located) return;
      const errors = validateWorkspace(located.workspace).filter(({ severity }) => severity === "error");
      if (errors.length > 0) say(renderProblems(errors, { colour: pc.isColorSupported && process.stderr.isTTY === true, textOf: (file) => located.workspace.files.get(file) }));
      const isAsked = (name: string): boolean => options.only === undefined || name === options.only || name.startsWith(`${options.only}/`);
      const outcomes = (await runTests(located)).filter(({ of }) => isAsked(of));
      const failed = outcomes.filter(({ passed }) => !passed);
      if (options.json) printJson({ ok: failed.length === 0 && errors.length === 0, errors: errors.length, passed: outcomes.length - failed.length, failed: failed.length, tests: outcomes });
      else show(outcomes);
      if (failed.length > 0 || errors.length > 0) process.exitCode = 1;
    });
}

function show(outcomes: readonly TestOutcome[]): void {
  for (const of of new Set(outcomes.map((outcome) => outcome.of))) {
    print(pc.bold(of));
    for (const outcome of outcomes.filter((each) => each.of === of)) {
      print(`  ${outcome.passed ? pc.green("passed") : pc.red("failed")}  ${outcome.name}`);
      for (const failure of outcome.failures) print(`          ${outcome.file === undefined ? "" : `${outcome.file}:${outcome.line}  `}${failure}`);
    }
  }
  const failed = outcomes.filter(({ passed }) => !passed).length;
  print(outcomes.length === 0 ? "There are no tests." : `${outcomes.length - failed} of ${outcomes.length} tests passed.`);
}

export async function runTests(located: LocatedWorkspace): Promise<TestOutcome[]> {
  const mappings = (await runMappingTests(located.workspace)).map(({ mapping, name, passed, problem }): TestOutcome => ({
    of: mapping, kind: "mapping", name, passed, failures: problem ? [String(problem.params.detail)] : [], ...(problem?.at ? { file: problem.at.file, line: problem.at.line } : {}),
  }));
  const connectors: TestOutcome[] = [];
  for (const [id, manifests] of located.workspace.tests) {
    for (const manifest of manifests) {
      // The catalogue's tests are of the catalogue's connector, whatever a workspace lays over it.
      const connector = connectorAlone(located.trees.filter(({ layer }) => layer === "catalogue" || manifest.layer === "workspace"), id);
      for (const [index, test] of (manifest.value.tests as unknown as readonly ConnectorTest[]).entries()) {
        const { line } = manifest.locate(`/tests/${index}`);
        const failures = connector ? await failuresOf(test, connector, id, located.workspace) : [`connector '${id}' cannot be planned: run plugboard validate`];
        connectors.push({ of: id, kind: "connector", name: String(test.name), passed: failures.length === 0, failures, ...(failures.length > 0 ? { file: manifest.file, line } : {}) });
      }
    }
  }
  return [...connectors, ...mappings];
}

async function failuresOf(test: ConnectorTest, connector: ConnectorPlan, id: string, workspace: Workspace): Promise<readonly string[]> {
  try {
    return (await runConnectorTest(test, { connector, read: (path) => workspace.attachments.get(`connectors/${id}/${path}`) })).failures;
  } catch (thrown) {
    if (thrown instanceof PlugboardError) return [thrown.message];
    throw thrown;
  }
}

/** The connector as a tenant that only has it sees it: compiled like any other. */
function connectorAlone(trees: LocatedWorkspace["trees"], id: string): ConnectorPlan | undefined {
  const tenant = "connector-test";
  const manifest = JSON.stringify({ tenant, title: "Connector test", connections: { [id]: { connector: id } } });
  const workspace = read([...trees, { layer: "workspace", label: "", files: new Map([[`tenants/${tenant}.yaml`, manifest]]) }]);
  return resolvePlan(workspace, tenant).plan.connectors[id];
}
