/** Where a record came from: each connection's view of it, the run and revision that stored it, and what the provider sent. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { getRecord, getRun, listContributions, readRaw, recordAudit } from "../../../engine/store/index.ts";
import { actorOf } from "../access.ts";
import { refuseHiddenRows } from "../record-access.ts";
import { closed, id, instant, nullable, query } from "../schemas.ts";
import type { Services } from "../services.ts";

const tags = ["records"];
const params = closed({ entity: id("An entity.", "learner"), id: id("The record.", "0199f6a2-…") }, ["entity", "id"]);
interface Asked { Params: { entity: string; id: string } }

export function registerLineage(server: FastifyInstance, { db, keyring, planOf }: Services): void {
  /** Of a row that the caller may see; the others are refused as their records are. */
  const found = async (request: FastifyRequest, entity: string, row: string): Promise<string> => {
    const { tenant } = request;
    refuseHiddenRows(request, entity, (await planOf(tenant)).entities[entity]);
    const record = await getRecord(db, tenant, entity, row);
    if (record === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Record", name: row });
    return String(record["id"]);
  };

  server.get<Asked>("/api/records/:entity/:id/lineage", {
    config: { permission: "runs:read" },
    schema: {
      tags, summary: "Where a record came from", params, querystring: query(),
      response: {
        200: closed({
          contributions: {
            type: "array", description: "Each connection's view of the row, ended ones too.",
            items: closed({
              connection: { type: "string" }, stream: { type: "string" }, key: { type: "string" }, version: nullable({ type: "string" }), data: { type: "object", additionalProperties: true },
              flow: nullable({ type: "string" }), mapping: nullable({ type: "string", description: "That the flow uses now." }), run: { type: "string" }, revision: nullable({ type: "string", description: "Of the run that stored it." }),
              created_at: instant("First stored."), updated_at: instant("Last changed."), deleted_at: nullable(instant("Ended.")), deleted_reason: nullable({ type: "string" }),
            }),
          },
        }),
      },
    },
  }, async (request) => {
    const { tenant, params: { entity, id: row } } = request;
    const rowId = await found(request as FastifyRequest, entity, row);
    const plan = await planOf(tenant);
    const contributions = await listContributions(db, tenant, entity, rowId);
    return {
      contributions: await Promise.all(contributions.map(async ({ run_id, created_at, updated_at, deleted_at, labels: _labels, ...rest }) => {
        const run = await getRun(db, tenant, run_id);
        const flow = run?.flow ?? Object.values(plan.flows).find((each) => each.connection === rest.connection && each.stream === rest.stream && each.to.entity === entity)?.name;
        return {
          ...rest, flow: flow ?? null, mapping: (flow === undefined ? undefined : plan.flows[flow]?.map?.id) ?? null, run: run_id, revision: run?.revision ?? null,
          created_at: created_at.toISOString(), updated_at: updated_at.toISOString(), deleted_at: deleted_at?.toISOString() ?? null,
        };
      })),
    };
  });

  server.get<Asked & { Querystring: { connection: string; stream: string; key: string } }>("/api/records/:entity/:id/raw", {
    config: { permission: "raw:read" },
    schema: {
      tags, summary: "A record as the provider last sent it", description: "Each look is a line in the tenant's audit log.", params,
      querystring: { ...query({ connection: id("Of the contribution.", "hubspot"), stream: id("Of the contribution.", "companies"), key: { type: "string", minLength: 1, maxLength: 1100, description: "Of the contribution.", examples: ["42"] } }), required: ["connection", "stream", "key"] },
      response: { 200: closed({ raw: {} }) },
    },
  }, async (request) => {
    const { tenant, params: { entity, id: row }, query: { connection, stream, key } } = request;
    const rowId = await found(request as FastifyRequest, entity, row);
    if (!(await listContributions(db, tenant, entity, rowId)).some((each) => each.connection === connection && each.stream === stream && each.key === key)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Contribution", name: key });
    await recordAudit(db, tenant, { actor: actorOf(request), action: "record.raw_read", subject: { kind: entity, id: rowId }, after: { connection, stream, key } });
    return { raw: (await readRaw(db, keyring, tenant, { connection, stream, entity, key })) ?? null };
  });
}
