/** While the demo is up: addresses for its providers' webhooks, and people who change something there now and then. */
import { PLATFORM, rotateEndpoint, setConnection, type Database, type EndpointName, type Keyring } from "../../engine/store/index.ts";
import { seeded, type Random } from "./data/random.ts";
import { ACCESS, type DemoWorld } from "./data.ts";
import type { GreenhouseStandIn } from "./providers/greenhouse.ts";
import type { GreenhouseWebhooks } from "./providers/greenhouse-hooks.ts";
import type { HubSpotStandIn } from "./providers/hubspot.ts";
import type { HubSpotWebhooks } from "./providers/hubspot-app.ts";
import type { WixStandIn } from "./providers/wix.ts";

export interface LiveOptions {
  readonly db: Database;
  readonly keyring: Keyring;
  /** Where the server listens: `http://127.0.0.1:4400`. */
  readonly address: string;
  /** @default 15 */
  readonly everySeconds?: number;
}

export interface LiveParts {
  readonly world: DemoWorld;
  readonly hubspot: HubSpotStandIn;
  readonly hubspotApp: HubSpotWebhooks;
  readonly greenhouse: GreenhouseStandIn;
  readonly greenhouseHooks: GreenhouseWebhooks;
  readonly wix: WixStandIn;
}

const BY = "plugboard start";
const FIRST_SECONDS = 3;

/** @returns what ends it. */
export async function goLive({ world, hubspot, hubspotApp, greenhouse, greenhouseHooks, wix }: LiveParts, { db, keyring, address, everySeconds = 15 }: LiveOptions): Promise<() => void> {
  // What the operator of these apps would have entered once, for all customers.
  await setConnection(db, keyring, PLATFORM, "hubspot", { connector: "hubspot", config: { client_id: ACCESS.hubspotApp.clientId }, secrets: { client_secret: ACCESS.hubspotApp.clientSecret } });
  await setConnection(db, keyring, PLATFORM, "wix", { connector: "wix", config: { public_key: wix.webhooks.publicKey } });
  // A token cannot be read again: each start has a new address, and ends the one before.
  const addressOf = async (tenant: string, name: EndpointName): Promise<string> => `${address}/webhooks/${name.connector}/${(await rotateEndpoint(db, tenant, name, BY, 0)).token}`;
  hubspotApp.register(await addressOf(PLATFORM, { connector: "hubspot", feed: "app" }));
  wix.webhooks.register(await addressOf(PLATFORM, { connector: "wix", feed: "app" }));
  greenhouseHooks.register({ url: await addressOf("northwind", { connector: "greenhouse", connection: "greenhouse", feed: "customer" }), secret: ACCESS.greenhouse.webhookKey });
  for (const sender of [hubspotApp, wix.webhooks, greenhouseHooks]) sender.live();

  const random = seeded(Date.now());
  const happenings: readonly (() => void)[] = [
    () => { hubspot.people.change("contacts", knownToBoth(world, random), { jobtitle: random.pick(JOBS) }); },
    () => { greenhouse.people.change("applications", random.pick(world.greenhouse.resources.applications!.records).id, { job_interview_stage_id: random.pick(world.greenhouse.resources.job_interview_stages!.records).id }); },
    () => { wix.people.change(random.pick(world.wix.contacts).id, { jobTitle: random.pick(JOBS) }); },
  ];
  let next = 0;
  const happen = (): void => happenings[next++ % happenings.length]!();
  const first = setTimeout(happen, FIRST_SECONDS * 1_000);
  const more = setInterval(happen, everySeconds * 1_000);
  return () => {
    clearTimeout(first);
    clearInterval(more);
    for (const sender of [hubspotApp, wix.webhooks, greenhouseHooks]) sender.close();
  };
}

function knownToBoth(world: DemoWorld, random: Random): string {
  const addresses = new Set(world.wix.contacts.map(({ info }) => info.emails?.items[0]?.email));
  return random.pick(world.hubspot.types.contacts!.objects.filter(({ properties, archived }) => !archived && addresses.has(properties.email!))).id;
}

const JOBS = ["People Partner", "Apprenticeship Manager", "Operations Lead", "Office Manager", "Training Coordinator"] as const;
