/** Applied configuration: immutable revisions, one plan per tenant, and what follows from them (schedules, SQL views). */
import { createHash } from "node:crypto";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { EntityPlan, TenantPlan } from "../plan/types.ts";
import { type Actor, PLATFORM, recordAudit } from "./audit.ts";
import { type Database, inGlobal, inTenant, type TenantTransaction, withTenant, withTenants } from "./database.ts";
import { recallAll } from "./deliveries.ts";
import { viewColumns } from "./entity-views.ts";
import { newRowId } from "./row-id.ts";
import { putQueues } from "./queue-polls.ts";
import { putChangeFlows } from "./row-changes.ts";
import { type ConfigurationRow, insertApplication, lockConfiguration, putConfiguration, selectConfiguration } from "./sql/configuration.ts";
import { insertPlan, insertRevision, insertTenantRevision, selectCurrentRevision, selectPlan, selectTenantRevision, syncEntityViews } from "./sql/revisions.ts";
import { replaceSchedules } from "./sql/schedules.ts";
import { selectTenants, setTenantRevision } from "./sql/tenants.ts";
import { ensureTenant, listTenants } from "./tenants.ts";

export interface Revision {
  /** Hash of the configuration's content. */
  readonly id: string;
  readonly commit?: string;
  /** All tenants of the configuration. */
  readonly plans: readonly TenantPlan[];
}

/** Who put it in force, and how: a line of `applications`. */
export interface NewApplication {
  readonly how: "apply" | "rollback" | "sync" | "command";
  /** Absent: the product itself. Named, each tenant that changes gets a line in its own log. */
  readonly actor?: Actor;
  /** The change it came with. */
  readonly change?: string;
  /** Part of the same transaction, as the operator's tenant: what must not be so without it. */
  readonly also?: (tx: TenantTransaction, changed: readonly string[]) => Promise<void>;
}

/** Tenants whose plans are stored in one transaction: with thousands of them, what takes time is committing. */
const TENANTS_AT_ONCE = 100;

/**
 * Puts a revision in force: makes tenants that are new, stores plans that changed, and then, for all tenants at once, points
 * to it and moves schedules. A process that dies before that leaves everything as it was. Runs under way keep theirs. Tenants
 * that the revision no longer names keep their data and lose their schedules. Applying the same revision again changes
 * nothing; applying an older one goes back to it.
 * @returns tenants whose plan in force changed.
 */
export async function saveRevision(db: Database, revision: Revision, application: NewApplication = { how: "command" }): Promise<{ changed: string[] }> {
  await inGlobal(db, (tx) => tx.run(insertRevision(revision.id, revision.commit)));
  await syncViews(db, revision.plans);
  for (let from = 0; from < revision.plans.length; from += TENANTS_AT_ONCE) await withTenants(db, async (enter, global) => {
    for (const plan of revision.plans.slice(from, from + TENANTS_AT_ONCE)) {
      const { id: slug, title, subdomain } = plan.tenant;
      await ensureTenant(global, { slug, title, ...(subdomain === undefined ? {} : { subdomain }) });
      await savePlan(await enter(slug), revision.id, plan);
    }
  });
  return pointTo(db, revision, application);
}

/**
 * Goes back to a revision that was in force before: only pointers and schedules move.
 * @param commit what Git's main says now. @throws PlugboardError CHANGE_REVISION when it was never in force.
 */
export async function restoreRevision(db: Database, id: string, commit: string | undefined, application: NewApplication): Promise<{ changed: string[] }> {
  const plans: TenantPlan[] = [];
  for (const { slug } of await listTenants(db)) plans.push(...(await planOfRevision(db, slug, id)));
  if (plans.length === 0) throw new PlugboardError("CHANGE_REVISION", { revision: id, detail: "it was never in force here" });
  return pointTo(db, { id, plans, ...(commit === undefined ? {} : { commit }) }, application);
}

const planOfRevision = (db: Database, tenant: string, revision: string): Promise<TenantPlan[]> =>
  withTenant(db, tenant, async (tx) => (await tx.run<{ plan: TenantPlan }>(selectPlan(tx.tenantId, revision))).map(({ plan }) => plan));

async function savePlan(tx: TenantTransaction, revision: string, plan: TenantPlan): Promise<void> {
  const text = JSON.stringify(plan);
  const hash = hashOf(text);
  await tx.run(insertPlan(tx.tenantId, hash, text));
  const added = await tx.run(insertTenantRevision(tx.tenantId, revision, hash));
  if (added.length > 0) return;
  const [said] = await tx.run<{ plan_hash: string }>(selectTenantRevision(tx.tenantId, revision));
  if (said?.plan_hash !== hash) throw new Error(`revision ${revision} already says something else about tenant ${tx.tenant}: its id is not a hash of its content`);
}

/** All tenants, or none; whoever else puts one in force waits. */
function pointTo(db: Database, { id, commit, plans }: Revision, { how, actor, change, also }: NewApplication): Promise<{ changed: string[] }> {
  return withTenants(db, async (enter, global) => {
    await global.run(lockConfiguration());
    const gone = new Map((await global.run<{ slug: string; revision: string | null }>(selectTenants())).filter(({ revision }) => revision !== null).map(({ slug, revision }) => [slug, revision!]));
    const changed: string[] = [];
    for (const plan of plans) {
      const { id: slug } = plan.tenant;
      const tx = await enter(slug);
      const old = gone.get(slug);
      gone.delete(slug);
      const other = await isOther(tx, old, id);
      if (other) {
        changed.push(slug);
        if (actor) await recordAudit(tx, slug, { actor, action: "configuration.changed", subject: { kind: "revision", id }, before: { revision: old ?? null }, after: { revision: id, ...(change === undefined ? {} : { change }) } });
      }
      await tx.run(setTenantRevision(tx.tenantId, id));
      // Word for word the plan before: what follows from it stands already. The same revision once more sets it right all the same.
      if (!other && old !== id) continue;
      await tx.run(replaceSchedules(tx.tenantId, schedulesOf(plan)));
      await putChangeFlows(tx, Object.values(plan.change_flows ?? {}));
      await recallAll(tx);
      await putQueues(tx, plan);
    }
    for (const slug of gone.keys()) {
      const tx = await enter(slug);
      await tx.run(replaceSchedules(tx.tenantId, []));
      await putChangeFlows(tx, []);
      await putQueues(tx, { connections: {}, connectors: {} });
      await tx.run(setTenantRevision(tx.tenantId, null));
      changed.push(slug);
    }
    const platform = await enter(PLATFORM);
    const [before] = await platform.run<ConfigurationRow>(selectConfiguration(platform.tenantId));
    await platform.run(putConfiguration(platform.tenantId, id, commit ?? null));
    if (before?.revision !== id || changed.length > 0 || how !== "command") await platform.run(insertApplication(platform.tenantId, { id: newRowId(), revision: id, change: change ?? null, how, by: actor?.name ?? "plugboard", changed }));
    await also?.(platform, changed);
    return { changed };
  });
}

/** Whether a tenant's plan in force is another one than that of the revision. */
async function isOther(tx: TenantTransaction, old: string | undefined, revision: string): Promise<boolean> {
  if (old === undefined) return true;
  if (old === revision) return false;
  const [was, is] = [await tx.run<{ plan_hash: string }>(selectTenantRevision(tx.tenantId, old)), await tx.run<{ plan_hash: string }>(selectTenantRevision(tx.tenantId, revision))];
  return was[0]?.plan_hash !== is[0]?.plan_hash;
}

const schedulesOf = (plan: TenantPlan) => Object.values(plan.flows).flatMap((flow) => flow.enabled && flow.schedule && plan.connections[flow.connection]?.enabled !== false
  ? [{ flow: flow.name, connection: flow.connection, schedule: flow.schedule, needs_connection: needsConnection(plan, flow.connection) }] : []);

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

/**
 * What is in force for tenants where it is not, word for word, one of these plans: undefined for a tenant that has nothing in
 * force. Tenants that the plans no longer name are among them.
 */
export function otherPlansInForce(db: Database, plans: Iterable<TenantPlan>): Promise<Map<string, TenantPlan | undefined>> {
  return withTenants(db, async (enter, global) => {
    const others = new Map<string, TenantPlan | undefined>();
    const inForce = new Map((await global.run<{ slug: string; revision: string | null }>(selectTenants())).flatMap(({ slug, revision }) => (revision === null ? [] : [[slug, revision] as const])));
    const asked = new Map([...plans].map((plan) => [plan.tenant.id, plan]));
    for (const slug of new Set([...asked.keys(), ...inForce.keys()])) {
      const revision = inForce.get(slug);
      if (revision === undefined) { others.set(slug, undefined); continue; }
      const tx = await enter(slug);
      const [row] = await tx.run<{ plan_hash: string }>(selectTenantRevision(tx.tenantId, revision));
      const plan = asked.get(slug);
      if (plan !== undefined && row?.plan_hash === hashOf(JSON.stringify(plan))) continue;
      const [old] = await tx.run<{ plan: TenantPlan }>(selectPlan(tx.tenantId, revision));
      others.set(slug, old?.plan);
    }
    return others;
  });
}

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

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
