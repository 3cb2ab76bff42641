/** What a connector offers, for a registry and for forms: every connector of the workspace, whoever uses it. Pure. */
import type { JsonObject, Workspace } from "../manifest/types.ts";
import { compileConnector } from "./compile-connector.ts";
import { effectiveConnectors } from "./connectors.ts";
import { at, map, members, scalar, text, type Source } from "./sourced.ts";
import type { AuthPlan, ConfigField, ConnectorPlan, Expression, LimitPlan } from "./types.ts";

export type DoorName = "list" | "changes" | "one";

export interface CatalogueConnector {
  readonly id: string;
  readonly title: string;
  readonly category?: string;
  readonly docs?: string;
  readonly config: Readonly<Record<string, ConfigField>>;
  /** How its requests are signed; `name` tells several apart. */
  readonly auth: readonly { readonly name: string; readonly type: string }[];
  /** Picks one of several, over `config`. */
  readonly by?: Expression;
  /** Where its credential may be sent. */
  readonly hosts: readonly string[];
  readonly streams: readonly { readonly name: string; readonly doors: readonly DoorName[]; /** Whether it can be asked for what changed. */ readonly incremental: boolean }[];
  readonly limits: Readonly<Record<string, LimitPlan>>;
  /** What it can do to the provider's records, and whether a second try is harmless. */
  readonly actions?: readonly { readonly name: string; readonly does?: string; readonly stream?: string; readonly once: "repeatable" | "never" | "guarded" }[];
  /** Feeds that it pushes; `app`: one address for all customers. */
  readonly webhooks?: readonly { readonly name: string; readonly scope?: "app" }[];
  /** Whether a connection can be checked. */
  readonly check: boolean;
}

/** Sorted by id. What is wrong with a connector is `validate`'s to tell. */
export const listCatalogue = (workspace: Workspace): CatalogueConnector[] => compileCatalogue(workspace).map(({ plan, docs }) => describeConnector(plan, docs));

/** What an address for all customers needs of its connector, without any customer's plan: those that have such a feed. */
export const listAppFeeds = (workspace: Workspace): Pick<ConnectorPlan, "id" | "title" | "config" | "streams" | "webhooks">[] =>
  compileCatalogue(workspace).flatMap(({ plan }) => (Object.values(plan.webhooks ?? {}).some(({ scope }) => scope === "app") ? [plan] : []));

function compileCatalogue(workspace: Workspace): { readonly plan: ConnectorPlan; readonly docs: string | undefined }[] {
  return [...workspace.connectors].toSorted(([a], [b]) => (a < b ? -1 : 1)).flatMap(([id, layers]) => {
    // As if one connection used it: the same merge as a tenant's.
    const source: Source = { manifest: layers[0]!, layer: layers[0]!.layer, pointer: "" };
    const connections = map(source, [[id, map(source, [["connector", scalar(id, source)]])]]);
    const { tree } = effectiveConnectors(workspace, connections, source, () => undefined);
    return members(tree).map(([key, node]) => ({ plan: compileConnector(node, key, workspace, () => undefined), docs: text(at(node, "docs")) }));
  });
}

export function describeConnector(connector: ConnectorPlan, docs?: string): CatalogueConnector {
  const { id, title, category, config, http, streams, check, actions = {}, webhooks = {} } = connector;
  return {
    id, title, ...(category === undefined ? {} : { category }), ...(docs === undefined ? {} : { docs }), config,
    auth: authOf(http?.auth), ...(http?.auth?.by === undefined ? {} : { by: http.auth.by }), hosts: http?.hosts ?? [], limits: http?.limits ?? {}, check: check !== undefined,
    actions: Object.entries(actions).map(([name, { effect, once }]) => ({ name, ...(effect === undefined ? {} : { does: effect.does, stream: effect.stream }), once: once.is })),
    webhooks: Object.entries(webhooks).map(([name, { scope }]) => ({ name, ...(scope === undefined ? {} : { scope }) })),
    streams: Object.entries(streams).map(([name, stream]) => ({
      name, doors: (["list", "changes", "one"] as const).filter((door) => stream[door] !== undefined), incremental: stream.cursor !== undefined || stream.changes !== undefined,
    })),
  };
}

const authOf = (auth: AuthPlan | undefined): { name: string; type: string }[] => Object.entries(auth?.named ?? {}).map(([name, { type }]) => ({ name, type }));

/**
 * The config fields that decide where a credential goes: those that the authority of base_url, of a login or token address,
 * or of a request with an address of its own is made of. Whoever may change one of them could have the credential sent to
 * another host of `hosts`.
 */
export function hostFields({ config, http, streams, check }: ConnectorPlan): string[] {
  const found = new Set<string>();
  const learn = (address: unknown): void => {
    for (const field of typeof address === "string" ? fieldsOfAuthority(address) : []) {
      if (field === undefined) Object.keys(config).forEach((each) => found.add(each));
      else if (config[field] !== undefined) found.add(field);
    }
  };
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [name, member] of Object.entries(value as JsonObject)) {
      if (/^(base_url|authorize_url|token_url|revoke_url|url|path|get|post|put|patch|delete)$/.test(name) && isAddress(name, member)) learn(member);
      walk(member);
    }
  };
  learn(http?.base_url);
  walk(http?.auth);
  walk(streams);
  walk(check);
  // `by` may pick the authenticator by its name: that is no host, and another authenticator has its own fields.
  return [...found].sort();
}

/** A path below base_url has no authority; one that begins with a template or a scheme may have. */
const isAddress = (name: string, value: unknown): boolean => typeof value === "string" && (name.endsWith("url") || /^(https?:|\{\{|=)/i.test(value));

/** Names after `config.`; `undefined` for a use of `config` that names none: it may be any. */
function fieldsOfAuthority(address: string): (string | undefined)[] {
  if (address.startsWith("=")) return namesIn(address);
  const holes: string[] = [];
  const flat = address.replace(/\{\{\{?([^}]*)\}?\}\}/g, (_, inside: string) => `\u0000${holes.push(inside) - 1}\u0000`);
  const authority = /^([a-z][a-z0-9+.-]*:\/\/)?[^/?#]*/i.exec(flat)?.[0] ?? "";
  // eslint-disable-next-line no-control-regex
  return [...authority.matchAll(/\u0000(\d+)\u0000/g)].flatMap(([, index]) => namesIn(holes[Number(index)]!));
}

function namesIn(expression: string): (string | undefined)[] {
  const uses = [...expression.matchAll(/\bconfig\b(?:\s*\.\s*([A-Za-z_]\w*))?/g)];
  return uses.map(([, name]) => name);
}
