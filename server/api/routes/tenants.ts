/** Organisations: made in three steps, rested, taken along, erased. */
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { listPresets, planOfPreset, type TenantPlan } from "../../../engine/plan/index.ts";
import { findTenant, listConnections, listTenants, PLATFORM, readProfile, recordAudit, requestErasure, resumeTenant, saveProfile, suspendTenant, withTenant, type TenantInForce, type TenantProfile } from "../../../engine/store/index.ts";
import { createOrganisation, reviewOrganisation } from "../../organisations/create.ts";
import { headOfMain } from "../../organisations/configuration.ts";
import { eraseOrganisation } from "../../organisations/erase.ts";
import { exportOrganisation } from "../../organisations/export.ts";
import { idOf, type Organisation } from "../../organisations/organisation.ts";
import { actorOf } from "../access.ts";
import { printCursor, readCursor } from "../page-cursor.ts";
import { closed, id, instant, nullable, pagingQuery } from "../schemas.ts";
import { reviewOf, type Services } from "../services.ts";

const tags = ["organisations"];
const text = (description: string, maxLength = 500) => ({ type: "string", maxLength, description }) as const;
const params = closed({ tenant: id("The organisation.", "acme") }, ["tenant"]);
const billing = closed({ name: text("Who is billed."), email: text("Where invoices go.", 254), reference: text("What they want to read on it."), address: text("Their address.", 2000) });
const administrator = closed({ email: text("Who is invited first.", 254), name: text("Their name.") }, ["email"]);

const organisation = closed({
  name: { ...text("1. The organisation's name.", 200), minLength: 1, examples: ["Acme Training Ltd"] }, id: { ...text("Its id in files and addresses of the API; made of the name where left out.", 63), examples: ["acme"] },
  subdomain: { ...text("Its address below the deployment's domain.", 63), examples: ["acme"] },
  limits: { type: "object", description: "What the contract covers: entity → most rows.", examples: [{ learners: 500 }], additionalProperties: { type: "integer", minimum: 0, maximum: 1e12 } },
  preset: { ...text("2. What it connects: a preset, in its newest release, or in one.", 200), examples: ["aptem-hubspot", "aptem-hubspot@3"] },
  inputs: { type: "object", description: "Answers to what the preset asks.", examples: [{ country: "IE" }], additionalProperties: true },
  billing: { ...billing, description: "3. Whom to bill; stays in the database." }, administrator: { ...administrator, description: "3. Who is invited first; stays in the database." },
}, ["name", "subdomain", "preset"]);

const connection = closed({ connection: { type: "string" }, connector: { type: "string" }, status: { type: "string" }, account: nullable({ type: "string" }) });
const tenant = {
  $id: "Tenant", title: "Tenant",
  ...closed({
    tenant: id("Its id.", "acme"), title: { type: "string" }, kind: { type: "string", enum: ["customer", "platform"], description: "`platform` holds the operator's own connections." },
    subdomain: nullable({ type: "string" }), status: { type: "string", enum: ["creating", "active", "suspended", "erasing"] }, status_at: instant("Since when."), status_by: nullable({ type: "string" }), status_reason: nullable({ type: "string" }),
    revision: nullable({ type: "string", description: "In force; null when the configuration does not name it." }), created_at: instant("Made."),
    preset: { anyOf: [{ type: "null" }, closed({ id: { type: "string" }, release: { type: ["integer", "string"], description: "`head` where the preset has no release." }, newest: { type: ["integer", "null"], description: "The newest release there is." }, upgrade: { type: "boolean", description: "A newer release is there." } })] },
    limits: { type: "object", additionalProperties: { type: "integer" } },
    connections: { type: "array", items: connection },
  }),
} as const;

const review = closed({
  tenant: { type: "string" }, preset: { type: "string" }, file: { type: "string", description: "What is committed." }, text: { type: "string" },
  problems: { type: "array", items: closed({ code: { type: "string" }, field: { type: "string" }, pointer: { type: "string" }, message: { type: "string" }, hint: { type: "string" } }) },
  connections: { type: "array", items: closed({ connection: { type: "string" }, connector: { type: "string" }, title: { type: "string" } }), description: "What has to be connected." },
  flows: { type: "array", items: closed({ flow: { type: "string" }, from: { type: "string" }, entity: { type: "string" }, schedule: { type: ["object", "null"], additionalProperties: true } }), description: "What runs." },
  reports: { type: "array", items: { type: "string" } },
});

export function registerTenants(server: FastifyInstance, services: Services): void {
  const { db, keyring } = services;
  server.addSchema(tenant);

  server.get<{ Querystring: { limit: number; cursor?: string } }>("/api/tenants", {
    config: { permission: "tenants:read" },
    schema: { tags, summary: "Organisations, and the operator's own tenant", description: "An integration engineer sees those assigned to them.", querystring: closed(pagingQuery), response: { 200: closed({ data: { type: "array", items: { $ref: "Tenant#" } }, next_cursor: nullable({ type: "string" }) }) } },
  }, async (request) => {
    const { limit, cursor } = request.query;
    const { assigned } = request.caller!;
    const list = ["tenants", assigned?.join(" ")];
    const [after = ""] = cursor === undefined ? [] : readCursor(list, cursor, 1);
    const visible = (await listTenants(db)).filter(({ slug }) => slug > after && (assigned === undefined || slug === PLATFORM || assigned.includes(slug)));
    const newest = await newestReleases();
    const data = [];
    for (const each of visible.slice(0, limit)) data.push(await view(each, newest));
    return { data, next_cursor: visible.length > limit ? printCursor(list, [visible[limit - 1]!.slug]) : null };
  });

  server.get<{ Params: { tenant: string } }>("/api/tenants/:tenant", {
    config: { permission: "tenants:read" }, schema: { tags, summary: "One organisation", params, querystring: closed({}), response: { 200: { $ref: "Tenant#" } } },
  }, async (request) => view(await existing(request), await newestReleases()));

  server.post<{ Body: Organisation; Querystring: { dry_run?: boolean } }>("/api/tenants", {
    config: { permission: "tenants:write" },
    schema: {
      tags, summary: "Create an organisation",
      description: "Three steps in one body: who it is, which preset, whom to bill and invite. With `dry_run=true` nothing is made: every problem is told with its field, and the review shows the file and what will run. The same request again (or the same `Idempotency-Key`) gives the organisation that it made.",
      querystring: closed({ dry_run: { type: "boolean", description: "Only look." } }),
      headers: { type: "object", properties: { "idempotency-key": { type: "string", minLength: 1, maxLength: 200 } } },
      body: organisation,
      response: { 200: { anyOf: [review, { $ref: "Tenant#" }] }, 201: closed({ tenant: { $ref: "Tenant#" }, created: { type: "boolean" }, invitation: { anyOf: [{ type: "null" }, closed({ email: { type: "string" }, token: { type: "string", description: "Shown this once." }, path: { type: "string" }, expires_at: instant("Good until.") })] } }) },
    },
  }, async (request, reply) => {
    const at = reviewOf(services);
    if (request.query.dry_run === true) {
      const checked = await reviewOrganisation(at, request.body);
      return reply.code(200).serializer(JSON.stringify).type("application/json; charset=utf-8").send({ tenant: checked.id, preset: checked.preset, file: checked.file, text: checked.text, problems: checked.problems, ...runsOf(checked.plan) });
    }
    const key = request.headers["idempotency-key"];
    const made = await createOrganisation(at, request.body, { actor: actorOf(request), ...(typeof key === "string" ? { key } : {}) });
    return reply.code(201).send({ tenant: await view(made.tenant, await newestReleases()), created: made.created, invitation: made.invitation ?? null });
  });

  server.get<{ Querystring: { name: string } }>("/api/tenants/new", {
    config: { permission: "tenants:write" },
    schema: {
      tags, summary: "What a new organisation may choose from", querystring: closed({ name: text("Its name, for an id and a subdomain of it.", 200) }),
      response: { 200: closed({ id: { type: "string" }, subdomain: { type: "string" }, presets: { type: "array", items: { type: "object", additionalProperties: true } } }) },
    },
  }, async (request) => {
    const { workspace } = await headOfMain(reviewOf(services));
    const suggested = idOf(request.query.name ?? "");
    const presets = listPresets(workspace).map(({ id: preset, title, recommended, releases }) => {
      const pin = releases.length === 0 ? preset : `${preset}@${releases.at(-1)!}`;
      const plan = planOfPreset(workspace, pin);
      const inputs = workspace.presets.get(preset)?.map(({ value }) => value["inputs"]).findLast((value) => value !== undefined) ?? {};
      return { preset, pin, title, recommended, release: releases.at(-1) ?? null, inputs, ...runsOf(plan) };
    });
    return { id: suggested, subdomain: suggested.replaceAll("_", "-"), presets: presets.toSorted((a, b) => Number(b.recommended) - Number(a.recommended) || (a.title < b.title ? -1 : 1)) };
  });

  // ── its life ──────────────────────────────────────────────────────────────────────────────────────────────────────

  server.post<{ Params: { tenant: string }; Body: { reason?: string } | null }>("/api/tenants/:tenant/suspend", {
    config: { permission: "tenants:write" },
    schema: { tags, summary: "Suspend an organisation", description: "Nothing starts any more, what runs ends after its page, its own people are refused, what providers send is stored. Its data stays.", params, querystring: closed({}), body: { ...closed({ reason: text("Why; for its audit log.") }), type: ["object", "null"] }, response: { 200: { $ref: "Tenant#" } } },
  }, (request) => turn(request, "suspended", request.body?.reason));

  server.post<{ Params: { tenant: string } }>("/api/tenants/:tenant/resume", {
    config: { permission: "tenants:write" }, schema: { tags, summary: "Resume a suspended organisation", description: "Flows go on at their next tick.", params, querystring: closed({}), response: { 200: { $ref: "Tenant#" } } },
  }, (request) => turn(request, "resumed", undefined));

  server.get<{ Params: { tenant: string } }>("/api/tenants/:tenant/profile", {
    config: { permission: "tenants:write" }, schema: { tags, summary: "Whom to bill", params, querystring: closed({}), response: { 200: closed({ billing, administrator: { anyOf: [{ type: "null" }, administrator] } }) } },
  }, async (request) => { const profile = await readProfile(db, (await existing(request)).slug); return { billing: profile.billing, administrator: profile.administrator ?? null }; });

  server.put<{ Params: { tenant: string }; Body: { billing: TenantProfile["billing"] } }>("/api/tenants/:tenant/profile", {
    config: { permission: "tenants:write" }, schema: { tags, summary: "Change whom to bill", params, querystring: closed({}), body: closed({ billing }, ["billing"]), response: { 200: closed({ billing }) } },
  }, async (request) => {
    const { slug } = await existing(request);
    return withTenant(db, slug, async (tx) => {
      const { billing: before } = await readProfile(tx, slug);
      await saveProfile(tx, slug, { billing: request.body.billing });
      await recordAudit(tx, slug, { actor: actorOf(request), action: "tenant.profile_changed", subject: { kind: "tenant", id: slug }, before: { billing: before }, after: { billing: request.body.billing } });
      return { billing: request.body.billing };
    });
  });

  server.get<{ Params: { tenant: string } }>("/api/tenants/:tenant/export", {
    config: { permission: "tenants:write" },
    schema: { tags, summary: "Everything of an organisation", description: "One JSON document a line, streamed: its file, people, connections (of secrets only fingerprints), records with what providers sent, runs, audit. The last line is `{\"end\":true,…}` with the counts.", params, querystring: closed({}), produces: ["application/x-ndjson"] },
  }, async (request, reply) => {
    const { slug: tenant } = await existing(request);
    await recordAudit(db, tenant, { actor: actorOf(request), action: "tenant.exported", subject: { kind: "tenant", id: tenant } });
    const lines = exportOrganisation(db, keyring, services.review, tenant, new Date().toISOString());
    return reply.type("application/x-ndjson; charset=utf-8").header("content-disposition", `attachment; filename="${tenant}.ndjson"`).send(Readable.from(lines));
  });

  server.post<{ Params: { tenant: string } }>("/api/tenants/:tenant/erasure", {
    config: { permission: "tenants:write" },
    schema: { tags, summary: "Ask to erase an organisation", description: "Changes nothing: says what would go, and gives the token with which `DELETE` erases it.", params, querystring: closed({}), response: { 201: closed({ token: { type: "string", description: "Good for an hour; shown this once." }, expires_at: instant("Good until."), counts: { type: "object", additionalProperties: { type: "integer" }, description: "Table → rows." } }) } },
  }, async (request, reply) => {
    const { slug: tenant } = await existing(request);
    if (tenant === PLATFORM) throw new PlugboardError("TENANT_OPERATOR", { verb: "erased" });
    const asked = await requestErasure(db, tenant, actorOf(request).name);
    await recordAudit(db, PLATFORM, { actor: actorOf(request), action: "tenant.erasure_asked", subject: { kind: "tenant", id: tenant }, after: { counts: asked.counts, expires_at: asked.expires_at } });
    return reply.code(201).send({ token: asked.token, expires_at: asked.expires_at, counts: asked.counts });
  });

  server.delete<{ Params: { tenant: string }; Body: { token: string } }>("/api/tenants/:tenant", {
    config: { permission: "tenants:write" },
    schema: {
      tags, summary: "Erase an organisation", description: "Its keys are destroyed first, so nothing that was sealed opens again; then every row goes, and its file. It cannot be undone. Sent again after an interruption, it goes on.",
      params, querystring: closed({}), body: closed({ token: text("Of the request for it.", 200) }, ["token"]),
      response: { 200: closed({ tenant: { type: "string" }, title: { type: "string" }, requested_by: { type: "string" }, requested_at: instant("Asked for."), finished_at: instant("Gone."), removed: { type: "object", additionalProperties: { type: "integer" }, description: "Table → rows." }, file: nullable({ type: "string" }), keys: { type: "string" } }) },
    },
  }, async (request) => eraseOrganisation(db, services.review, (await existing(request)).slug, request.body.token, actorOf(request)));

  // ── views ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** These permissions span tenants, so no key of one tenant has them; of staff, an engineer reaches those assigned to them. */
  const existing = async (request: FastifyRequest): Promise<TenantInForce> => {
    const { tenant: slug } = request.params as { tenant: string };
    const { assigned } = request.caller!;
    const found = assigned !== undefined && slug !== PLATFORM && !assigned.includes(slug) ? undefined : await findTenant(db, slug);
    if (!found) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Tenant", name: slug });
    return found;
  };

  const turn = async (request: FastifyRequest, to: "suspended" | "resumed", reason: string | undefined): Promise<object> => {
    const { slug: tenant } = await existing(request);
    const actor = actorOf(request);
    if (tenant === PLATFORM) throw new PlugboardError("TENANT_OPERATOR", { verb: to });
    await withTenant(db, tenant, async (tx) => {
      const done = to === "suspended" ? await suspendTenant(tx, tenant, actor.name, reason) : await resumeTenant(tx, tenant, actor.name);
      if (!done) throw new PlugboardError("TENANT_STATUS", { tenant, status: (await findTenant(db, tenant))?.status ?? "gone", verb: to });
      await recordAudit(tx, tenant, { actor, action: `tenant.${to}`, subject: { kind: "tenant", id: tenant }, ...(reason === undefined ? {} : { reason }) });
    });
    return view(await existing(request), await newestReleases());
  };

  const newestReleases = async (): Promise<ReadonlyMap<string, number>> => {
    if (services.review === undefined) return new Map();
    const { workspace } = await headOfMain(reviewOf(services));
    return new Map(listPresets(workspace).flatMap(({ id: preset, releases }) => (releases.length === 0 ? [] : [[preset, releases.at(-1)!] as const])));
  };

  const view = async (each: TenantInForce, newest: ReadonlyMap<string, number>): Promise<object> => {
    const plan = each.revision === undefined ? undefined : await services.planOf(each.slug);
    const known = new Map((await listConnections(db, each.slug)).map((state) => [state.connection, state]));
    const release = plan?.preset?.release;
    const latest = plan?.preset && newest.get(plan.preset.id);
    return {
      tenant: each.slug, title: each.title, kind: each.slug === PLATFORM ? "platform" : "customer", subdomain: each.subdomain ?? null, status: each.status, status_at: each.status_at, status_by: each.status_by ?? null, status_reason: each.status_reason ?? null,
      revision: each.revision ?? null, created_at: each.created_at,
      preset: plan?.preset === undefined ? null : { ...plan.preset, newest: latest ?? null, upgrade: latest !== undefined && release !== latest },
      limits: plan?.limits ?? {},
      connections: Object.entries(plan?.connections ?? {}).map(([name, { connector, enabled }]) => ({ connection: name, connector: plan!.connectors[connector]?.id ?? connector, status: enabled ? known.get(name)?.status ?? "not_connected" : "disabled", account: known.get(name)?.account?.label ?? known.get(name)?.account?.id ?? null })),
    };
  };
}

/** What a plan connects and runs, for who decides whether to make it. */
function runsOf(plan: TenantPlan | undefined): object {
  if (plan === undefined) return { connections: [], flows: [], reports: [] };
  return {
    connections: Object.entries(plan.connections).map(([name, { connector }]) => ({ connection: name, connector: plan.connectors[connector]?.id ?? connector, title: plan.connectors[connector]?.title ?? connector })),
    flows: Object.values(plan.flows).filter(({ enabled }) => enabled).map(({ name, connection: of, stream, to, schedule }) => ({ flow: name, from: `${of}.${stream}`, entity: to.entity, schedule: schedule ?? null })),
    reports: Object.keys(plan.reports),
  };
}

