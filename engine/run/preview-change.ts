/** What a change of a row would send: whether the flow fires, the input it makes, and the exact request with secrets masked. Nothing is sent or made. */
import type { JsonObject } from "../manifest/types.ts";
import { saveAction, savesOf } from "../plan/saves.ts";
import type { ChangeFlowPlan, TenantPlan } from "../plan/types.ts";
import { compileChangeFlow, type ChangeSeen, type FindRow } from "./change-flow.ts";
import { inputFor } from "./compile-action.ts";
import type { ConnectionValues } from "./ports.ts";
import { renderAction, type RenderedAction } from "./render-action.ts";

export interface PreviewedChange {
  readonly fires: boolean;
  /** Why it would be kept and not sent: an expression that fails, a reference that means no row, no action for it. */
  readonly problem?: { readonly code: string; readonly message: string };
  readonly input?: JsonObject;
  /** The role whose person would be asked first. */
  readonly held_for?: string;
  /** Absent for an outgoing webhook, whose input is its `data`. */
  readonly action?: { readonly name: string } & RenderedAction;
}

/** Stands for a value that is made once for each delivery. */
export const standIn = (name: string): string => `stand-in-for-${name}`;

/**
 * @param values of the target's connection, where there is one; secrets are not needed.
 * @param find rows that references mean; without it only what the row itself holds is known.
 * @throws PlugboardError MANIFEST_EXPRESSION, MAPPING_SYNTAX
 */
export async function previewChange(tenant: TenantPlan, flow: ChangeFlowPlan, change: ChangeSeen, now: number, values: ConnectionValues = { config: {} }, find: FindRow = async () => undefined): Promise<PreviewedChange> {
  const compiled = compileChangeFlow(flow, tenant);
  const fires = await compiled.fires(change);
  if (typeof fires === "object") return { fires: false, problem: { code: fires.code, message: fires.reason } };
  const held = flow.hold_for === undefined ? {} : { held_for: flow.hold_for };
  const ended = change.after === undefined;
  const mapped = ended && "save" in flow.to ? { input: {} } : await compiled.map(change, Object.fromEntries(Object.keys(flow.mint).map((name) => [name, standIn(name)])), find);
  if ("failed" in mapped) return { fires, ...held, problem: { code: mapped.failed.code, message: mapped.failed.reason } };
  if ("missing" in mapped) return { fires, ...held, problem: { code: "DELIVERY_REFERENCE", message: `'${mapped.missing.field}' refers to ${mapped.missing.entity} ${mapped.missing.key}, which is not known here.` } };
  if ("webhook" in flow.to) return { fires, ...held, input: mapped.input };

  const { connection } = flow.to;
  const connector = tenant.connectors[flow.to.connector]!;
  const key = change.links[connection];
  const name = "action" in flow.to ? flow.to.action : saveAction(savesOf(connector, flow.to.save), { linked: key !== undefined, ended });
  const action = name === undefined ? undefined : connector.actions?.[name];
  if (name === undefined || action === undefined) return { fires, ...held, input: mapped.input, problem: { code: "DELIVERY_NOT_SAVED", message: `No action of '${connector.id}' ${ended ? "deletes" : key === undefined ? "creates" : "updates"} this.` } };
  const input = "save" in flow.to ? inputFor(action, mapped.input) : mapped.input;
  const planned = tenant.connections[connection];
  const rendered = await renderAction({
    tenant: tenant.tenant, connection, connector, values, action: name, inputs: [input], delivery: { id: "preview", key: "preview", attempt: 1 }, variables: { inputs: tenant.inputs, labels: flow.labels },
    ...(planned === undefined ? {} : { plan: planned }), ...(key === undefined ? {} : { key }),
  }, now);
  return { fires, ...held, input, action: { name, ...rendered } };
}
