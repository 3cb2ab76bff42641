/** A dry write: what a change flow would send for a row as it is now. Nothing is made, nothing is sent. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import { saveAction, savesOf } from "../plan/saves.ts";
import type { ChangeFlowPlan, ConnectorPlan, TenantPlan } from "../plan/types.ts";
import type { ChangeSeen } from "../run/change-flow.ts";
import { inputFor } from "../run/compile-action.ts";
import { createRedactor } from "../run/redact.ts";
import { renderAction, type RenderedAction } from "../run/render-action.ts";
import { type Database, findReferenced, inputHash, type Keyring, linkedKeys, openOutgoingEndpoint, readConnectionValues, readLink, readRow, type ReferenceResolver, withTenant } from "../store/index.ts";
import { compiledFlow, mapPayload, standIn } from "./outbox.ts";
import { webhookRequest } from "./outgoing-webhook.ts";

export interface DeliveryPreview extends RenderedAction {
  /** Whether the row, were it new, would make the flow fire. */
  readonly fires: boolean;
  /** What the mapping makes of it. */
  readonly input?: object;
  /** The action it would be. */
  readonly action?: string;
}

const ID = "00000000-0000-7000-8000-000000000000";
/** In place of the idempotency key, which only a delivery has. */
const KEY = "0".repeat(32);

/** @returns undefined when there is no such row. @throws PlugboardError */
export async function previewDelivery(at: { readonly db: Database; readonly keyring: Keyring; readonly references: ReferenceResolver }, plan: TenantPlan, flow: ChangeFlowPlan, row: string, now: number): Promise<DeliveryPreview | undefined> {
  const { db, keyring, references } = at;
  const tenant = plan.tenant.id;
  const compiled = compiledFlow(plan, flow);
  const looked = await withTenant(db, tenant, async (tx) => {
    const found = await readRow(tx, flow.entity, row);
    if (found === undefined) return undefined;
    const links = { ...(await linkedKeys(tx, [found.id])).get(found.id), ...found.links };
    const seen: ChangeSeen = { id: found.id, links, ...(found.live ? { after: found.data } : { before: found.data }) };
    const find = (entity: string, key: string, connections: readonly string[]) => findReferenced(tx, entity, key, connections);
    const minted = Object.fromEntries(Object.keys(flow.mint).map((name) => [name, standIn(name)]));
    const mapped = await mapPayload(compiled, seen, { links, minted }, { tenant, entity: flow.entity, changedAt: new Date(found.updatedAt).toISOString() }, find);
    const link = "save" in flow.to ? await readLink(tx, { connection: flow.to.connection, stream: flow.to.save, entity: flow.entity, row: found.id }) : {};
    const theirs = link.data === undefined ? undefined : await compiled.inputOf({ id: found.id, data: link.data, links }, find);
    return { seen, mapped, link, theirs, fires: (await compiled.fires(seen)) === true };
  });
  if (looked === undefined) return undefined;
  const { seen, mapped, link, theirs, fires } = looked;
  const { payload } = mapped;
  const shown = { fires, ...(payload.input === undefined ? {} : { input: payload.input }) };
  if ("failed" in mapped) return { ...shown, problem: mapped.failed.reason, notes: [] };
  if ("missing" in mapped) return { ...shown, problem: new PlugboardError("DELIVERY_REFERENCE", mapped.missing).message, notes: [] };

  if ("webhook" in flow.to) {
    const endpoint = await openOutgoingEndpoint(db, keyring, tenant, flow.to.webhook);
    if (endpoint === undefined) return { ...shown, problem: new PlugboardError("DELIVERY_ENDPOINT", { name: flow.to.webhook, state: "does not exist" }).message, notes: [] };
    const { method, url, headers } = webhookRequest({ id: ID, body: payload.body!, url: endpoint.url, secrets: endpoint.secrets }, now);
    const redactor = createRedactor(endpoint.secrets, tenant);
    // A signature is worth nothing for this id; it is left out so that nobody takes it for one.
    const named = Object.fromEntries([...headers].map(([name, value]) => [name, name === "webhook-signature" ? "***" : redactor.text(value)]));
    return { ...shown, request: { method, url: url.href, headers: named, body: JSON.parse(payload.body!) }, notes: endpoint.enabled ? [] : ["the endpoint is disabled: deliveries wait"] };
  }
  const { connection } = flow.to;
  const planned = plan.connections[connection];
  const connector: ConnectorPlan | undefined = planned && plan.connectors[planned.connector];
  if (connector === undefined) return { ...shown, problem: new PlugboardError("DELIVERY_TARGET", { what: `Connection '${connection}'` }).message, notes: [] };
  const action = "action" in flow.to ? flow.to.action : saveAction(savesOf(connector, flow.to.save), { linked: link.key !== undefined, ended: seen.after === undefined });
  const plannedAction = action === undefined ? undefined : connector.actions?.[action];
  if (action === undefined || plannedAction === undefined) return { ...shown, problem: "The connector has no action for it: nothing would be sent.", notes: [] };
  const same = payload.input !== undefined && link.key !== undefined && (theirs === undefined ? link.inputHash : inputHash(theirs)) === inputHash(payload.input);
  const values = await readConnectionValues(db, keyring, tenant, connection, connector, planned, references).catch((thrown: unknown) => {
    // A preview needs no credential.
    if (thrown instanceof PlugboardError && !thrown.code.startsWith("STORE_UN")) return { config: {} };
    throw thrown;
  });
  const rendered = await renderAction({
    tenant: { id: plan.tenant.id, title: plan.tenant.title }, connection, connector, plan: planned!, values, variables: { inputs: plan.inputs, labels: plan.labels, ...payload.minted }, action,
    inputs: [inputFor(plannedAction, payload.input ?? {})], ...(link.key === undefined ? {} : { key: link.key }), delivery: { id: ID, key: KEY, attempt: 1 },
  }, now);
  return { ...rendered, ...shown, action, notes: [...rendered.notes, ...same ? ["the connection has this already: nothing would be sent"] : []] };
}
