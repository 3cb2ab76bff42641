// Runs on whatever Node the machine has (≥ 20), before anything is installed: plain JavaScript, no dependency.
// Installs what package-lock.json names when node_modules is missing or another, so that `npm start` and `npm test`
// are the only two commands a fresh machine needs. All output goes to stderr: stdout belongs to the command.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import path from "node:path";

const root = fileURLToPath(new URL("..", import.meta.url));
const lock = path.join(root, "package-lock.json");
const installed = path.join(root, "node_modules", ".package-lock.json");

export function installIfNeeded() {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < 20) fail(`Plugboard needs Node 20 or newer to start; this is Node ${process.versions.node}.`);
  if (!existsSync(lock) || isFresh()) return;
  process.stderr.write("plugboard: installing dependencies (once, about 20 s) …\n");
  const npm = process.env.npm_execpath;
  // The engine warnings of npm on Node 20 are noise here: the pinned Node 24 runs everything, npm only installs.
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const options = { cwd: root, stdio: ["ignore", 2, 2] };
  const result = npm?.endsWith(".js") ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync(process.platform === "win32" ? "npm.cmd" : "npm", args, { ...options, shell: process.platform === "win32" });
  if (result.error) fail(`npm could not be started: ${result.error.message}`);
  if (result.status !== 0) fail("`npm ci` failed; its messages are above. Nothing was started.");
}

/**
 * npm writes node_modules/.package-lock.json last, so it is there only after a complete install. It must hold the very
 * versions of package-lock.json; what is missing must be optional (the binaries of other platforms). Times say nothing:
 * git sets them as it likes.
 */
function isFresh() {
  const node = path.join(root, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");
  if (!existsSync(installed) || !existsSync(node)) return false;
  const [wanted, present] = [lock, installed].map((file) => JSON.parse(readFileSync(file, "utf8")).packages);
  return Object.entries(wanted).every(([name, { version, optional, devOptional, peer }]) =>
    name === "" || (present[name] ? present[name].version === version : Boolean(optional || devOptional || peer)));
}

function fail(message) {
  process.stderr.write(`plugboard: ${message}\n`);
  process.exit(1);
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) installIfNeeded();
