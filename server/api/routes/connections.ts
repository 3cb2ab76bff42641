/** A tenant's connections: what was entered (never a secret), entering it, signing in, checking, pausing and ending it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { describeConnection, disconnect, forgetRecords, heldBy, latestConnecting, listConnections, openChoice, pauseConnection, recordAudit, withTenant, type Held } from "../../../engine/store/index.ts";
import { markBrowser } from "../../connecting/browser.ts";
import { mustMay } from "../../connecting/may.ts";
import { ownPath } from "../../connecting/return-to.ts";
import { beginSignInAt, pickAccounts, revoker } from "../../connecting/sign-in.ts";
import { actorOf } from "../access.ts";
import { connectionView, enterValues, lately, operatorFields, plannedConnection, runCheck, type Checked, type Planned } from "../connections.ts";
import { missingOfOperator, signsInWith, type Entered } from "../connection-values.ts";
import { connectionOf } from "../provider.ts";
import { closed, id, instant, nullable, query } from "../schemas.ts";
import type { Services } from "../services.ts";

const tags = ["connections"];
const params = closed({ connection: id("A connection of the tenant.", "hubspot") }, ["connection"]);
const values = {
  ...closed({
    config: { type: "object", description: "Replaces what was entered before; left out, that stays.", examples: [{ tenant_host: "acme" }] },
    secrets: { type: "object", description: "New values; a secret that is not named stays, `null` forgets it.", examples: [{ api_token: "…" }] },
    references: { type: "object", additionalProperties: { type: "string", maxLength: 1000 }, description: "Secret fields whose value is kept elsewhere: `env:NAME`, `file:PATH`, `vault:mount/path#field`. Needs `references:write`.", examples: [{ api_token: "env:DESK_TOKEN" }] },
  }),
} as const;
const signIn = {
  return_to: { type: "string", maxLength: 500, description: "Path on this server that the browser goes to after the sign-in.", examples: ["/org"] },
  start_over: { type: "boolean", default: false, description: "Take another account than before, and forget everything the one before brought. Needs `sync:reset`." },
} as const;
const account = closed({ id: { type: "string" }, label: { type: "string" } });
const held = closed({ records: { type: "integer" }, quarantined: { type: "integer" }, checkpoints: { type: "integer" } });
const checked = closed({
  ok: { type: "boolean", description: "Nothing speaks against it." }, checked: { type: "boolean", description: "False where the connector has no check: nothing was proved." },
  accounts: { type: "array", items: account, description: "Accounts that the credential reaches." },
  error: { anyOf: [{ type: "null" }, closed({ code: { type: "string" }, message: { type: "string" }, hint: { type: "string" } })], description: "What the provider, or the way to it, said." },
  connection: { $ref: "Connection#" },
});
const entered = closed({ connection: { $ref: "Connection#" }, cleared: { type: "array", items: { type: "string" }, description: "Secrets that were forgotten, because the address they would go to changed: enter them again." } });

interface Named { Params: { connection: string } }

export function registerConnections(server: FastifyInstance, services: Services): void {
  const { db, planOf } = services;
  const view = async (tenant: string, planned: Planned): Promise<object> => connectionView(planned, await describeConnection(db, tenant, planned.name), await lately(db, tenant));
  const planned = async ({ tenant, params: { connection } }: FastifyRequest<Named>): Promise<Planned> => plannedConnection(await planOf(tenant), connection);
  const check = async (request: FastifyRequest, one: Planned, startOver = false, picked?: string): Promise<Checked> =>
    runCheck(services, request.tenant, one, ({ event, message }) => { request.log.debug({ event, tenant: request.tenant, connection: one.name }, message); }, startOver ? { by: actorOf(request), picked } : null);
  const enter = async (request: FastifyRequest, one: Planned, entered: Entered): Promise<readonly string[]> => {
    if (entered.references !== undefined) await mustMay(request as FastifyRequest, services, "references:write");
    return enterValues(services, request.tenant, one, entered, actorOf(request));
  };
  const redirectUri = (request: FastifyRequest): string => `${services.publicUrl ?? `${request.protocol}://${request.host}`}/oauth/callback`;

  server.get("/api/connections", {
    config: { permission: "connections:read" },
    schema: { tags, summary: "A tenant's connections", querystring: query(), response: { 200: closed({ data: { type: "array", items: { $ref: "Connection#" } }, next_cursor: nullable({ type: "string" }) }) } },
  }, async ({ tenant }) => {
    const [plan, states, late] = [await planOf(tenant), await listConnections(db, tenant), await lately(db, tenant)];
    const names = Object.keys(plan.connections).filter((name) => plan.connectors[plan.connections[name]!.connector] !== undefined).toSorted();
    return { data: await Promise.all(names.map((name) => connectionView(plannedConnection(plan, name), states.find(({ connection }) => connection === name), late))), next_cursor: null };
  });

  server.get<Named>("/api/connections/:connection", {
    config: { permission: "connections:read" },
    schema: { tags, summary: "One connection", params, querystring: query(), response: { 200: { $ref: "Connection#" } } },
  }, async (request) => view(request.tenant, await planned(request)));

  server.put<Named & { Body: Entered }>("/api/connections/:connection", {
    config: { permission: "connections:write" },
    schema: { tags, summary: "Enter config and secrets", description: "All problems are told together (`error.problems`), and then nothing is stored. Secrets are encrypted, and no route shows them again.", params, querystring: query(), body: values, response: { 200: entered } },
  }, async (request) => {
    const one = await planned(request as FastifyRequest<Named>);
    const cleared = await enter(request as FastifyRequest, one, request.body);
    return { connection: await view(request.tenant, one), cleared };
  });

  server.post<Named>("/api/connections/:connection/check", {
    config: { permission: "connections:write" },
    schema: { tags, summary: "Ask the provider whether the credential works", params, querystring: query(), response: { 200: checked } },
  }, async (request) => {
    const one = await planned(request);
    return { ...(await check(request, one)), connection: await view(request.tenant, one) };
  });

  server.delete<Named & { Querystring: { data?: "keep" | "erase" } }>("/api/connections/:connection", {
    config: { permission: "connections:write" },
    schema: {
      tags, summary: "Disconnect", description: "Forgets the credential, and ends what a sign-in gave at the provider, where that is offered. Nothing runs until one is entered again. A connection that brought records asks what becomes of them.", params,
      querystring: query({ data: { type: "string", enum: ["keep", "erase"], description: "keep: what was read, the account and the checkpoints stay. erase: they are taken out of every row and deleted; needs `sync:reset`." } }),
      response: { 200: closed({
        revoked: { type: "string", enum: ["revoked", "not_offered", "failed", "nothing_to_revoke"], description: "At the provider. `failed`: end it there by hand." },
        kept: { ...held, description: "What stays." }, erased: { ...held, description: "What was deleted." },
      }) },
    },
  }, async (request) => {
    const { tenant, params: { connection }, query: { data } } = request;
    const state = await describeConnection(db, tenant, connection);
    const plan = await planOf(tenant);
    // Also one that the configuration no longer names: its credential would stay for ever.
    const one = state === undefined || Object.hasOwn(plan.connections, connection) ? plannedConnection(plan, connection) : undefined;
    if (data === "erase") await mustMay(request as FastifyRequest, services, "sync:reset");
    const revoke = one === undefined ? undefined : await revoker(services, tenant, one);
    const { ended, kept, erased } = await withTenant(db, tenant, async (tx) => {
      const holds = await heldBy(tx, tenant, connection);
      if (data === undefined && sum(holds) > 0) throw new PlugboardError("AUTH_KEEP_OR_ERASE", { connection, forgets: inWords(holds) });
      const done = await disconnect(tx, services.keyring, tenant, connection);
      if (data === "erase") await forgetRecords(tx, connection);
      if (done.known) await recordAudit(tx, tenant, { actor: actorOf(request), action: "connection.disconnected", subject: { kind: "connection", id: connection }, after: { data: data ?? "keep", ...(data === "erase" ? { erased: { ...holds } } : {}) } });
      return { ended: done.ended, ...(data === "erase" ? { kept: NOTHING, erased: holds } : { kept: holds, erased: NOTHING }) };
    });
    // Afterwards: here it is over, whatever the provider says.
    const revoked = ended === undefined ? "nothing_to_revoke" : await revoke?.(ended) ?? "not_offered";
    return { revoked, kept, erased };
  });

  for (const [does, by] of [["disable", true], ["enable", false]] as const) {
    server.post<Named>(`/api/connections/:connection/${does}`, {
      config: { permission: "flows:pause" },
      schema: {
        tags, summary: by ? "Pause a connection" : "Resume a connection", description: by ? "None of its flows runs until it is enabled again; events are stored. Its credential stays." : "Its flows run again, at their next time.",
        params, querystring: query(), response: { 200: { $ref: "Connection#" } },
      },
    }, async (request) => {
      const one = await planned(request);
      await withTenant(db, request.tenant, async (tx) => {
        await pauseConnection(tx, request.tenant, one.name, one.connector.id, by ? request.caller!.name : undefined);
        await recordAudit(tx, request.tenant, { actor: actorOf(request), action: `connection.${does}d`, subject: { kind: "connection", id: one.name } });
      });
      return view(request.tenant, one);
    });
  }

  server.get<Named>("/api/connections/:connection/accounts", {
    config: { permission: "connections:write" },
    schema: {
      tags, summary: "Accounts to pick from", description: "What the latest sign-in reaches, while a person has to pick, or to decide whether to start over.", params, querystring: query(),
      response: { 200: closed({ outcome: nullable({ type: "string", description: "`choose`: several accounts. `account_changed`: none of them is the connection's. Null: nothing is open." }), accounts: { type: "array", items: account }, current: { anyOf: [{ type: "null" }, account] }, forgets: { ...held, description: "What starting over would forget." },
        sign_in: closed({ outcome: nullable({ type: "string", description: "How the latest sign-in ended; null: it did not, or there was none." }), said: { anyOf: [{ type: "null" }, closed({ code: { type: "string" }, message: { type: "string" }, hint: { type: "string" } })], description: "Why it did not connect." } }) }) },
    },
  }, async (request) => {
    const { tenant } = request;
    const one = await planned(request);
    const [choice, latest] = [await openChoice(db, tenant, one.name), await latestConnecting(db, tenant, one.name)];
    return {
      outcome: choice?.outcome ?? null, accounts: choice?.accounts ?? [], current: (await describeConnection(db, tenant, one.name))?.account ?? null, forgets: await heldBy(db, tenant, one.name),
      sign_in: { outcome: latest?.outcome ?? null, said: latest?.detail?.["code"] === undefined ? null : latest.detail },
    };
  });

  server.post<Named & { Body: { account: string; also?: Record<string, string>; start_over: boolean } }>("/api/connections/:connection/accounts", {
    config: { permission: "connections:write" },
    schema: {
      tags, summary: "Pick an account", params, querystring: query(),
      description: "After a sign-in that reaches several accounts, or another one than before. `also` gives further connections of the same connector an account each; all of them share the sign-in.",
      body: closed({ account: id("An account that the credential reaches.", "62515"), also: { type: "object", additionalProperties: { type: "string" }, description: "Connection → account.", examples: [{ hubspot_us: "62516" }] }, start_over: signIn.start_over }, ["account"]),
      response: { 200: closed({ connections: { type: "array", items: { $ref: "Connection#" } } }) },
    },
  }, async (request) => {
    const { tenant, body } = request;
    if (body.start_over) await mustMay(request as FastifyRequest, services, "sync:reset");
    const one = await planned(request as FastifyRequest<Named>);
    const choice = await openChoice(db, tenant, one.name);
    const accounts: Record<string, string> = { ...body.also, [one.name]: body.account };
    const all = await Promise.all(Object.keys(accounts).map(async (name) => plannedConnection(await planOf(tenant), name)));
    const other = all.find(({ connector }) => connector.id !== one.connector.id);
    if (other !== undefined) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: `Connection '${other.name}' is of connector '${other.connector.id}', not of '${one.connector.id}'.`, field: "body.also" });
    if (choice !== undefined) await pickAccounts(services, tenant, choice, all, accounts, body.start_over, actorOf(request));
    else {
      if (all.length > 1) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "Only what a sign-in gave is shared by several connections.", field: "body.also" });
      await pickEntered(request, one, body.account, body.start_over);
    }
    return { connections: await Promise.all(all.map((each) => view(tenant, each))) };
  });

  /** @throws PlugboardError AUTH_MISSING_CREDENTIAL where nobody has entered an app to sign in with. */
  async function refuseWithoutApp({ name, connector }: Planned, own: readonly string[]): Promise<void> {
    const [field] = missingOfOperator(connector.config, [...own, ...(await operatorFields(db)).get(connector.id) ?? []]);
    if (field !== undefined) throw new PlugboardError("AUTH_MISSING_CREDENTIAL", { connection: name, field, title: connector.config[field]!.title, suggestion: "Whoever runs this platform enters it once for all organisations: Studio → Platform connections." });
  }

  /** Of a credential that was entered and reaches several accounts. */
  async function pickEntered(request: FastifyRequest, one: Planned, picked: string, startOver: boolean): Promise<void> {
    const current = (await describeConnection(db, request.tenant, one.name))?.account;
    if (current !== undefined && current.id !== picked && !startOver) throw new PlugboardError("AUTH_ACCOUNT_CHANGED", { connection: one.name, actual: picked, expected: current.id });
    const { error } = await check(request, one, true, picked);
    if (error !== null) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: error.message, suggestion: error.hint ?? "" });
  }

  server.post<{ Params: { provider: string }; Querystring: { connection?: string }; Body: Entered & { return_to?: string; start_over: boolean } }>("/api/integrations/:provider/connect", {
    config: { permission: "connections:write" },
    schema: {
      tags: ["integrations"], summary: "Connect",
      description: "Stores what was entered and asks the provider: PUT and check of a connection in one. What the provider refuses is stored, and told as `error`. Where a person has to sign in at the provider, the answer is `authorize_url`: open it in a browser within ten minutes.",
      params: closed({ provider: id("A connection's name, or the connector of exactly one connection.", "hubspot") }, ["provider"]), querystring: query({ connection: id("Picks one, where the provider fits several connections.", "hubspot_us") }),
      body: { ...closed({ ...values.properties, ...signIn }) },
      response: { 200: closed({ ...checked.properties, cleared: entered.properties.cleared, authorize_url: { type: "string", description: "Where a person signs in." }, expires_at: instant("Until when.") }) },
    },
  }, async (request, reply: FastifyReply) => {
    const { tenant, body: { return_to, start_over, ...given } } = request;
    const plan = await planOf(tenant);
    const one = plannedConnection(plan, connectionOf(plan, request.params.provider, request.query.connection));
    const returnTo = return_to === undefined ? undefined : ownPath(return_to);
    if (return_to !== undefined && returnTo === undefined) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "'return_to' must be a path on this server, such as /org.", field: "body.return_to" });
    if (start_over) await mustMay(request as FastifyRequest, services, "sync:reset");
    // A sign-in anew with nothing entered leaves the connection as it is until somebody comes back.
    const state = await describeConnection(db, tenant, one.name);
    const untouched = Object.keys(given).length === 0 && state !== undefined && state.status !== "disconnected";
    // Before anything is stored: what works goes on working where nobody could sign in.
    if (await signsInWith({ connector: one.connector, plan: one.connection }, given.config ?? state?.config ?? {})) await refuseWithoutApp(one, Object.keys({ ...one.connection.config, ...state?.config, ...state?.secrets, ...given.config, ...given.secrets, ...given.references }));
    const cleared = untouched ? [] : await enter(request as FastifyRequest, one, given);
    const begun = await beginSignInAt(services, tenant, one, { redirectUri: redirectUri(request as FastifyRequest), returnTo, startOver: start_over, actor: actorOf(request as FastifyRequest), browser: markBrowser(request as FastifyRequest, reply) });
    if (begun !== undefined) return { ok: false, checked: false, accounts: [], error: null, ...begun, connection: await view(tenant, one), cleared };
    const result = await check(request as FastifyRequest, one, start_over).catch((thrown: unknown): Checked => {
      // Only what was just forgotten is missing: that is part of the answer.
      if (!(thrown instanceof PlugboardError) || thrown.code !== "AUTH_MISSING_CREDENTIAL") throw thrown;
      return { ok: false, checked: false, accounts: [], error: { code: thrown.code, message: thrown.message, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }) } };
    });
    return { ...result, connection: await view(tenant, one), cleared };
  });
}

const NOTHING: Held = { records: 0, quarantined: 0, checkpoints: 0 };
const sum = ({ records, quarantined, checkpoints }: Held): number => records + quarantined + checkpoints;
const inWords = ({ records, quarantined, checkpoints }: Held): string => `${records} records, ${quarantined} quarantined ones and ${checkpoints} checkpoints`;
