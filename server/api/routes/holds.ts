/** What waits for a person before it leaves. What they approve is what is sent, to the letter. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { decideHeld, getDelivery, listHolds, readDeliveryPayload, recordAudit, withTenant, type Delivery, type TenantTransaction } from "../../../engine/store/index.ts";
import { actorOf } from "../access.ts";
import { grantOf } from "../permissions.ts";
import { closed, nullable, pagingQuery, query } from "../schemas.ts";
import type { Services } from "../services.ts";
import { afterOf, pageView } from "../views.ts";
import { deliverySchema, deliveryView, maskMinted } from "./deliveries.ts";

const tags = ["deliveries"];
const params = closed({ id: { type: "string", format: "uuid", description: "The delivery that waits." } }, ["id"]);

export function registerHolds(server: FastifyInstance, { db, keyring }: Services): void {
  /** Of whom the caller sees what waits; undefined: of everybody. */
  const roleOf = ({ grant, caller }: FastifyRequest): string | undefined => (grant === "narrow" ? caller!.role ?? caller!.within ?? "" : undefined);
  /** What would be sent is for those who decide about it. A key decides nothing: it sees that something waits, for whom and since when. */
  const decides = ({ caller }: FastifyRequest): boolean => caller!.role !== undefined && grantOf(caller!.role, "holds:decide") !== undefined;
  /** What waits for another role does not exist for this one. @throws SERVER_NOT_FOUND, SERVER_TOO_LATE */
  const held = async (tx: TenantTransaction, request: FastifyRequest<{ Params: { id: string } }>): Promise<Delivery> => {
    const found = await getDelivery(tx, request.tenant, request.params.id);
    const role = roleOf(request);
    if (found === undefined || (role !== undefined && found.hold_role !== role) || (found.status !== "held" && found.hold_role === undefined)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Held delivery", name: request.params.id });
    return found;
  };

  server.get<{ Querystring: { limit: number; cursor?: string } }>("/api/holds", {
    config: { permission: "holds:read" },
    schema: { tags, summary: "What waits for a person, newest first", description: "A newer change of the same row takes an older one's place.", querystring: query(pagingQuery), response: { 200: closed({ data: { type: "array", items: closed(deliverySchema) }, next_cursor: nullable({ type: "string" }) }) } },
  }, async (request) => {
    const { tenant, query: { limit, cursor } } = request;
    const role = roleOf(request);
    const list = ["holds", tenant, role];
    return pageView(list, await listHolds(db, tenant, { limit, ...(role === undefined ? {} : { role }), ...afterOf(list, cursor, 1) }), deliveryView);
  });

  server.get<{ Params: { id: string } }>("/api/holds/:id", {
    config: { permission: "holds:read" },
    schema: { tags, summary: "What would be sent", params, querystring: query(), response: { 200: closed({ ...deliverySchema, input: { anyOf: [{ type: "null" }, { type: "object", additionalProperties: true }], description: "What is sent when it is approved; minted values are masked. Null for who may not decide." } }) } },
  }, (request) => withTenant(db, request.tenant, async (tx) => {
    const found = await held(tx, request);
    const payload = decides(request) ? await readDeliveryPayload(tx, keyring, request.tenant, found.id) : undefined;
    return { ...deliveryView(found), input: payload?.input === undefined ? null : maskMinted(payload.minted)(payload.input) };
  }));

  for (const [does, approved] of [["approve", true], ["reject", false]] as const) {
    server.post<{ Params: { id: string }; Body: { reason?: string } | null }>(`/api/holds/:id/${does}`, {
      config: { permission: "holds:decide" },
      schema: {
        tags, summary: approved ? "Let it be sent" : "Never send it", description: approved ? "It is sent as it was frozen." : "It is over; a later change of the row waits anew.", params, querystring: query(),
        body: { ...closed({ reason: { type: "string", maxLength: 1000, description: "Why." } }), type: ["object", "null"] }, response: { 200: closed(deliverySchema) },
      },
    }, (request) => withTenant(db, request.tenant, async (tx) => {
      const found = await held(tx, request);
      const reason = request.body?.reason;
      if (!await decideHeld(tx, request.tenant, found.id, approved, request.caller!.name, reason)) throw new PlugboardError("SERVER_TOO_LATE", { kind: "Held delivery", name: found.id, status: found.status });
      await recordAudit(tx, request.tenant, { actor: actorOf(request), action: approved ? "hold.approved" : "hold.rejected", subject: { kind: "delivery", id: found.id }, ...(reason === undefined ? {} : { reason }) });
      return deliveryView((await getDelivery(tx, request.tenant, found.id))!);
    }));
  }
}
