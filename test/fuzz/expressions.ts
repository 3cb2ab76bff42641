/** `npm run fuzz:expressions -- --count 100000 --seed 1`: hostile expressions against their limits; exits 1 when one got away. */
import { parseArgs } from "node:util";
import { fuzzExpressions } from "./run-expressions.ts";

const { values } = parseArgs({ options: { count: { type: "string", default: "100000" }, seed: { type: "string", default: "1" } } });
const report = await fuzzExpressions(Number(values.count), Number(values.seed), (done) => process.stderr.write(`\r${done} of ${values.count}`));
process.stderr.write("\n");
console.log(JSON.stringify(report, undefined, 2));
process.exitCode = report.failures.length > 0 ? 1 : 0;
