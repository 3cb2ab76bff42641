/** The demo: stand-in providers with a small world of data, a workspace that points at them, and what was entered when connecting. */
import path from "node:path";
import { makeDemoWorld, type DemoWorld } from "./data.ts";
import { PROVIDERS, readMemory, writeMemory, type DemoMemory, type ProviderName } from "./memory.ts";
import { startProvider as startAptem } from "./providers/aptem.ts";
import { startProvider as startGreenhouse } from "./providers/greenhouse.ts";
import { startProvider as startHubSpot } from "./providers/hubspot.ts";
import type { StandIn, StandInOptions } from "./providers/kernel.ts";
import { DEMO_FLOWS, demoCredentials, makeDemoWorkspace, type DemoConnection } from "./workspace.ts";

const SEED = 20_261_121;
/** A lag that search really has, well below the minute that the connector allows for. */
const HUBSPOT_SEARCH_LAG = 5_000;

export interface Demo {
  /** The workspace: a Git repository. */
  readonly workspaceDir: string;
  readonly connections: readonly DemoConnection[];
  /** The flows that must succeed. */
  readonly flows: readonly { readonly tenant: string; readonly flow: string }[];
  readonly providers: Readonly<Record<ProviderName, StandIn>>;
  /** What the providers hold, for those who compare. */
  readonly world: DemoWorld;
  /** 0 on the first start; each later one changed a few records. */
  readonly advances: number;
  close(): Promise<void>;
}

export interface DemoOptions {
  /** Where everything of the demo lives: `<folder>/demo.json`, `<folder>/workspace`. */
  readonly folder: string;
  readonly log: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** @throws the listen error of node:net when no port of loopback can be had. */
export async function startDemo({ folder, log, now = Date.now }: DemoOptions): Promise<Demo> {
  const memory = await goOn(folder, now());
  const world = makeDemoWorld(memory);
  const begin: Record<ProviderName, (options: StandInOptions) => Promise<StandIn>> = {
    aptem: (options) => startAptem({ ...options, data: world.aptem }),
    hubspot: (options) => startHubSpot({ ...options, data: world.hubspot, searchLagMilliseconds: HUBSPOT_SEARCH_LAG }),
    greenhouse: (options) => startGreenhouse({ ...options, data: world.greenhouse }),
  };
  const providers = {} as Record<ProviderName, StandIn>;
  for (const name of PROVIDERS) providers[name] = await onPort(begin[name], memory.ports[name], now);

  const ports = Object.fromEntries(PROVIDERS.map((name) => [name, providers[name].port]));
  await writeMemory(folder, { ...memory, ports });
  const workspaceDir = path.join(folder, "workspace");
  const { changed, leftAlone } = await makeDemoWorkspace(workspaceDir, { aptem: providers.aptem.url, hubspot: providers.hubspot.url, greenhouse: providers.greenhouse.url });
  for (const file of leftAlone) log(`demo workspace: ${file} was changed by hand and is left alone; the stand-ins are at ${PROVIDERS.map((name) => `${name} ${providers[name].url}`).join(", ")}`);
  if (changed.length > 0) log(`demo workspace: ${changed.length} files committed`);
  return {
    workspaceDir, connections: demoCredentials(), flows: DEMO_FLOWS, providers, world, advances: memory.advanced_at.length,
    async close() {
      await Promise.all(PROVIDERS.map((name) => providers[name].close()));
      await writeMemory(folder, { ...memory, ports, closed_at: new Date(now()).toISOString() });
    },
  };
}

/** The first start begins the world; each later one lets it go on a little. */
async function goOn(folder: string, now: number): Promise<DemoMemory> {
  const memory = await readMemory(folder);
  if (memory === undefined) return { seed: SEED, begun_at: new Date(now).toISOString(), advanced_at: [], ports: {} };
  // Not at this very moment: providers date their answers by the second, and a window ends where that second began.
  const at = Math.max(now - 1_500, Date.parse(memory.closed_at ?? memory.begun_at));
  const { closed_at: _, ...kept } = memory;
  return { ...kept, advanced_at: [...memory.advanced_at, new Date(at).toISOString()] };
}

/** The remembered port where it is still free, else any. */
async function onPort(begin: (options: StandInOptions) => Promise<StandIn>, port: number | undefined, now: () => number): Promise<StandIn> {
  try {
    return await begin({ port: port ?? 0, now });
  } catch (thrown) {
    if (port === undefined || (thrown as NodeJS.ErrnoException).code !== "EADDRINUSE") throw thrown;
    return await begin({ port: 0, now });
  }
}
