/** With which keys everything is sealed, and new data keys while everything runs. The key-encryption key is for the command line: it comes from outside. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { suggest } from "../../../engine/errors/nearest.ts";
import { keyHeads, listTenants, PLATFORM, recordAudit } from "../../../engine/store/index.ts";
import { createKeyRotation, type RotationUnderWay } from "../../key-rotation.ts";
import { actorOf } from "../access.ts";
import { closed, count, id, instant, nullable, operatorQuery } from "../schemas.ts";
import type { Services } from "../services.ts";

const MOST_TENANTS = 500;

const rotation = {
  anyOf: [{ type: "null" }, closed({
    by: { type: "string" }, started_at: instant("When it began."), ended_at: nullable(instant("When it ended.")), all: count("Organisations it is for."), finished: count("Of them, those with their new key."),
    now: { anyOf: [{ type: "null" }, closed({ tenant: { type: "string" }, done: count("Values sealed again."), total: count("Values to be sealed again.") })] },
    error: { anyOf: [{ type: "null" }, closed({ tenant: { type: "string" }, code: { type: "string" }, message: { type: "string" }, hint: { type: "string" } })], description: "It ended early: the old key of this organisation is kept, and nothing is lost." },
  })],
  description: "The latest of this server since it started.",
} as const;

export function registerDataKeys(server: FastifyInstance, { db, keyring }: Services): void {
  const rotating = createKeyRotation(db, keyring, (error) => { server.log.error({ error }, "a rotation of data keys stopped"); });
  server.addHook("onClose", () => rotating.stop());
  const living = async () => (await listTenants(db)).filter(({ status }) => status !== "erasing");

  server.get("/api/data-keys", {
    config: { permission: "installation:read" },
    schema: {
      tags: ["operations"], summary: "Keys of this installation", description: "Their names and ages, never the keys.", querystring: operatorQuery,
      response: { 200: closed({
        kek: { type: "string", description: "Name of the key-encryption key." }, old_kek: nullable({ type: "string", description: "The one before it, while it is accepted." }), all: count("Organisations there are."),
        data: { type: "array", items: closed({ tenant: { type: "string" }, title: { type: "string" }, version: nullable({ type: "integer", description: "Of the data key that seals; null: none yet." }), created_at: nullable(instant("When it was made.")), wrapped_by: { type: "string", enum: ["current", "old", "unknown", "none"] }, rotating: { type: "boolean", description: "An older data key is still there: a rotation is under way, or was cut short." } }) },
        rotation,
      }) },
    },
  }, async () => {
    const all = await living();
    const titles = new Map(all.map(({ slug, title }) => [slug, title]));
    const heads = await keyHeads(db, keyring, all.slice(0, MOST_TENANTS).map(({ slug }) => slug));
    return { kek: keyring.kekId, old_kek: keyring.oldKekId ?? null, all: all.length, data: heads.map(({ version, created_at, ...head }) => ({ ...head, title: titles.get(head.tenant)!, version: version ?? null, created_at: created_at ?? null })), rotation: rotationView(rotating.latest) };
  });

  server.post<{ Body: { tenant?: string } | null }>("/api/data-keys/rotation", {
    config: { permission: "installation:write" },
    schema: {
      tags: ["operations"], summary: "Begin to replace data keys", description: "Gives an organisation, or every one, a new data key, seals everything with it again, and destroys the old one; syncs go on meanwhile. GET /api/data-keys tells how far it is. Cut short, it goes on when it is begun again.", querystring: operatorQuery,
      body: { ...closed({ tenant: id("Only this one's.", "acme") }), type: ["object", "null"] }, response: { 202: closed({ rotation }) },
    },
  }, async (request, reply) => {
    const slugs = (await living()).map(({ slug }) => slug);
    const wanted = request.body?.tenant;
    if (wanted !== undefined && !slugs.includes(wanted)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Tenant", name: wanted, suggestion: suggest(wanted, slugs) });
    if (!rotating.begin(wanted === undefined ? slugs : [wanted], request.caller!.name)) throw new PlugboardError("SERVER_EXISTS", { kind: "Rotation", name: "of data keys", suggestion: "It is under way: wait until it ends." });
    await recordAudit(db, PLATFORM, { actor: actorOf(request as FastifyRequest), action: "data_keys.rotation_begun", subject: { kind: "data_keys", id: wanted ?? "all" } });
    return reply.code(202).send({ rotation: rotationView(rotating.latest) });
  });
}

const rotationView = (found: RotationUnderWay | undefined): object | null =>
  (found === undefined ? null : { by: found.by, started_at: found.started_at, ended_at: found.ended_at ?? null, all: found.tenants.length, finished: found.finished, now: found.now ?? null, error: found.error ?? null });
