/**
 * `npm run conformance -- DIR [--eval] [--all]`: runs a folder of cases (see corpus.ts) against our evaluation, and prints a
 * table by group. Values and error codes must be equal, and every expression must print back byte for byte. Exits with 1 when
 * a case fails. `--eval` allows `$eval`; `--all` lists every failure, not the first twenty.
 */
import { parseArgs } from "node:util";
import { readCorpus } from "./corpus.ts";
import { runCase, type Outcome } from "./run-case.ts";

const { positionals: [folder], values } = parseArgs({
  allowPositionals: true, options: { eval: { type: "boolean", default: false }, all: { type: "boolean", default: false } },
});
if (folder === undefined) {
  console.error("usage: npm run conformance -- DIR [--eval] [--all]");
  process.exit(2);
}

const started = performance.now();
const outcomes: Outcome[] = [];
for (const one of readCorpus(folder)) outcomes.push(await runCase(one, { evalAllowed: values.eval }));

const groups = Map.groupBy(outcomes, ({ group }) => group);
console.log(`${"group".padEnd(36)}  cases  passed`);
for (const [group, of] of groups) {
  const passed = of.filter(({ failure }) => failure === undefined).length;
  console.log(`${group.padEnd(36)}  ${String(of.length).padStart(5)}  ${String(passed).padStart(6)}${passed < of.length ? "  ← " + (of.length - passed) + " failed" : ""}`);
}
const failed = outcomes.filter(({ failure }) => failure !== undefined);
for (const { name, expression, failure } of values.all ? failed : failed.slice(0, 20)) console.log(`\n${name}\n  ${expression}\n  ${failure}`);
console.log(`\n${outcomes.length - failed.length} of ${outcomes.length} cases pass in ${((performance.now() - started) / 1000).toFixed(1)} s${values.eval ? "" : " ($eval off)"}`);
process.exitCode = failed.length > 0 || outcomes.length === 0 ? 1 : 0;
