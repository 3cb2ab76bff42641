import { defineConfig } from "vitest/config";
import LongestFirst from "./support/longest-first.ts";

/** The default suite. Long rigs (faults, bench, fuzz) have npm scripts of their own and a short seeded run here. */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    // Browsers, killed processes and a database share two cores here: what takes seconds on a quiet machine may take many.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // A machine of CI that stands still for a while must not refuse a change; what fails three times is a failure.
    retry: process.env["CI"] ? 2 : 0,
    maxWorkers: 2,
    pool: "forks",
    sequence: { sequencer: LongestFirst },
  },
});
