/** The demo: stand-in providers with a small world of data, a workspace that points at them, and what was entered when connecting. */
import path from "node:path";
import { ACCESS, makeDemoWorld, type DemoWorld } from "./data.ts";
import { goLive, type LiveOptions } from "./live.ts";
import { PROVIDERS, readMemory, writeMemory, type DemoMemory, type ProviderName } from "./memory.ts";
import { startProvider as startAptem } from "./providers/aptem.ts";
import { startProvider as startGreenhouse, type GreenhouseStandIn } from "./providers/greenhouse.ts";
import { createGreenhouseWebhooks } from "./providers/greenhouse-hooks.ts";
import { startProvider as startHubSpot, type HubSpotStandIn } from "./providers/hubspot.ts";
import { createHubSpotWebhooks } from "./providers/hubspot-app.ts";
import type { StandIn, StandInOptions } from "./providers/kernel.ts";
import { startProvider as startWix, type WixStandIn } from "./providers/wix.ts";
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
  readonly providers: DemoProviders;
  /** What the providers hold, for those who compare. */
  readonly world: DemoWorld;
  /** 0 on the first start; each later one changed a few records. */
  readonly advances: number;
  /** From now on the providers tell a server that listens what happens there, and something happens now and then. */
  live(options: LiveOptions): Promise<void>;
  close(): Promise<void>;
}

export interface DemoProviders { readonly aptem: StandIn; readonly hubspot: HubSpotStandIn; readonly greenhouse: GreenhouseStandIn; readonly wix: WixStandIn }

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
  const [hubspotApp, greenhouseHooks] = [createHubSpotWebhooks({ clientSecret: ACCESS.hubspotApp.clientSecret }), createGreenhouseWebhooks()];
  /** Its redirect address is registered once the server has one. */
  const redirectUris: string[] = [];
  const app = { ...ACCESS.hubspotApp, redirectUris, scopes: ["crm.objects.companies.read", "crm.objects.companies.write", "crm.objects.contacts.read", "crm.objects.contacts.write"] };
  const on = <Started>(name: ProviderName, begin: (options: StandInOptions) => Promise<Started>): Promise<Started> => onPort(begin, memory.ports[name], now);
  const providers: DemoProviders = {
    aptem: await on("aptem", (options) => startAptem({ ...options, data: world.aptem })),
    hubspot: await on("hubspot", (options) => startHubSpot({ ...options, data: { ...world.hubspot, app }, searchLagMilliseconds: HUBSPOT_SEARCH_LAG, webhooks: hubspotApp })),
    greenhouse: await on("greenhouse", (options) => startGreenhouse({ ...options, data: world.greenhouse, webhooks: greenhouseHooks })),
    wix: await on("wix", (options) => startWix({ ...options, data: world.wix })),
  };
  let rest = (): void => {};

  const ports = Object.fromEntries(PROVIDERS.map((name) => [name, providers[name].port]));
  await writeMemory(folder, { ...memory, ports });
  const workspaceDir = path.join(folder, "workspace");
  const { changed, leftAlone } = await makeDemoWorkspace(workspaceDir, { aptem: providers.aptem.url, hubspot: providers.hubspot.url, greenhouse: providers.greenhouse.url, wix: providers.wix.url });
  for (const file of leftAlone) log(`demo workspace: ${file} was changed by hand and is left alone; the stand-ins are at ${PROVIDERS.map((name) => `${name} ${providers[name].url}`).join(", ")}`);
  if (changed.length > 0) log(`demo workspace: ${changed.length} files committed`);
  return {
    workspaceDir, connections: demoCredentials(), flows: DEMO_FLOWS, providers, world, advances: memory.advanced_at.length,
    async live(options) {
      // By whichever of its names the browser knows this computer.
      redirectUris.splice(0, redirectUris.length, ...new Set([options.address, options.address.replace("127.0.0.1", "localhost")].map((address) => `${address}/oauth/callback`)));
      rest = await goLive({ world, hubspot: providers.hubspot, hubspotApp, greenhouse: providers.greenhouse, greenhouseHooks, wix: providers.wix }, options);
    },
    async close() {
      rest();
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
async function onPort<Started>(begin: (options: StandInOptions) => Promise<Started>, port: number | undefined, now: () => number): Promise<Started> {
  try {
    return await begin({ port: port ?? 0, now });
  } catch (thrown) {
    if (port === undefined || (thrown as NodeJS.ErrnoException).code !== "EADDRINUSE") throw thrown;
    return await begin({ port: 0, now });
  }
}
