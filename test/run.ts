/**
 * `npm test`: generated files are current, types hold, the rooms' walls stand, the suite passes. All of it runs, also after
 * a failure, so that one run shows everything; the last line counts, and the exit code is 0 only when nothing failed.
 * Arguments go to vitest: `npm test -- test/engine/plan`.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string): string => path.join(root, "node_modules", ".bin", name);

interface Step { readonly name: string; readonly command: readonly string[] }

const filters = process.argv.slice(2);
const folder = await mkdtemp(path.join(tmpdir(), "plugboard-test-"));
const report = path.join(folder, "vitest.json");
const steps: readonly Step[] = [
  { name: "generated files are current (npm run gen)", command: [process.execPath, "schemas/gen.ts", "--check"] },
  { name: "types hold (npm run typecheck)", command: [bin("tsc"), "--noEmit"] },
  { name: "Studio's types hold", command: [bin("tsc"), "--noEmit", "-p", "studio"] },
  { name: "the rooms' walls stand (npm run lint)", command: [bin("oxlint"), "--deny-warnings"] },
];

let passed = 0;
let failed = 0;
let skipped = 0;
if (filters.length === 0) {
  for (const step of steps) {
    const ok = await run(step.command);
    console.log(`${ok ? "✓" : "✗"} ${step.name}`);
    if (ok) passed += 1;
    else failed += 1;
  }
}

const suite = await run([bin("vitest"), "run", "--config", "test/vitest.config.ts", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...filters]);
try {
  const counts = JSON.parse(await readFile(report, "utf8")) as { numPassedTests: number; numFailedTests: number; numPendingTests: number; numTodoTests: number; testResults: { status: string; assertionResults: unknown[] }[] };
  passed += counts.numPassedTests;
  skipped += counts.numPendingTests + counts.numTodoTests;
  // A file that does not load has no failing test to count: it is one failure of its own.
  failed += counts.numFailedTests + counts.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
} catch {
  failed += 1;
  console.log("✗ the suite wrote no report: it did not run to its end");
}
if (!suite && failed === 0) failed += 1;
await rm(folder, { recursive: true, force: true });

console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);

/** True when the command exits with 0. Its output is ours. */
function run(command: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command[0]!, command.slice(1), { cwd: root, stdio: "inherit", env: { ...process.env, NO_COLOR: process.env.NO_COLOR ?? "1" } });
    child.on("error", (error) => { console.log(String(error)); resolve(false); });
    child.on("exit", (code) => resolve(code === 0));
  });
}
