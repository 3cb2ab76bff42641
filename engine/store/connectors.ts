/** The registry: the connectors of the configuration in force. The operator's, so outside every tenant. */
import type { CatalogueConnector } from "../plan/catalogue.ts";
import { asScheduler, type Database, inGlobal } from "./database.ts";
import { deleteOtherConnectors, selectConnectorHealth, selectConnector, selectConnectorIds, selectConnectors, upsertConnector } from "./sql/connectors.ts";

/** Puts the catalogue in force as a whole: what it no longer has is gone. */
export function saveConnectors(db: Database, connectors: readonly CatalogueConnector[]): Promise<void> {
  return inGlobal(db, async (tx) => {
    for (const connector of connectors.toSorted((a, b) => (a.id < b.id ? -1 : 1))) await tx.run(upsertConnector(connector.id, JSON.stringify(connector)));
    await tx.run(deleteOtherConnectors(connectors.map(({ id }) => id)));
  });
}

/** By id. @param after the last id of the page before. */
export function listConnectors(db: Database, { limit, after }: { readonly limit: number; readonly after?: string | undefined }): Promise<{ items: CatalogueConnector[]; next?: readonly string[] }> {
  return inGlobal(db, async (tx) => {
    const rows = await tx.run<{ connector: CatalogueConnector }>(selectConnectors(after, limit + 1));
    const items = rows.slice(0, limit).map(({ connector }) => connector);
    return { items, ...(rows.length > limit ? { next: [items.at(-1)!.id] } : {}) };
  });
}

export function findConnector(db: Database, id: string): Promise<CatalogueConnector | undefined> {
  return inGlobal(db, async (tx) => (await tx.run<{ connector: CatalogueConnector }>(selectConnector(id)))[0]?.connector);
}

export function connectorIds(db: Database): Promise<string[]> {
  return inGlobal(db, async (tx) => (await tx.run<{ id: string }>(selectConnectorIds())).map(({ id }) => id));
}

/** How its connections are, over all tenants or in one: of those somebody connected, how many work, and why the others do not. */
export interface ConnectorHealth {
  readonly connections: number;
  readonly working: number;
  /** By code, newest first. */
  readonly errors: readonly { readonly code: string; readonly connections: number; readonly last_at: string }[];
}

/** By connector. @param tenant its slug; undefined: all of them, counted without saying whose. */
export function connectorHealth(db: Database, tenant: string | undefined): Promise<ReadonlyMap<string, ConnectorHealth>> {
  return asScheduler(db, async (tx) => {
    const rows = await tx.run<{ connector: string; code: string | null; connections: number; last_at: Date | null }>(selectConnectorHealth(tenant));
    return new Map([...Map.groupBy(rows, ({ connector }) => connector)].map(([connector, found]) => [connector, {
      connections: found.reduce((all, { connections }) => all + connections, 0), working: found.reduce((all, { code, connections }) => all + (code === null ? connections : 0), 0),
      errors: found.flatMap(({ code, connections, last_at }) => (code === null ? [] : [{ code, connections, last_at: (last_at ?? new Date(0)).toISOString() }])).toSorted((a, b) => (a.last_at < b.last_at ? 1 : -1)),
    }]));
  });
}
