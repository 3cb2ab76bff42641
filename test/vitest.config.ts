import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import LongestFirst from "./support/longest-first.ts";

// What is compiled once, in any of the many processes that tests start, is compiled for all of them.
process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("../node_modules/.cache/plugboard-compiled", import.meta.url));

/** The default suite. Long rigs (faults, bench, fuzz) have npm scripts of their own and a short seeded run here. */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    // Browsers, killed processes and a database share two cores here: what takes seconds on a quiet machine may take many.
    testTimeout: 60_000,
    hookTimeout: 180_000,
    // A machine of CI that stands still for a while must not refuse a change; what fails twice is a failure.
    retry: process.env["CI"] ? 1 : 0,
    maxWorkers: 2,
    pool: "forks",
    // Files share their process with those before them, so that the product is loaded twice and not two hundred times: a test
    // gives back what it took (servers, variables of the environment, a clock), and no module keeps what a test said.
    isolate: false,
    sequence: { sequencer: LongestFirst },
  },
});
