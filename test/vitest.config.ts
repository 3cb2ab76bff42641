import { defineConfig } from "vitest/config";

/** The default suite. Long rigs (faults, bench, fuzz) have npm scripts of their own and a short seeded run here. */
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    pool: "forks",
  },
});
