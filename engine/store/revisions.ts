/**
 * Applied configuration: immutable revisions, one plan per tenant, and what follows from them (schedules, SQL views).
 *
 * Revisions have an order. One writes a line for each tenant whose plan it changes; about everybody else it says what the newest
 * line before it says. A tenant's pointer leads to the line that its plan in force stands in.
 */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { EntityPlan, TenantPlan } from "../plan/types.ts";
import { type Actor, PLATFORM, recordAudit } from "./audit.ts";
import { type Database, inGlobal, inTenant, type TenantTransaction, type Transaction, withTenants } from "./database.ts";
import { recallAll } from "./deliveries.ts";
import { viewColumns } from "./entity-views.ts";
import { hashOfPlan } from "./plan-hash.ts";
import { newRowId } from "./row-id.ts";
import { putQueues } from "./queue-polls.ts";
import { putChangeFlows } from "./row-changes.ts";
import { type ConfigurationRow, insertApplication, lockConfiguration, putConfiguration, selectConfiguration } from "./sql/configuration.ts";
import { insertLine, insertRevision, selectCurrentRevision, selectLine, selectPlan, selectPlanByHash, selectRevision, selectSaidBetween, syncEntityViews } from "./sql/revisions.ts";
import { replaceSchedules } from "./sql/schedules.ts";
import { selectPlansInForce, setTenantRevision, type TenantPlanRow } from "./sql/tenants.ts";
import { ensureTenant } from "./tenants.ts";

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

/**
 * Puts a revision in force, for all tenants or for none: makes tenants that are new, stores plans that changed, points to them
 * and moves schedules. It costs what those cost that change; everybody else's plan is compared by its hash. Runs under way keep
 * theirs. Tenants that the revision no longer names keep their data and lose their schedules. Applying the revision in force
 * once more changes nothing, and sets right what follows from it; applying an older one goes back to it.
 * @returns tenants whose plan in force changed.
 */
export async function saveRevision(db: Database, revision: Revision, application: NewApplication = { how: "command" }): Promise<{ changed: string[] }> {
  await syncViews(db, revision.plans);
  return inConfiguration(db, revision, application, async ({ enter, global, there, before }) => {
    const { id, commit, plans } = revision;
    const [known] = await global.run<{ seq: string }>(selectRevision(id));
    const named = new Set(plans.map(({ tenant }) => tenant.id));
    for (const { tenant: { id: slug, title, subdomain } } of plans) {
      const row = there.get(slug);
      if (row?.title !== title || (row.subdomain ?? undefined) !== subdomain) await ensureTenant(global, { slug, title, ...(subdomain === undefined ? {} : { subdomain }) });
    }
    const moves: Move[] = [];
    for (const plan of plans) {
      const slug = plan.tenant.id;
      const [row, hash] = [there.get(slug), hashOfPlan(plan)];
      const changed = row?.plan_hash !== hash;
      const said = known === undefined && (changed || row.newest_hash !== hash);
      if (changed || said || before === id) moves.push({ slug, hash, changed, said, plan });
    }
    for (const { slug, revision: at, newest_hash: newest, status } of there.values()) {
      // Of one that is being erased nothing is written any more.
      if (!named.has(slug) && (at !== null || newest !== null)) moves.push({ slug, hash: null, changed: at !== null, said: known === undefined && newest !== null && status !== "erasing" });
    }
    const saying = new Set(moves.flatMap(({ slug, said }) => (said ? [slug] : [])));
    const ids = saying.size === 0 || [...saying].every((slug) => there.has(slug)) ? there : await plansInForce(global);
    const seq = known?.seq ?? (await global.run<{ seq: string }>(insertRevision(id, commit, [...saying].map((slug) => ids.get(slug)!.id))))[0]!.seq;
    return moves.map((move) => ({ ...move, line: async () => {
      const tx = await enter(move.slug);
      if (move.said) {
        await tx.run(insertLine(tx.tenantId, id, seq, move.hash, move.plan === undefined ? null : JSON.stringify(move.plan)));
        return { tx, revision: move.hash === null ? null : id, isNewest: true };
      }
      if (there.get(move.slug)?.status === "erasing" && move.hash === null) return { tx, revision: null, isNewest: false };
      const [line] = await tx.run<LineRow>(selectLine(tx.tenantId, seq));
      // Who was erased and is named once more is somebody else, of whom nothing was said yet.
      if (line === undefined && move.plan) {
        await tx.run(insertLine(tx.tenantId, id, seq, move.hash, JSON.stringify(move.plan)));
        return { tx, revision: id, isNewest: true };
      }
      if ((line?.plan_hash ?? null) !== move.hash) throw new Error(`revision ${id} already says something else about tenant ${move.slug}: its id is not a hash of its content`);
      return { tx, revision: move.hash === null ? null : line!.revision, isNewest: false };
    } }));
  });
}

/**
 * Goes back to a revision that was in force before: only pointers and schedules move, of those about whom something was said
 * between the two.
 * @param commit what Git's main says now. @throws PlugboardError CHANGE_REVISION when it was never in force.
 */
export function restoreRevision(db: Database, id: string, commit: string | undefined, application: NewApplication): Promise<{ changed: string[] }> {
  return inConfiguration(db, { id, ...(commit === undefined ? {} : { commit }) }, application, async ({ enter, global, there, before }) => {
    const [[to], [from]] = [await global.run<{ seq: string }>(selectRevision(id)), await global.run<{ seq: string }>(selectRevision(before ?? ""))];
    if (to === undefined || from === undefined) throw new PlugboardError("CHANGE_REVISION", { revision: id, detail: "it was never in force here" });
    const [older, newer] = BigInt(to.seq) < BigInt(from.seq) ? [to, from] : [from, to];
    const said = new Set((await global.run<{ id: string }>(selectSaidBetween(older.seq, newer.seq))).map((tenant) => tenant.id));
    const moves: MoveTo[] = [];
    for (const { id: tenantId, slug, plan_hash: now, revision: at } of there.values()) {
      if (!said.has(tenantId)) continue;
      const tx = await enter(slug);
      const [line] = await tx.run<LineRow>(selectLine(tenantId, to.seq));
      const hash = line?.plan_hash ?? null;
      if (hash === now && (hash !== null || at === null)) continue;
      const [stored] = hash === null ? [] : await tx.run<{ plan: TenantPlan }>(selectPlanByHash(tenantId, hash));
      moves.push({ slug, hash, changed: true, said: false, ...(stored === undefined ? {} : { plan: stored.plan }), line: async () => ({ tx: await enter(slug), revision: hash === null ? null : line!.revision, isNewest: false }) });
    }
    return moves;
  });
}

interface LineRow { readonly revision: string; readonly plan_hash: string | null }

/** One tenant whose pointer moves, or about whom something is said. */
interface Move {
  readonly slug: string;
  /** Null: it is not named any more. */
  readonly hash: string | null;
  /** Whether its plan in force becomes another one. */
  readonly changed: boolean;
  /** Whether the revision has a line about it. */
  readonly said: boolean;
  readonly plan?: TenantPlan;
}

/** With the line that its pointer leads to from now on: written, or found. */
interface MoveTo extends Move { line(): Promise<{ readonly tx: TenantTransaction; readonly revision: string | null; /** Whether it is the tenant's newest. */ readonly isNewest: boolean }> }

interface Standing {
  enter(tenant: string): Promise<TenantTransaction>;
  readonly global: Transaction;
  /** Every tenant there is, by slug. */
  readonly there: ReadonlyMap<string, TenantPlanRow>;
  /** The revision in force. */
  readonly before: string | undefined;
}

/** All tenants, or none; whoever else puts one in force waits. */
function inConfiguration(db: Database, { id, commit }: Omit<Revision, "plans">, { how, actor, change, also }: NewApplication,
  find: (standing: Standing) => Promise<MoveTo[]>): Promise<{ changed: string[] }> {
  return withTenants(db, async (enter, global) => {
    await global.run(lockConfiguration());
    const operator = await enter(PLATFORM);
    const [before] = await operator.run<ConfigurationRow>(selectConfiguration(operator.tenantId));
    const there = await plansInForce(global);
    const changed: string[] = [];
    for (const { slug, hash, plan, changed: other, line } of await find({ enter, global, there, before: before?.revision ?? undefined })) {
      const { tx, revision, isNewest } = await line();
      if (other) {
        changed.push(slug);
        if (actor && plan) await recordAudit(tx, slug, { actor, action: "configuration.changed", subject: { kind: "revision", id }, before: { revision: there.get(slug)?.revision ?? null }, after: { revision: id, ...(change === undefined ? {} : { change }) } });
      }
      await tx.run(setTenantRevision(tx.tenantId, revision, hash, isNewest));
      // Word for word the plan before: what follows from it stands already. The same revision once more sets it right all the same.
      if (!other && before?.revision !== id) continue;
      const schedules = plan === undefined ? [] : schedulesOf(plan);
      const changeFlows = Object.values(plan?.change_flows ?? {});
      // Of one that never had a plan there is nothing to switch off, and nothing waits: the first revision of thousands is long enough.
      const isNew = (there.get(slug)?.newest_hash ?? null) === null && (there.get(slug)?.revision ?? null) === null;
      if (!isNew || schedules.length > 0) await tx.run(replaceSchedules(tx.tenantId, schedules));
      if (!isNew || changeFlows.length > 0) await putChangeFlows(tx, changeFlows);
      if (!isNew && plan) await recallAll(tx);
      if (!isNew || Object.values(plan?.connectors ?? {}).some(({ queues }) => queues !== undefined)) await putQueues(tx, plan ?? { connections: {}, connectors: {} });
    }
    const platform = await enter(PLATFORM);
    await platform.run(putConfiguration(platform.tenantId, id, commit ?? null));
    if (before?.revision !== id || changed.length > 0 || how !== "command") await platform.run(insertApplication(platform.tenantId, { id: newRowId(), revision: id, change: change ?? null, how, by: actor?.name ?? "plugboard", changed }));
    await also?.(platform, changed);
    return { changed };
  });
}

const plansInForce = async (tx: Transaction): Promise<Map<string, TenantPlanRow>> => new Map((await tx.run<TenantPlanRow>(selectPlansInForce())).map((row) => [row.slug, row]));

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
    const there = await plansInForce(global);
    const asked = new Map([...plans].map((plan) => [plan.tenant.id, plan]));
    for (const slug of new Set([...asked.keys(), ...there.keys()])) {
      const [plan, hash] = [asked.get(slug), there.get(slug)?.plan_hash ?? undefined];
      if (hash === undefined ? plan === undefined : plan !== undefined && hash === hashOfPlan(plan)) continue;
      if (hash === undefined) { others.set(slug, undefined); continue; }
      const tx = await enter(slug);
      others.set(slug, (await tx.run<{ plan: TenantPlan }>(selectPlanByHash(tx.tenantId, hash)))[0]?.plan);
    }
    return others;
  });
}

/** The revision since which its plan is in force; undefined before the first one, or when the configuration no longer names the tenant. */
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
