/** What the demo remembers between starts, in one small file: its history and the ports of its providers. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import type { DemoHistory } from "./data.ts";

export const PROVIDERS = ["aptem", "hubspot", "greenhouse", "wix"] as const;
export type ProviderName = (typeof PROVIDERS)[number];

export interface DemoMemory extends DemoHistory {
  /** So that the workspace's URLs, and with them its commits, stay the same from start to start. */
  readonly ports: Partial<Record<ProviderName, number>>;
  /** When the providers last stopped, if they stopped in good order. */
  readonly closed_at?: string;
}

/** Undefined when there is none, or when it cannot be read: the demo then begins anew. */
export async function readMemory(folder: string): Promise<DemoMemory | undefined> {
  try {
    const memory = JSON.parse(await readFile(file(folder), "utf8")) as Partial<DemoMemory>;
    const valid = Number.isInteger(memory.seed) && Number.isFinite(Date.parse(memory.begun_at ?? "")) && Array.isArray(memory.advanced_at) && typeof memory.ports === "object";
    return valid ? memory as DemoMemory : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all: a power cut leaves the old file. */
export async function writeMemory(folder: string, memory: DemoMemory): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(`${file(folder)}.new`, `${JSON.stringify(memory, null, 2)}\n`);
  await rename(`${file(folder)}.new`, file(folder));
}

const file = (folder: string): string => path.join(folder, "demo.json");
