/** Applied configuration: immutable revisions, one plan per tenant, and what follows from them (schedules, SQL views). */
import { createHash } from "node:crypto";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { EntityPlan, TenantPlan } from "../plan/types.ts";
import { type Database, inGlobal, inTenant, type TenantTransaction, withTenant } from "./database.ts";
import { viewColumns } from "./entity-views.ts";
import { putChangeFlows } from "./row-changes.ts";
import { insertPlan, insertRevision, insertTenantRevision, selectCurrentRevision, selectPlan, selectTenantRevision, syncEntityViews } from "./sql/revisions.ts";
import { replaceSchedules } from "./sql/schedules.ts";
import { setTenantRevision } from "./sql/tenants.ts";
import { ensureTenant, listTenants } from "./tenants.ts";

export interface Revision {
  /** Hash of the configuration's content. */
  readonly id: string;
  readonly commit?: string;
  /** All tenants of the configuration. */
  readonly plans: readonly TenantPlan[];
}

/**
 * Puts a revision in force, tenant by tenant: makes tenants that are new, stores plans that changed, moves schedules. Runs
 * under way keep theirs. Tenants that the revision no longer names keep their data and lose their schedules. Applying the
 * same revision again changes nothing; applying an older one goes back to it.
 * @returns tenants whose plan in force changed.
 */
export async function saveRevision(db: Database, revision: Revision): Promise<{ changed: string[] }> {
  await inGlobal(db, (tx) => tx.run(insertRevision(revision.id, revision.commit)));
  await syncViews(db, revision.plans);
  const before = new Map((await listTenants(db)).map((tenant) => [tenant.slug, tenant]));
  const changed: string[] = [];
  for (const plan of revision.plans) {
    const { id: slug, title, subdomain } = plan.tenant;
    await ensureTenant(db, { slug, title, ...(subdomain === undefined ? {} : { subdomain }) });
    if (await putInForce(db, revision.id, plan)) changed.push(slug);
    before.delete(slug);
  }
  for (const gone of before.values()) {
    if (gone.revision === undefined) continue;
    await withTenant(db, gone.slug, async (tx) => {
      await tx.run(replaceSchedules(tx.tenantId, []));
      await putChangeFlows(tx, []);
      await tx.run(setTenantRevision(tx.tenantId, null));
    });
    changed.push(gone.slug);
  }
  return { changed };
}

function putInForce(db: Database, revision: string, plan: TenantPlan): Promise<boolean> {
  return withTenant(db, plan.tenant.id, async (tx) => {
    const text = JSON.stringify(plan);
    const hash = createHash("sha256").update(text).digest("hex");
    const old = await currentRevision(tx, tx.tenant);
    await tx.run(insertPlan(tx.tenantId, hash, text));
    const added = await tx.run(insertTenantRevision(tx.tenantId, revision, hash));
    if (added.length === 0) {
      const [said] = await tx.run<{ plan_hash: string }>(selectTenantRevision(tx.tenantId, revision));
      if (said?.plan_hash !== hash) throw new Error(`revision ${revision} already says something else about tenant ${tx.tenant}: its id is not a hash of its content`);
    }
    await tx.run(setTenantRevision(tx.tenantId, revision));
    await tx.run(replaceSchedules(tx.tenantId, Object.values(plan.flows)
      .flatMap((flow) => flow.enabled && flow.schedule && plan.connections[flow.connection]?.enabled !== false
        ? [{ flow: flow.name, connection: flow.connection, schedule: flow.schedule, needs_connection: needsConnection(plan, flow.connection) }] : [])));
    await putChangeFlows(tx, Object.values(plan.change_flows ?? {}));
    if (old === undefined) return true;
    const [was] = await tx.run<{ plan_hash: string }>(selectTenantRevision(tx.tenantId, old));
    return was?.plan_hash !== hash;
  });
}

/** Whether somebody has to enter something before the connection can be used: a field without a value, or a sign-in. */
function needsConnection(plan: TenantPlan, connection: string): boolean {
  const planned = plan.connections[connection];
  const connector = plan.connectors[planned?.connector ?? ""];
  if (!planned || !connector) return false;
  const signsIn = Object.values(connector.http?.auth?.named ?? {}).some(({ type }) => type === "oauth2_authorization_code");
  // Of fields that are asked for in some cases only, a secret is what one of the ways to sign in needs.
  return signsIn || Object.entries(connector.config).some(([name, field]) =>
    field.optional !== true && field.scope !== "app" && field.default === undefined && planned.config[name] === undefined && (field.when === undefined || field.secret === true));
}

/** @throws PlugboardError PLAN_UNKNOWN_TENANT, STORE_BEHIND when the revision was never applied to the tenant. */
export function readPlan(at: Database | TenantTransaction, tenant: string, revision: string): Promise<TenantPlan> {
  return inTenant(at, tenant, async (tx) => {
    const [row] = await tx.run<{ plan: TenantPlan }>(selectPlan(tx.tenantId, revision));
    if (!row) throw new PlugboardError("PLAN_UNKNOWN_TENANT", { tenant, suggestion: `Revision ${revision} says nothing about it.` });
    return row.plan;
  });
}

/** The revision in force; undefined before the first one, or when the configuration no longer names the tenant. */
export function currentRevision(at: Database | TenantTransaction, tenant: string): Promise<string | undefined> {
  return inTenant(at, tenant, async (tx) => {
    const [row] = await tx.run<{ revision: string | null }>(selectCurrentRevision(tx.tenantId));
    return row?.revision ?? undefined;
  });
}

async function syncViews(db: Database, plans: readonly TenantPlan[]): Promise<void> {
  const entities = new Map<string, { plan: EntityPlan; labels: Set<string> }>();
  for (const plan of plans) {
    for (const [id, entity] of Object.entries(plan.entities)) {
      const known = entities.get(id) ?? { plan: { ...entity, custom: [] }, labels: new Set<string>() };
      known.plan = { ...known.plan, custom: [...new Set([...known.plan.custom, ...entity.custom])].sort() };
      for (const flow of Object.values(plan.flows)) if (flow.to.entity === id) for (const label of Object.keys(flow.labels)) known.labels.add(label);
      entities.set(id, known);
    }
  }
  for (const [id, { plan, labels }] of [...entities].sort(([a], [b]) => a < b ? -1 : 1)) {
    await inGlobal(db, (tx) => tx.run(syncEntityViews(id, JSON.stringify(viewColumns(plan, [...labels].sort())))));
  }
}
