/**
 * The demo's world: what the stand-in providers hold. It is a pure function of a few lines on disk (a seed, when it began,
 * when it went on), so a restart sees the same world, and so does a person who reports what they saw.
 */
import type { AptemData } from "./providers/aptem.ts";
import type { GreenhouseData } from "./providers/greenhouse.ts";
import type { HubSpotData } from "./providers/hubspot.ts";
import type { WixData } from "./providers/wix.ts";
import { advanceAptem, makeAptemTenant } from "./data/aptem.ts";
import { makeEmployers } from "./data/employers.ts";
import { advanceGreenhouse, makeGreenhouse } from "./data/greenhouse.ts";
import { advanceHubSpot, makeHubSpot } from "./data/hubspot.ts";
import { seeded } from "./data/random.ts";
import { advanceWix, makeWix } from "./data/wix.ts";

export interface DemoWorld { readonly aptem: AptemData; readonly hubspot: HubSpotData; readonly greenhouse: GreenhouseData; readonly wix: WixData }

export interface DemoHistory {
  readonly seed: number;
  /** Instant of the first start: everything in the world happened at least a day before it. */
  readonly begun_at: string;
  /** Instants of the later starts, each of which made a few changes. */
  readonly advanced_at: readonly string[];
}

/**
 * How long before a start its changes were written, in milliseconds. The connectors read only what is at least a minute old
 * (`lag: 1m`), so a change written at the start would wait for the run after; written exactly one lag before, it lies in
 * the window of this run and in no earlier one, as if the providers' indexes had shown it just now.
 */
const WRITTEN_BEFORE = 60_000;

/** Credentials of the stand-ins. They open nothing else. */
export const ACCESS = {
  aptem: { acme: "demo-aptem-acme", brightpath: "demo-aptem-brightpath" },
  hubspot: { portalId: 62_515, token: "demo-hubspot" },
  greenhouse: { clientId: "demo-greenhouse", clientSecret: "demo-greenhouse-secret", userId: 92_120, webhookKey: "demo-greenhouse-webhook" },
  wix: { apiKey: "demo-wix", siteId: "demo-site", instanceId: "demo-instance", name: "Acme Training" },
  /** Of the operator's app at HubSpot: it signs its webhooks with this. */
  hubspotApp: { clientId: "demo-app", clientSecret: "demo-hubspot-app" },
} as const;

/** How many employers HubSpot gains with each advance; set aside so that none is used twice. */
const NEWCOMERS = 2;
const EMPLOYERS = 720;
const KNOWN_TO_HUBSPOT = 600;
const KNOWN_TO_BOTH = 60;
/** Of HubSpot's contacts. */
const KNOWN_TO_WIX = 150;
const FIRST_NEWCOMER = KNOWN_TO_HUBSPOT + 45;

export function makeDemoWorld(history: DemoHistory): DemoWorld {
  const begunAt = Date.parse(history.begun_at);
  const employers = makeEmployers(EMPLOYERS, seeded(history.seed));
  // Sixty employers are known to Acme's Aptem and to its HubSpot; twenty only to Aptem.
  const acme = [...employers.slice(0, KNOWN_TO_BOTH), ...employers.slice(KNOWN_TO_HUBSPOT, KNOWN_TO_HUBSPOT + 20)];
  const brightpath = employers.slice(KNOWN_TO_HUBSPOT + 20, FIRST_NEWCOMER);
  const hubspot = makeHubSpot(ACCESS.hubspot, employers.slice(0, KNOWN_TO_HUBSPOT), 180, begunAt, seeded(history.seed + 3));
  const world: DemoWorld = {
    aptem: {
      tenants: {
        acme: makeAptemTenant({ token: ACCESS.aptem.acme, learners: 1_140, staff: 60, division: true, firstId: 1_000 }, acme, begunAt, seeded(history.seed + 1)),
        brightpath: makeAptemTenant({ token: ACCESS.aptem.brightpath, learners: 285, staff: 15, division: false, firstId: 500 }, brightpath, begunAt, seeded(history.seed + 2)),
      },
    },
    hubspot,
    greenhouse: makeGreenhouse(ACCESS.greenhouse, { jobs: 40, candidates: 300 }, begunAt, seeded(history.seed + 4)),
    wix: makeWix(ACCESS.wix, hubspot.types.contacts!.objects.slice(0, KNOWN_TO_WIX), 20, begunAt, seeded(history.seed + 5)),
  };
  for (const [index, at] of history.advanced_at.entries()) advance(world, index, Date.parse(at), history.seed, employers);
  return world;
}

function advance(world: DemoWorld, index: number, at: number, seed: number, employers: ReturnType<typeof makeEmployers>): void {
  const random = seeded(seed + 1_000 * (index + 1));
  const writtenAt = at - WRITTEN_BEFORE;
  advanceAptem(world.aptem, "acme", { learners: 12, organizations: 1, newcomers: 1 }, writtenAt, random);
  advanceAptem(world.aptem, "brightpath", { learners: 4, organizations: 1, newcomers: 0 }, writtenAt, random);
  const first = FIRST_NEWCOMER + NEWCOMERS * index;
  advanceHubSpot(world.hubspot, employers.slice(first, first + NEWCOMERS), writtenAt, random);
  advanceGreenhouse(world.greenhouse, writtenAt, random);
  advanceWix(world.wix, writtenAt, random);
}
