/** What leaves: look at it and at every try of it, send it again, say what became of it; and what a flow would send. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { fireRows, pendingRows, previewDelivery } from "../../../engine/jobs/index.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import type { ChangeFlowPlan, TenantPlan } from "../../../engine/plan/types.ts";
import {
  cancelDelivery, countReplayableDeliveries, getDelivery, listAttempts, listBreakers, listDeliveries, pauseChanges, pauseFlow, readDeliveryPayload, recordAudit, REPLAYABLE, replayDelivered, resolveUnknown, withTenant,
  type Delivery, type DeliveryFilter, type DeliveryStatus, type TenantTransaction,
} from "../../../engine/store/index.ts";
import { actorOf } from "../access.ts";
import { closed, count, dryRun, id, instant, nullable, pagingQuery, query } from "../schemas.ts";
import type { Services } from "../services.ts";
import { afterOf, pageView } from "../views.ts";

export const STATUSES: readonly DeliveryStatus[] = ["waiting", "held", "queued", "sending", "unknown", "delivered", "unchanged", "failed", "exhausted", "cancelled", "rejected", "superseded"];

const tags = ["deliveries"];
const deliveryId = { type: "string", format: "uuid", description: "The delivery." } as const;
const flowParam = closed({ flow: id("The change flow.", "invitations") }, ["flow"]);

export const deliverySchema = {
  id: id("The delivery, the same on every attempt: the `webhook-id` of an outgoing webhook.", "0199f6a2-…"), flow: id("The flow that made it.", "invitations"), entity: { type: "string" }, row: { type: "string", description: "The row that changed." },
  cause: { type: "string", enum: ["event", "poll", "asked"], description: "`asked`: a person asked for it." }, changed_at: instant("When the row changed."),
  kind: { type: "string", enum: ["action", "save", "webhook"] }, target: { type: "string", description: "The connection, or the endpoint's name." }, operation: { type: "string", description: "The action; of a webhook its type; of a save that was not sent yet its stream." },
  status: { type: "string", enum: STATUSES, description: "`waiting` for a reference, `held` for a person, `queued` to be sent at `due_at`, `sending`; `unknown`: nobody knows whether it arrived, say so. The others are final." },
  code: nullable({ type: "string" }), reason: nullable({ type: "string", description: "Why it ended or waits." }), attempts: count("Attempts."), revision: { type: "string", description: "The configuration that made it." },
  due_at: nullable(instant("When it is sent, or tried again.")), first_sent_at: nullable(instant("First attempt.")), last_sent_at: nullable(instant("Last attempt.")),
  hold_role: nullable({ type: "string", description: "The role it waits for." }), decided_by: nullable({ type: "string" }), decided_at: nullable(instant("When that was decided.")), superseded_by: nullable({ type: "string", description: "The newer delivery of the row." }),
  key: nullable({ type: "string", description: "What the provider calls the record." }), version: nullable({ type: "string" }), gap: { type: "boolean", description: "An earlier one of the same row did not arrive." },
  behind: nullable({ type: "string", description: "The one of the same row that has to end first." }), created_at: instant("When it was made."), finished_at: nullable(instant("When it ended.")),
} as const;
const filters = {
  status: { type: "string", enum: STATUSES, description: "Only with this status." }, flow: id("Only of this flow.", "invitations"), target: id("Only to this connection or endpoint.", "hubspot"),
  row: { type: "string", format: "uuid", description: "Only of this row." }, code: { type: "string", maxLength: 100, description: "Only with this reason.", examples: ["DELIVERY_REFUSED"] },
} as const;

interface Wanted { readonly status?: DeliveryStatus; readonly flow?: string; readonly target?: string; readonly row?: string; readonly code?: string }

export function registerDeliveries(server: FastifyInstance, { db, keyring, references, planOf }: Services): void {
  const filterOf = ({ status, flow, target, row, code }: Wanted): DeliveryFilter => ({
    ...(status === undefined ? {} : { status: [status] }), ...(flow === undefined ? {} : { flow }), ...(target === undefined ? {} : { target }), ...(row === undefined ? {} : { row }), ...(code === undefined ? {} : { code }),
  });
  const audited = (tx: TenantTransaction, request: FastifyRequest, action: string, subject: { kind: string; id: string }, after?: object): Promise<void> =>
    recordAudit(tx, request.tenant, { actor: actorOf(request), action, subject, ...(after === undefined ? {} : { after: after as never }) });
  /** @throws SERVER_NOT_FOUND, SERVER_TOO_LATE */
  const settle = (request: FastifyRequest<{ Params: { id: string } }>, action: string, work: (tx: TenantTransaction) => Promise<boolean>, after?: object): Promise<Delivery> => withTenant(db, request.tenant, async (tx) => {
    const found = await known(tx, request.params.id);
    if (!await work(tx)) throw new PlugboardError("SERVER_TOO_LATE", { kind: "Delivery", name: found.id, status: found.status });
    await audited(tx, request, action, { kind: "delivery", id: found.id }, after);
    return known(tx, found.id);
  });

  server.get<{ Querystring: Wanted & { limit: number; cursor?: string } }>("/api/deliveries", {
    config: { permission: "deliveries:read" },
    schema: { tags, summary: "What was sent, or waits to be, newest first", description: "Never what it holds.", querystring: query({ ...filters, ...pagingQuery }), response: { 200: closed({ data: { type: "array", items: closed(deliverySchema) }, next_cursor: nullable({ type: "string" }) }) } },
  }, async ({ tenant, query: { limit, cursor, ...wanted } }) => {
    const list = ["deliveries", tenant, wanted.status, wanted.flow, wanted.target, wanted.row, wanted.code];
    return pageView(list, await listDeliveries(db, tenant, { ...filterOf(wanted), limit, ...afterOf(list, cursor, 1) }), deliveryView);
  });

  server.get<{ Params: { id: string } }>("/api/deliveries/:id", {
    config: { permission: "deliveries:read" },
    schema: {
      tags, summary: "A delivery and every try of it", description: "With what it holds, requests and answers, secrets masked; a tenant's own people see neither. What waits for a person, or was never approved, only those see who decide about it: GET /api/holds/:id.", params: closed({ id: deliveryId }, ["id"]), querystring: query(),
      response: {
        200: closed({
          ...deliverySchema, input: { anyOf: [{ type: "null" }, { type: "object", additionalProperties: true }], description: "What is sent, as it was mapped. Minted values are shown as stand-ins. Null where a person of `hold_role` has not approved it." },
          tries: {
            type: "array",
            items: closed({
              number: count("From 1."), started_at: instant("When it began."), ended_at: nullable(instant("When it ended.")), outcome: nullable({ type: "string", enum: ["done", "refused", "retry", "unknown", "auth", "accepted", null], description: "Null: under way." }),
              code: nullable({ type: "string" }), reason: nullable({ type: "string" }), http_status: { type: ["integer", "null"] }, requests: { type: ["array", "null"], items: { type: "object", additionalProperties: true }, description: "Requests and answers, secrets masked." },
            }),
          },
        }),
      },
    },
  }, async ({ tenant, grant, params }) => withTenant(db, tenant, async (tx) => {
    const found = await known(tx, params.id);
    const full = grant === "full";
    const payload = full && !isWithheld(found) ? await readDeliveryPayload(tx, keyring, tenant, found.id) : undefined;
    const attempts = await listAttempts(tx, tenant, found.id, full ? keyring : undefined);
    const masked = maskMinted(payload?.minted ?? {});
    return {
      ...deliveryView(found), input: payload?.input === undefined ? null : masked(payload.input),
      tries: attempts.map(({ number, started_at, ended_at, outcome, code, reason, http_status, exchange }) => ({
        number, started_at, ended_at: ended_at ?? null, outcome: outcome ?? null, code: code ?? null, reason: reason ?? null, http_status: http_status ?? null, requests: exchange === undefined ? null : masked(exchange["requests"]),
      })),
    };
  }));

  server.post<{ Params: { id: string } }>("/api/deliveries/:id/replay", {
    config: { permission: "deliveries:replay" },
    schema: { tags, summary: "Send a delivery again", description: "Under the same id and idempotency key. One that could not be mapped is mapped anew. Refused where its row was saved anew since.", params: closed({ id: deliveryId }, ["id"]), querystring: query(), response: { 202: closed(deliverySchema) } },
  }, async (request, reply) => reply.code(202).send(deliveryView(await settle(request, "delivery.replayed", async (tx) => (await replayDelivered(tx, request.tenant, { ids: [request.params.id] })).length === 1))));

  server.post<{ Body: Omit<Wanted, "status"> & { status?: DeliveryStatus; ids?: string[] }; Querystring: { dry_run?: boolean } }>("/api/deliveries/replay", {
    config: { permission: "deliveries:replay" },
    schema: {
      tags, summary: "Send deliveries again", description: "Those that failed or were given up, of this scope; in their order, ten a second, at most 10,000 a call. `dry_run=true` says how many, and changes nothing.", querystring: query({ dry_run: dryRun }),
      body: closed({ ...filters, status: { type: "string", enum: REPLAYABLE, description: "Only with this status; absent: `failed` and `exhausted`." }, ids: { type: "array", maxItems: 1000, items: { type: "string", format: "uuid" }, description: "Only these." } }),
      response: { 200: closed({ would_replay: count("How many, if it were not a dry run.") }), 202: closed({ replayed: count("Deliveries that are sent again.") }) },
    },
  }, async (request, reply) => {
    const { ids, ...wanted } = request.body;
    if (request.query.dry_run === true) return { would_replay: await countReplayableDeliveries(db, request.tenant, { ...filterOf(wanted), ...(ids === undefined ? {} : { ids }) }) };
    const replayed = await withTenant(db, request.tenant, async (tx) => {
      const done = await replayDelivered(tx, request.tenant, { ...filterOf(wanted), ...(ids === undefined ? {} : { ids }) });
      if (done.length > 0) await audited(tx, request as FastifyRequest, "deliveries.replayed", { kind: "tenant", id: request.tenant }, { count: done.length, ...wanted });
      return done.length;
    });
    return reply.code(202).send({ replayed });
  });

  server.post<{ Params: { id: string }; Body: { outcome: "sent" | "not sent" } }>("/api/deliveries/:id/resolve", {
    config: { permission: "deliveries:replay" },
    schema: {
      tags, summary: "Say what became of an unknown delivery", description: "`sent`: it arrived. `not sent`: it is sent again.", params: closed({ id: deliveryId }, ["id"]), querystring: query(),
      body: closed({ outcome: { type: "string", enum: ["sent", "not sent"], description: "What was found at the provider." } }, ["outcome"]), response: { 200: closed(deliverySchema) },
    },
  }, async (request) => deliveryView(await settle(request, "delivery.resolved", (tx) => resolveUnknown(tx, request.tenant, request.params.id, request.body.outcome === "sent", request.caller!.name), { outcome: request.body.outcome })));

  server.post<{ Params: { id: string } }>("/api/deliveries/:id/cancel", {
    config: { permission: "deliveries:replay" },
    schema: { tags, summary: "Cancel a delivery", description: "One that is under way, or over, is not.", params: closed({ id: deliveryId }, ["id"]), querystring: query(), response: { 200: closed(deliverySchema) } },
  }, async (request) => deliveryView(await settle(request, "delivery.cancelled", (tx) => cancelDelivery(tx, request.tenant, request.params.id, request.caller!.name))));

  server.get("/api/deliveries/breakers", {
    config: { permission: "deliveries:read" },
    schema: {
      tags, summary: "Targets that fail", description: "One that failed five times in a row is left alone for a while; then one delivery tries.", querystring: query(),
      response: { 200: closed({ data: { type: "array", items: closed({ target: { type: "string", description: "`connection:hubspot`, `endpoint:product`." }, failures: count("In a row."), opened_until: nullable(instant("Until when nothing is sent.")), reason: nullable({ type: "string" }) }) } }) },
    },
  }, async ({ tenant }) => ({ data: (await listBreakers(db, tenant)).map(({ target, failures, opened_until, reason }) => ({ target, failures, opened_until: opened_until ?? null, reason: reason ?? null })) }));

  // ── change flows ────────────────────────────────────────────────────────────────────────────────────────────────

  for (const [does, by] of [["pause", true], ["resume", false]] as const) {
    server.post<{ Params: { flow: string } }>(`/api/flows/:flow/${does}`, {
      config: { permission: "flows:pause" },
      schema: {
        tags, summary: by ? "Pause a flow" : "Resume a flow", params: closed({ flow: id("A flow that reads, or one that sends changes.", "invitations") }, ["flow"]), querystring: query(), response: { 200: closed({ flow: { type: "string" }, paused: { type: "boolean" } }) },
        description: by ? "One that reads starts no runs by itself. Of one that sends changes nothing is sent: what changes meanwhile is kept." : "What a change flow kept is sent, in its order.",
      },
    }, async (request) => {
      const { tenant, params: { flow } } = request;
      const plan = await planOf(tenant);
      const changes = Object.hasOwn(plan.change_flows ?? {}, flow);
      await withTenant(db, tenant, async (tx) => {
        const known = await (changes ? pauseChanges : pauseFlow)(tx, tenant, flow, by ? request.caller!.name : undefined);
        if (!known) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Flow", name: flow, suggestion: suggest(flow, [...Object.keys(plan.flows), ...Object.keys(plan.change_flows ?? {})]) });
        await audited(tx, request, `flow.${does}d`, { kind: "flow", id: flow });
      });
      return { flow, paused: by };
    });
  }

  server.get<{ Params: { flow: string }; Querystring: { since?: string } }>("/api/flows/:flow/pending", {
    config: { permission: "deliveries:read" },
    schema: {
      tags, summary: "What a change flow did not fire upon", description: "Nothing from a first load, a sweep, a resync, a replay or a changed mapping leaves by itself. `rows`: as many would be delivered if somebody asked for it now.", params: flowParam,
      querystring: query({ since: instant("Only rows that changed later.") }),
      response: { 200: closed({ rows: count("Rows that would be delivered."), more: { type: "boolean", description: "There are more than were looked at: ask in parts, by `since`." }, unfired: { type: "array", items: closed({ cause: { type: "string" }, count: count("Changes of the entity that fired nothing."), first_at: instant("First."), last_at: instant("Last.") }) } }) },
    },
  }, async ({ tenant, params, query: { since } }) => {
    const plan = await planOf(tenant);
    const { count: rows, more, unfired } = await pendingRows(db, plan, changeFlow(plan, params.flow), since);
    return { rows, more, unfired };
  });

  server.post<{ Params: { flow: string }; Body: { confirm: number; since?: string } }>("/api/flows/:flow/fire", {
    config: { permission: "deliveries:replay" },
    schema: {
      tags, summary: "Deliver what did not fire by itself", description: "409 with the count of now when it is not the one that was confirmed: nothing is sent then.", params: flowParam, querystring: query(),
      body: closed({ confirm: { type: "integer", minimum: 1, description: "`rows` of GET /api/flows/:flow/pending." }, since: instant("As it was asked with.") }, ["confirm"]), response: { 202: closed({ fired: count("Rows that are being delivered.") }) },
    },
  }, async (request, reply) => {
    const plan = await planOf(request.tenant);
    const flow = changeFlow(plan, request.params.flow);
    const { confirm, since } = request.body;
    return reply.code(202).send(await fireRows(db, plan, flow, { confirm, by: request.caller!.name, ...(since === undefined ? {} : { since }) }, (tx, fired) => audited(tx, request, "flow.fired", { kind: "flow", id: flow.name }, { rows: fired })));
  });

  server.post<{ Params: { flow: string }; Body: { row: string } }>("/api/flows/:flow/preview", {
    config: { permission: "raw:read" },
    schema: {
      tags, summary: "What a change flow would send for a row", description: "The exact request, secrets masked. Nothing is sent and nothing is made; minted values have stand-ins.", params: flowParam, querystring: query(),
      body: closed({ row: { type: "string", format: "uuid", description: "A row of the flow's entity." } }, ["row"]),
      response: {
        200: closed({
          fires: { type: "boolean", description: "Whether the flow would fire if the row were new." }, input: { anyOf: [{ type: "null" }, { type: "object", additionalProperties: true }] }, action: nullable({ type: "string" }),
          request: { anyOf: [{ type: "null" }, closed({ method: { type: "string" }, url: { type: "string" }, headers: { type: "object", additionalProperties: true }, body: {} })] }, problem: nullable({ type: "string", description: "Why there is no request." }), notes: { type: "array", items: { type: "string" } },
        }),
      },
    },
  }, async ({ tenant, params, body }) => {
    const plan = await planOf(tenant);
    const flow = changeFlow(plan, params.flow);
    const preview = await previewDelivery({ db, keyring, references }, plan, flow, body.row, Date.now());
    if (preview === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Row", name: body.row });
    const { fires, input, action, request, problem, notes } = preview;
    return { fires, input: input ?? null, action: action ?? null, request: request ?? null, problem: problem ?? null, notes };
  });
}

async function known(tx: TenantTransaction, delivery: string): Promise<Delivery> {
  const found = await getDelivery(tx, tx.tenant, delivery);
  if (found === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Delivery", name: delivery });
  return found;
}

/** What a person was to look at first is shown to nobody else until they have approved it: it may never leave. */
const isWithheld = ({ hold_role, status }: Delivery): boolean => hold_role !== undefined && ["waiting", "held", "rejected", "superseded", "cancelled"].includes(status);

function changeFlow(plan: TenantPlan, flow: string): ChangeFlowPlan {
  const flows = plan.change_flows ?? {};
  if (!Object.hasOwn(flows, flow)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Change flow", name: flow, suggestion: suggest(flow, Object.keys(flows)) });
  return flows[flow]!;
}

/** A minted value opens a door: whoever looks at a delivery sees that there is one, not which. */
export const maskMinted = (minted: Readonly<Record<string, string>>) => <T>(value: T): T => {
  let text = JSON.stringify(value);
  if (text === undefined) return value;
  for (const token of Object.values(minted)) text = text.replaceAll(token, "***");
  return JSON.parse(text) as T;
};

export const deliveryView = (found: Delivery): object => ({
  id: found.id, flow: found.flow, entity: found.entity, row: found.row, cause: found.cause, changed_at: found.changed_at, kind: found.kind, target: found.target, operation: found.operation, status: found.status,
  code: found.code ?? null, reason: found.reason ?? null, attempts: found.attempts, revision: found.revision, due_at: found.due_at ?? null, first_sent_at: found.first_sent_at ?? null, last_sent_at: found.last_sent_at ?? null,
  hold_role: found.hold_role ?? null, decided_by: found.decided_by ?? null, decided_at: found.decided_at ?? null, superseded_by: found.superseded_by ?? null, key: found.result_key ?? null, version: found.result_version ?? null,
  gap: found.gap ?? false, behind: found.behind ?? null, created_at: found.created_at, finished_at: found.finished_at ?? null,
});
