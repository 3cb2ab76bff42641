/** Runs the command line as a user does: a process of its own, in a folder of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = path.join(projectRoot, "server", "cli", "main.ts");

export interface Finished { readonly code: number | null; readonly stdout: string; readonly stderr: string }

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Finished>;
  /** Resolves when the text was printed, on either stream; rejects when the process ends without it. */
  printed(text: string): Promise<void>;
}

/** The caller's environment without what would point at another database or port. */
function environment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { DATABASE_URL: _, DATABASE_URL_MIGRATE: _m, PORT: __, PLUGBOARD_KEK: ___, PLUGBOARD_KEK_OLD: ____, PLUGBOARD_SECRETS_DIR: _____, ...rest } = process.env;
  return { ...rest, NO_COLOR: "1", ...extra };
}

export function startCommand(args: readonly string[], options: { cwd: string; env?: Readonly<Record<string, string>> }): Started {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: options.cwd, env: environment(options.env ?? {}), stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  const waiting = new Set<() => void>();
  const told = (): void => { for (const look of waiting) look(); };
  child.stdout.on("data", (chunk: Buffer) => { stdout += chunk.toString(); told(); });
  child.stderr.on("data", (chunk: Buffer) => { stderr += chunk.toString(); told(); });
  const ended = new Promise<Finished>((resolve) => { child.on("close", (code) => resolve({ code, stdout, stderr })); });
  return {
    child, ended,
    printed: (text) => new Promise((resolve, reject) => {
      const look = (): void => {
        if (!stdout.includes(text) && !stderr.includes(text)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void ended.then(({ code }) => { if (waiting.has(look)) reject(new Error(`it ended with ${code} and never printed '${text}':\n${stdout}\n${stderr}`)); });
    }),
  };
}

export const runCommand = (args: readonly string[], options: { cwd: string; env?: Readonly<Record<string, string>> }): Promise<Finished> => startCommand(args, options).ended;
