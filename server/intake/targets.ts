/**
 * What an address leads to: the feed, compiled; the values that prove where a request comes from; and whose it is. Kept for a
 * few seconds, because every request asks; looked up anew before a request is refused, so that a secret that was just entered,
 * a new plan or a new address counts at once, and a refusal takes as long as looking up an address that does not exist.
 */
import type { Variables, Verifier } from "../../engine/components/kinds.ts";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";
import type { ConnectorPlan, WebhookPlan } from "../../engine/plan/types.ts";
import { buildVerifier } from "../../engine/run/build-verifier.ts";
import { compileFeed, type Feed } from "../../engine/run/feed.ts";
import { effectiveConfig, withoutSecrets } from "../../engine/run/variables.ts";
import {
  findEndpoint, listConnections, ownersOfAccount, PLATFORM, readConnectionValues, readFeeds, readPreviousSecrets, type AccountOwner, type ConnectorFeeds, type OpenEndpoint,
} from "../../engine/store/index.ts";
import type { Services } from "../api/services.ts";
import { keeping } from "./keeping.ts";

export interface Target {
  readonly endpoint: OpenEndpoint;
  /** Of the webhook's connector. */
  readonly connector: string;
  readonly plan: WebhookPlan;
  readonly feed: Feed;
  readonly verifier: Verifier;
  /** With secrets: one for each set of values that is current. */
  readonly sets: readonly Variables[];
  /** Without. */
  readonly variables: Variables;
}

export interface Targets {
  /** Undefined: there is no such address, or its feed is gone. @param fresh whatever is known is looked up again */
  byToken(token: string, fresh: boolean): Promise<Target | undefined>;
  /** Of an address without a token. */
  byName(endpoint: Omit<OpenEndpoint, "id">, fresh: boolean): Promise<Target | undefined>;
  /** Connections that reach an account; none is looked up again every time: its connection may have just been made. */
  owners(connector: string, account: string): Promise<readonly AccountOwner[]>;
  isAppFeed(connector: string, feed: string): Promise<boolean>;
  /** The connector's feed for all customers, where it has exactly one. */
  onlyAppFeed(connector: string): Promise<string | undefined>;
}

export function createTargets(services: Pick<Services, "db" | "keyring" | "references" | "planOf">): Targets {
  const { db, keyring, references, planOf } = services;
  const catalogue = keeping<ConnectorFeeds | undefined>();
  const tokens = keeping<OpenEndpoint | undefined>();
  const targets = keeping<Target | undefined>();
  const owners = keeping<readonly AccountOwner[]>();

  /** The connector and the values of its connection; the operator's for an address of all customers. */
  async function valuesOf({ tenant, connector: id, connection }: Omit<OpenEndpoint, "id">): Promise<{ connector: ConnectorFeeds & Partial<ConnectorPlan>; connection: string; sets: JsonObject[]; base: Variables } | undefined> {
    if (connection === undefined) {
      const connector = await readFeeds(db, id);
      if (connector === undefined) return undefined;
      const entered = (await listConnections(db, PLATFORM)).find((one) => one.connector === id);
      if (entered === undefined) return { connector, connection: "", sets: [effectiveConfig(connector as ConnectorPlan, undefined, {})], base: { tenant: { id: PLATFORM } } };
      const { config } = await readConnectionValues(db, keyring, PLATFORM, entered.connection, connector as ConnectorPlan, undefined, references, "verify");
      return { connector, connection: entered.connection, sets: await withPrevious(PLATFORM, entered.connection, config), base: { tenant: { id: PLATFORM }, connection: { id: entered.connection } } };
    }
    const plan = await planOf(tenant);
    const planned = plan.connections[connection];
    const connector = planned && plan.connectors[planned.connector];
    if (planned === undefined || connector === undefined) return undefined;
    const { config, account } = await readConnectionValues(db, keyring, tenant, connection, connector, planned, references, "verify");
    const effective = effectiveConfig(connector, planned, config);
    return { connector, connection, sets: await withPrevious(tenant, connection, effective), base: { tenant: plan.tenant, inputs: plan.inputs, connection: { id: connection }, account } };
  }

  const withPrevious = async (tenant: string, connection: string, config: JsonObject): Promise<JsonObject[]> => {
    const previous = await readPreviousSecrets(db, keyring, tenant, connection);
    return Object.keys(previous).length === 0 ? [config] : [config, { ...config, ...previous }];
  };

  async function load(endpoint: OpenEndpoint): Promise<Target | undefined> {
    const found = await valuesOf(endpoint).catch((thrown: unknown) => {
      if (thrown instanceof PlugboardError && thrown.code === "PLAN_UNKNOWN_TENANT") return undefined;
      throw thrown;
    });
    const plan = found?.connector.webhooks?.[endpoint.feed];
    if (found === undefined || plan === undefined) return undefined;
    const where = `webhooks.${endpoint.feed}`;
    const base: Variables = { ...found.base, with: plan.with };
    const sets = found.sets.map((config): Variables => ({ ...base, config }));
    return { endpoint, connector: found.connector.id, plan, feed: compileFeed(plan, where), verifier: buildVerifier(plan.verify, `${where}.verify`), sets, variables: withoutSecrets(found.connector as ConnectorPlan, sets[0]!) };
  }

  const nameOf = (endpoint: Omit<OpenEndpoint, "id">): string => JSON.stringify([endpoint.tenantId, endpoint.connector, endpoint.connection, endpoint.feed]);
  const target = (endpoint: OpenEndpoint, fresh: boolean): Promise<Target | undefined> => targets.get(nameOf(endpoint), fresh, () => load(endpoint));

  const appFeeds = async (connector: string): Promise<string[]> =>
    Object.entries((await catalogue.get(connector, false, () => readFeeds(db, connector)))?.webhooks ?? {}).flatMap(([name, { scope }]) => (scope === "app" ? [name] : []));

  return {
    async byToken(token, fresh) {
      const endpoint = await tokens.get(token, fresh, () => findEndpoint(db, token));
      return endpoint && target(endpoint, fresh);
    },
    byName: (endpoint, fresh) => target({ ...endpoint, id: nameOf(endpoint) }, fresh),
    async owners(connector, account) {
      const name = JSON.stringify([connector, account]);
      const known = await owners.get(name, false, () => ownersOfAccount(db, connector, account));
      if (known.length === 0) owners.forget(name);
      return known;
    },
    isAppFeed: async (connector, feed) => (await appFeeds(connector)).includes(feed),
    async onlyAppFeed(connector) {
      const names = await appFeeds(connector);
      return names.length === 1 ? names[0] : undefined;
    },
  };
}
