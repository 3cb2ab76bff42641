/** A plan's flows as they are drawn: streams through mappings into entities, entities through changes to targets. */
import { scheduleInWords } from "../../engine/jobs/index.ts";
import type { TenantPlan } from "../../engine/plan/types.ts";
import { connectorOf } from "./provider.ts";
import { closed, id, nullable } from "./schemas.ts";

const text = { type: "string" } as const;

export const flowGraph = {
  connections: { type: "array", items: closed({ connection: id("The connection.", "aptem"), connector: id("Its connector.", "aptem"), title: text, enabled: { type: "boolean" } }) },
  flows: {
    type: "array", description: "Into our own model.",
    items: closed({
      flow: id("The flow.", "learners"), title: nullable(text), enabled: { type: "boolean" }, connection: text, stream: text, entity: text, mapping: nullable({ type: "string", description: "Null: stored as it comes." }),
      fields: { type: "integer", description: "That the mapping makes." }, where: nullable({ type: "string", description: "What it keeps." }), schedule: { type: "string", description: "In words." },
    }),
  },
  changes: {
    type: "array", description: "Out of our own model.",
    items: closed({
      flow: text, title: nullable(text), enabled: { type: "boolean" }, entity: text, when: nullable({ type: "string", description: "What must become true, or hold of the change." }), mapping: nullable(text), hold_for: nullable({ type: "string", description: "The role that approves each." }),
      to: closed({ kind: { type: "string", enum: ["action", "save", "webhook"] }, connection: nullable(text), name: { type: "string", description: "The action, the stream, or the webhook." } }),
    }),
  },
  entities: { type: "array", items: closed({ entity: text, title: text, match: { type: "array", items: text, description: "Fields that join rows of several connections." } }) },
} as const;

export function flowGraphOf(plan: TenantPlan): object {
  const isOn = (connection: string): boolean => plan.connections[connection]?.enabled === true;
  return {
    connections: Object.entries(plan.connections).map(([name, { connector, enabled }]) => ({ connection: name, connector: connectorOf(plan, name), title: plan.connectors[connector]?.title ?? connector, enabled })),
    flows: Object.values(plan.flows).map((flow) => ({
      flow: flow.name, title: flow.title ?? null, enabled: flow.enabled && isOn(flow.connection), connection: flow.connection, stream: flow.stream, entity: flow.to.entity,
      mapping: flow.map?.id ?? null, fields: Object.keys(flow.map?.fields ?? {}).length, where: flow.map?.where ?? null, schedule: scheduleInWords(flow.schedule),
    })),
    changes: Object.values(plan.change_flows ?? {}).map(({ name, title, enabled, entity, becomes, when, map, hold_for, to }) => ({
      flow: name, title: title ?? null, enabled, entity, when: becomes ?? when ?? null, mapping: map?.id ?? null, hold_for: hold_for ?? null,
      to: "action" in to ? { kind: "action", connection: to.connection, name: to.action } : "save" in to ? { kind: "save", connection: to.connection, name: to.save } : { kind: "webhook", connection: null, name: to.webhook },
    })),
    entities: Object.entries(plan.entities).map(([entity, { schema, match }]) => ({ entity, title: typeof schema["title"] === "string" ? schema["title"] : entity, match })),
  };
}
