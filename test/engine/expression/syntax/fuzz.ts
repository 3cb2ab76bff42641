/**
 * `npm run fuzz:syntax [-- COUNT SEED]`: made expressions print back byte for byte, and mean what the reference says, or fail
 * where it fails. Prints the seed, so that a failure can be seen again. The default suite runs a short one.
 */
import { differenceFromReference } from "./against-reference.ts";
import { madeExpressions } from "./made-expressions.ts";
import { parse } from "../../../../engine/expression/syntax/index.ts";

export interface FuzzResult {
  readonly checked: number;
  /** How many of them are expressions. */
  readonly valid: number;
  readonly failures: readonly string[];
}

export function fuzz(count: number, seed: number): FuzzResult {
  const failures: string[] = [];
  const made = madeExpressions(seed);
  let valid = 0;
  for (let checked = 0; checked < count; checked++) {
    const text = made.next().value;
    const difference = differenceFromReference(text);
    if (difference !== undefined) failures.push(`${JSON.stringify(text)}\n${difference}`);
    if (parse(text).problems.length === 0) valid++;
  }
  return { checked: count, valid, failures };
}

if (import.meta.main) {
  const [count = 100_000, seed = Date.now() % 1_000_000] = process.argv.slice(2).map(Number);
  const started = performance.now();
  const { valid, failures } = fuzz(count, seed);
  for (const failure of failures.slice(0, 20)) console.error(`${failure}\n`);
  console.log(`fuzz:syntax seed ${seed}: ${count} made, ${valid} valid, ${failures.length} differ, ${((performance.now() - started) / 1000).toFixed(1)} s`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}
