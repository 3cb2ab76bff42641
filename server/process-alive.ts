import { readFileSync } from "node:fs";

/** Whether a process of this machine still works. A killed one that its parent has not collected yet answers to signals, and is dead. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    // Linux: `pid (name) state …`; the name may hold anything, so the state is looked for behind the last bracket.
    return !/\)\s+[ZX]\s[^)]*$/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
