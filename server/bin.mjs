#!/usr/bin/env node
// The `plugboard` command. In a checkout it runs server/cli/main.ts on the pinned Node 24, without a build step; in an
// installed package (Node strips no types inside node_modules) it runs the compiled dist/server/cli/main.js.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import path from "node:path";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = path.join(root, "server", "cli", "main.ts");
const compiled = path.join(root, "dist", "server", "cli", "main.js");
const entry = existsSync(source) ? source : compiled;

if (entry === source) (await import("./bootstrap.mjs")).installIfNeeded();

const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 24 || (major === 24 && minor >= 0)) {
  process.argv[1] = entry;
  await import(entry);
} else {
  const child = spawn(pinnedNode(), [entry, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => (signal ? process.kill(process.pid, signal) : process.exit(code ?? 1)));
}

function pinnedNode() {
  const local = path.join(root, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");
  if (existsSync(local)) return local;
  try {
    return createRequire(import.meta.url).resolve("node/bin/node");
  } catch {
    process.stderr.write(`plugboard needs Node 24 or newer; this is Node ${process.versions.node}. Install it, or run \`npm i node@24\` beside plugboard.\n`);
    process.exit(1);
  }
}
