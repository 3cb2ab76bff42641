/**
 * Studio, built once for all test files and kept beside the checkout's other caches: a build belongs to the state of the
 * sources that it was made from, so that nobody's server loses its files under its feet.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { projectRoot } from "./command.ts";

const SOURCES = ["studio", "schemas", "engine/errors", "engine/expression", "engine/manifest", "engine/plan", "engine/components", "package-lock.json"];
const CACHE = path.join(projectRoot, "node_modules", ".cache", "plugboard-studio");
/** After which a lock is of a builder that died, in milliseconds. */
const LOCK_IS_OLD = 120_000;
/** Builds that are kept: those of a suite that runs, and of the one before. */
const KEPT = 4;

/** @returns the folder to serve. */
export async function studioForTests(): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  const folder = path.join(CACHE, await stateOfSources());
  if (existsSync(folder)) return folder;
  const lock = `${folder}.lock`;
  while (!(await taken(lock))) {
    if (existsSync(folder)) return folder;
    const at = await stat(lock).then(({ mtimeMs }) => mtimeMs, () => 0);
    if (at !== 0 && Date.now() - at > LOCK_IS_OLD) await rm(lock, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    if (existsSync(folder)) return folder;
    const { build } = await import("vite");
    const made = `${folder}.new`;
    const root = path.join(projectRoot, "studio");
    // As users get it: the test runner's own NODE_ENV would make a development build, slower and with warnings of its own.
    const environment = process.env["NODE_ENV"];
    process.env["NODE_ENV"] = "production";
    await build({ root, configFile: path.join(root, "vite.config.ts"), logLevel: "error", build: { outDir: made, emptyOutDir: true, reportCompressedSize: false } }).finally(() => { process.env["NODE_ENV"] = environment; });
    await rename(made, folder);
    await forgetOld();
    return folder;
  } finally {
    await rm(lock, { force: true });
  }
}

const taken = (lock: string): Promise<boolean> => writeFile(lock, String(process.pid), { flag: "wx" }).then(() => true, () => false);

async function forgetOld(): Promise<void> {
  const builds = await Promise.all((await readdir(CACHE)).filter((name) => !name.includes(".")).map(async (name) => ({ name, at: (await stat(path.join(CACHE, name))).mtimeMs })));
  for (const { name } of builds.toSorted((a, b) => b.at - a.at).slice(KEPT)) await rm(path.join(CACHE, name), { recursive: true, force: true });
}

async function stateOfSources(): Promise<string> {
  const hash = createHash("sha256").update("production\0");
  for (const source of SOURCES) {
    const place = path.join(projectRoot, source);
    const files = (await stat(place)).isDirectory() ? (await readdir(place, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name)) : [place];
    for (const file of files.toSorted()) if (!file.startsWith(path.join(projectRoot, "studio", "dist")) && /\.(?:tsx?|css|html|svg|json|yaml)$/.test(file)) hash.update(path.relative(projectRoot, file)).update("\0").update(await readFile(file)).update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}
