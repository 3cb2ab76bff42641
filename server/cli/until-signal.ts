/** Ends a long-running command well: the first SIGTERM or Ctrl-C asks, the second one insists. */
import { say } from "./output.ts";

/** Resolves with the first signal. A second one ends the process at once; what was under way is taken up by the next start. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    const hear = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(130);
      asked = true;
      resolve(signal);
    };
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, hear);
  });
}

/** Trouble that passes by itself, told once in a while: a database that is away fails every statement of every second. */
export function passingTrouble(): (cause: Error) => void {
  const told = new Map<string, number>();
  return (cause) => {
    const now = Date.now();
    if (now - (told.get(cause.message) ?? 0) < 10_000) return;
    if (told.size > 100) told.clear();
    told.set(cause.message, now);
    say(`${new Date(now).toISOString()}  ${cause.message}`);
  };
}
