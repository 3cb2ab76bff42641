/** A tenant's flows in one list, whatever starts them and whatever they end in, each with how it goes. */
import { scheduleInWords } from "../../engine/jobs/index.ts";
import type { ChangeFlowPlan, FlowPlan, TenantPlan } from "../../engine/plan/types.ts";
import { changedByPolls, changeFlowStates, type Database, flowLoads, lastEvents, lastRuns, listSchedules, listSweepHolds, quarantineGroups } from "../../engine/store/index.ts";
import { connectorOf } from "./provider.ts";
import { closed, count, id, instant, nullable } from "./schemas.ts";
import { runView } from "./views.ts";

export const flowSchema = closed({
  flow: id("The flow.", "learners"), title: nullable({ type: "string" }), enabled: { type: "boolean", description: "By the configuration, its connection included." },
  from: { type: "string", enum: ["stream", "change"], description: "What starts it: records of a stream, or a change of our own data." },
  to: { type: "string", enum: ["entity", "action", "save", "webhook"], description: "What it ends in." },
  connection: nullable(id("The connection it reads, or sends to. Null: an outgoing webhook.", "aptem")), connector: nullable(id("Its connector.", "aptem")),
  stream: nullable(id("The stream it reads, or saves.", "users")), entity: id("The entity it writes, or whose changes start it.", "learner"),
  target: id("What it fills or sends to: the entity, the connection, or the endpoint's name.", "learner"), operation: nullable({ type: "string", description: "The action it performs, or the stream it saves." }),
  mapping: nullable({ type: "string" }), schedule: nullable({ type: "string", description: "In words; null where a change starts it.", examples: ["every hour"] }), pushed: { type: "boolean", description: "A webhook or queue of its connector brings records of its stream." },
  hold_for: nullable({ type: "string", description: "The role that approves each delivery." }),
  paused: { type: "boolean", description: "By a person. A flow that sends keeps what changes meanwhile, and sends it once it is resumed." }, skipped: nullable({ type: "string", description: "Why its last tick started nothing: its connection is `not_connected` or `disconnected`." }),
  last_run: { anyOf: [{ type: "null" }, { $ref: "Run#" }], description: "Of one that reads." }, last_success_at: nullable(instant("When it last succeeded, or a delivery of it last arrived.")),
  next_run_at: nullable(instant("When it is due next.")), checkpoint: nullable(instant("Up to when everything was read.")),
  waiting: count("Deliveries on their way, or to be tried again."), held: count("Deliveries that wait for a person, or a sweep that does."), unknown: count("Deliveries of which nobody knows whether they arrived."),
  failed: count("Deliveries that were refused or given up."), quarantined: count("Records that could not be taken, and wait."),
  without_event: nullable({ type: "integer", minimum: 0, description: "Records that its newest poll found changed: events bring them, and of these none came. Null where none ever came, or nothing was polled since." }),
});

/** What `flowSchema` says. */
export interface FlowView {
  readonly flow: string; readonly title: string | null; readonly enabled: boolean; readonly paused: boolean;
  readonly from: "stream" | "change"; readonly to: "entity" | "action" | "save" | "webhook";
  readonly connection: string | null; readonly connector: string | null; readonly stream: string | null; readonly entity: string; readonly target: string; readonly operation: string | null; readonly mapping: string | null;
  readonly schedule: string | null; readonly pushed: boolean; readonly hold_for: string | null; readonly skipped: string | null;
  readonly last_run: object | null; readonly last_success_at: string | null; readonly next_run_at: string | null; readonly checkpoint: string | null;
  readonly waiting: number; readonly held: number; readonly unknown: number; readonly failed: number; readonly quarantined: number; readonly without_event: number | null;
}

/** By name. @param connection only those that read it or send to it. */
export async function flowViews(db: Database, plan: TenantPlan, connection?: string): Promise<FlowView[]> {
  const tenant = plan.tenant.id;
  const [runs, schedules, sweeps, quarantined] = [await lastRuns(db, tenant, connection), await listSchedules(db, tenant), await listSweepHolds(db, tenant), await quarantineGroups(db, tenant, connection === undefined ? {} : { connection })];
  const pushing = Object.values(plan.flows).filter((flow) => (connection === undefined || flow.connection === connection) && isPushed(plan, flow));
  const [heard, polled] = pushing.length === 0 ? [new Map<string, string>(), new Map<string, number>()] : [await lastEvents(db, tenant, [...new Set(pushing.map((flow) => flow.connection))]), await changedByPolls(db, tenant, connection)];
  const changes = Object.values(plan.change_flows ?? {});
  const [states, loads] = changes.length === 0 ? [[], []] : [await changeFlowStates(db, tenant), await flowLoads(db, tenant)];

  const reads = (flow: FlowPlan): FlowView => {
    const [found, schedule] = [runs.find(({ run }) => run.flow === flow.name), schedules.find((each) => each.flow === flow.name && each.enabled)];
    return {
      ...headOf(flow), ...connected(plan, flow.connection), enabled: flow.enabled && plan.connections[flow.connection]?.enabled === true, from: "stream", to: "entity", stream: flow.stream, entity: flow.to.entity, target: flow.to.entity, operation: null,
      schedule: scheduleInWords(flow.schedule), pushed: isPushed(plan, flow), hold_for: null, paused: schedule?.paused !== undefined, skipped: schedule?.skipped?.reason ?? null, last_run: found === undefined ? null : runView(found.run), last_success_at: found?.succeeded_at ?? null,
      next_run_at: schedule?.due === undefined || schedule.paused !== undefined ? null : new Date(schedule.due).toISOString(), checkpoint: found?.run.checkpoint?.from ?? null,
      waiting: 0, held: sweeps.filter((each) => each.flow === flow.name).length, unknown: 0, failed: 0, quarantined: quarantined.filter(({ flow: name }) => name === flow.name).reduce((sum, group) => sum + group.count, 0),
      without_event: heard.has(flow.connection) && pushing.includes(flow) ? polled.get(flow.name) ?? null : null,
    };
  };
  const sends = (flow: ChangeFlowPlan): FlowView => {
    const { to, entity, hold_for } = flow;
    const load = loads.find((each) => each.flow === flow.name);
    return {
      ...headOf(flow), ...("webhook" in to ? { connection: null, connector: null, enabled: flow.enabled } : { ...connected(plan, to.connection), enabled: flow.enabled && plan.connections[to.connection]?.enabled === true }),
      from: "change", to: "webhook" in to ? "webhook" : "save" in to ? "save" : "action", stream: "save" in to ? to.save : null, entity, target: "webhook" in to ? to.webhook : to.connection, operation: "action" in to ? to.action : "save" in to ? to.save : null,
      schedule: null, pushed: false, hold_for: hold_for ?? null, paused: states.find((each) => each.flow === flow.name)?.paused !== undefined, skipped: null, last_run: null, last_success_at: load?.last_at ?? null, next_run_at: null, checkpoint: null,
      waiting: load?.waiting ?? 0, held: load?.held ?? 0, unknown: load?.unknown ?? 0, failed: load?.failed ?? 0, quarantined: 0, without_event: null,
    };
  };

  return [
    ...Object.values(plan.flows).filter((flow) => connection === undefined || flow.connection === connection).map((flow) => [flow.name, reads(flow)] as const),
    ...changes.filter(({ to }) => connection === undefined || (!("webhook" in to) && to.connection === connection)).map((flow) => [flow.name, sends(flow)] as const),
  ].toSorted(([a], [b]) => a.localeCompare(b)).map(([, view]) => view);
}

const headOf = ({ name, title, map }: FlowPlan | ChangeFlowPlan): Pick<FlowView, "flow" | "title" | "mapping"> => ({ flow: name, title: title ?? null, mapping: map?.id ?? null });

const connected = (plan: TenantPlan, connection: string): Pick<FlowView, "connection" | "connector"> => ({ connection, connector: plan.connections[connection] === undefined ? null : connectorOf(plan, connection) });

function isPushed(plan: TenantPlan, { connector, stream }: FlowPlan): boolean {
  const { webhooks, queues } = plan.connectors[connector] ?? {};
  return [...Object.values(webhooks ?? {}), ...Object.values(queues ?? {})].some(({ events }) => Object.values(events).some((event) => event.stream === stream));
}
