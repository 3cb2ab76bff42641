/**
 * The workbench of a connector: its files and tests, who uses it, and trying a stream: against a recorded exchange, offline, or
 * once against a connection. Nothing is stored, no checkpoint moves, nothing is acknowledged; each try is a line in the audit log.
 */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { suggest } from "../../../engine/errors/nearest.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { read, type Json, type JsonObject, type Workspace } from "../../../engine/manifest/index.ts";
import { merged } from "../../../engine/manifest/merged.ts";
import { listPresets, planOfPreset, resolvePlan, type StreamPlan, type TenantPlan } from "../../../engine/plan/index.ts";
import { createMemoryBuckets } from "../../../engine/run/memory-buckets.ts";
import { createMemoryTokens } from "../../../engine/run/memory-tokens.ts";
import { recordedProvider, type ConnectorTest } from "../../../engine/run/replay.ts";
import { tryStream, type Tried } from "../../../engine/run/try-stream.ts";
import { PLATFORM, readConnectionValues, recordAudit } from "../../../engine/store/index.ts";
import { changedFiles, filesOf, withFiles, type FileEdit } from "../../review/index.ts";
import type { Trees } from "../../review/plan.ts";
import { actorOf } from "../access.ts";
import { plannedConnection, portsOf } from "../connections.ts";
import { may } from "../may.ts";
import { closed, fileEdits, id, nullable, query } from "../schemas.ts";
import { reviewOf, type Services } from "../services.ts";

const tags = ["connectors"];
const MAX_BODY = 8 * 1024 * 1024;
/** Pages of recorded answers that are shown. */
const RECORDED_PAGES = 20;
/** A person waits for it. */
const TRY_SECONDS = 60;
/** The tenant, flow and connection under which a connector is planned alone. */
const ALONE = "try";

const params = closed({ id: id("A connector.", "hubspot") }, ["id"]);
const free = (description: string) => ({ type: "object", additionalProperties: true, description }) as const;
const text = { type: "string" } as const;
const edits = { ...fileEdits, maxItems: 100, description: "Made on top of what main says; saved nowhere." } as const;
const stream = id("A stream of the connector.", "contacts");
const exchangeHalf = { headers: { type: "object", additionalProperties: text }, body: text } as const;
const tried = closed({
  exchanges: {
    type: "array", description: "Every request with its answer; secrets masked, long bodies cut.",
    items: closed({ at: text, milliseconds: { type: "integer" }, request: closed({ method: text, url: text, ...exchangeHalf }), answer: closed({ status: { type: "integer" }, ...exchangeHalf }), error: text }),
  },
  pages: { type: "array", items: closed({ count: { type: "integer", description: "Records of the page." }, more: { type: "boolean", description: "There is another one." }, records: { type: "array", items: free("`record` as it was sent; with a mapping also `outcome` (kept, filtered, refused), `key`, `mapped`, `reason`.") } }) },
  mapping: nullable({ type: "string", description: "What made `mapped`." }),
  error: { anyOf: [{ type: "null" }, closed({ code: text, message: text, hint: text })], description: "What it ended with; what was read before stands beside it." },
});
const view = (result: Tried, mapping: string | undefined): object => ({ ...result, mapping: mapping ?? null, error: result.error ?? null });

export function registerTries(server: FastifyInstance, services: Services): void {
  const trees = (): Promise<Trees> => reviewOf(services).workspace.readTrees();

  server.get<{ Params: { id: string } }>("/api/connectors/:id/workbench", {
    config: { permission: "configuration:propose" },
    schema: {
      tags, summary: "A connector's files, tests, mappings, and who uses it", params, querystring: closed({}),
      response: {
        200: closed({
          connector: text, edit_file: { type: "string", description: "The workspace's file that edits of the manifest go to." },
          files: { type: "array", items: closed({ layer: text, path: text, text: { type: "string" } }), description: "Catalogue first; the workspace's are laid over them." },
          tests: { type: "array", items: closed({ name: text, stream: nullable(text), layer: text }) },
          mappings: { type: "array", items: closed({ id: text, stream: text, to: text }) },
          presets: { type: "array", items: closed({ preset: text, title: text, connection: text }) }, tenants: { type: "array", items: closed({ tenant: text, title: text, connection: text }), description: "Those of the caller." },
        }),
      },
    },
  }, async (request) => {
    const all = await trees();
    const workspace = read(all);
    const connector = known(workspace, request.params.id);
    const uses = (plan: TenantPlan): string[] => Object.entries(plan.connections).flatMap(([name, each]) => ((plan.connectors[each.connector]?.id ?? each.connector) === connector ? [name] : []));
    const { assigned } = request.caller!;
    return {
      connector, edit_file: `connectors/${connector}/connector.yaml`,
      files: all.flatMap(({ layer, files }) => [...files].filter(([path]) => path.startsWith(`connectors/${connector}/`)).map(([path, said]) => ({ layer, path, text: said })).toSorted((a, b) => rank(a.path) - rank(b.path) || (a.path < b.path ? -1 : 1))),
      tests: (workspace.tests.get(connector) ?? []).flatMap(({ layer, value }) => (value["tests"] as unknown as readonly ConnectorTest[]).filter(({ check }) => check !== true).map((test) => ({ name: test.name, stream: test.stream ?? null, layer }))),
      mappings: mappingsOf(workspace, connector),
      presets: listPresets(workspace).flatMap(({ id: preset, title }) => uses(planOfPreset(workspace, preset)).map((connection) => ({ preset, title, connection }))),
      tenants: [...workspace.tenants.keys()].filter((tenant) => assigned === undefined || tenant === PLATFORM || assigned.includes(tenant)).flatMap((tenant) => { const { plan } = resolvePlan(workspace, tenant); return uses(plan).map((connection) => ({ tenant, title: plan.tenant.title, connection })); }),
    };
  });

  server.post<{ Params: { id: string }; Body: { test: string; mapping?: string; edits?: FileEdit[] } }>("/api/connectors/:id/try", {
    bodyLimit: MAX_BODY, config: { permission: "configuration:propose" },
    schema: {
      tags, summary: "Try a stream against its recorded exchanges", description: "Offline: the provider is what a test of the connector recorded. After edits that are not saved, too.", params, querystring: closed({}),
      body: closed({ test: { type: "string", minLength: 1, maxLength: 500, description: "The test's name." }, mapping: { type: "string", maxLength: 200, description: "What the records become. Left out: the connector's first mapping of the stream." }, edits }, ["test"]), response: { 200: tried },
    },
  }, async (request) => {
    const { test: name, mapping, edits: wanted = [] } = request.body;
    const before = await trees();
    const all = withFiles(before, changedFiles(filesOf(before), wanted));
    const workspace = read(all);
    const connector = known(workspace, request.params.id);
    const found = (workspace.tests.get(connector) ?? []).flatMap(({ layer, value }) => (value["tests"] as unknown as readonly ConnectorTest[]).map((test) => ({ layer, test }))).find(({ test }) => test.name === name);
    if (found?.test.stream === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Test of a stream", name });
    const { test, layer } = found;
    const into = mapping === undefined ? mappingsOf(workspace, connector).find((each) => each.stream === test.stream)?.id : mapping;
    const isEdited = wanted.some(({ file }) => file.startsWith(`connectors/${connector}/`));
    const plan = planAlone(all, connector, test.stream!, workspace, into, layer === "catalogue" && !isEdited);
    const alone = plan.connectors[plan.connections[ALONE]!.connector]!;
    // A workspace may point the catalogue's connector elsewhere; what was recorded, was recorded at the catalogue's address.
    const at = layer === "catalogue" && isEdited ? withHttpOf(alone, planAlone(all, connector, test.stream!, workspace, undefined, true)) : alone;
    const { transport, clock } = recordedProvider(test, (path) => workspace.attachments.get(`connectors/${connector}/${path}`));
    const checkpoint = test.checkpoint as { from?: string } | undefined;
    const flow = plan.flows[ALONE];
    const result = await tryStream(
      { transport, clock, buckets: createMemoryBuckets(() => clock.now()), token: createMemoryTokens(), log: () => undefined },
      { tenant: plan.tenant, connection: ALONE, connector: at, values: { config: (test.config ?? {}) as JsonObject }, signal: AbortSignal.timeout(TRY_SECONDS * 1000) },
      test.stream!, {
        pages: RECORDED_PAGES, select: test.select ?? [], ...(checkpoint?.from === undefined || test.mode === "full" ? {} : { since: checkpoint.from }),
        ...(flow === undefined ? {} : { into: { entity: flow.to.entity, plan: plan.entities[flow.to.entity], map: flow.map } }),
      },
    );
    await recordAudit(services.db, PLATFORM, { actor: actorOf(request), action: "connector.tried", subject: { kind: "connector", id: connector }, after: { test: name, ...outcome(result) } });
    return view(result, into);
  });

  server.post<{ Params: { connection: string }; Body: { stream: string; key?: string; since?: string; flow?: string; edits?: FileEdit[] } }>("/api/connections/:connection/try", {
    bodyLimit: MAX_BODY, config: { permission: "proxy:call" },
    schema: {
      tags, summary: "Try a stream against a connection", description: "Reads one page, or one record by its key, with the connection's credential. With `edits` the stream is as they say, and everything else (address, hosts, authenticators, fields) as it is in force; its own requests then see no secret.",
      params: closed({ connection: id("A connection of the tenant.", "hubspot") }, ["connection"]), querystring: query(),
      body: closed({ stream, key: { type: "string", minLength: 1, maxLength: 1000, description: "Read this one record." }, since: { type: "string", format: "date-time", description: "Only what changed since." }, flow: id("Whose mapping the records go through. Left out: the first flow that reads the stream.", "learners"), edits }, ["stream"]), response: { 200: tried },
    },
  }, async (request) => {
    const { tenant, body: { stream: name, key, since, edits: wanted = [] } } = request;
    const inForce = await services.planOf(tenant);
    const planned = plannedConnection(inForce, request.params.connection);
    const { connection, connector } = planned;
    if (!connection.enabled) throw new PlugboardError("AUTH_NOT_CONNECTED", { connection: planned.name, state: "disabled", suggestion: "The tenant's configuration disables it." });
    const edited = wanted.length === 0 ? undefined : await afterEdits(request, tenant, wanted);
    if (edited !== undefined && key !== undefined) throw new PlugboardError("SERVER_BAD_REQUEST", { detail: "One record by its key is read as the configuration in force says.", field: "body.key", suggestion: "Leave out key or edits." });
    const streams: Readonly<Record<string, StreamPlan>> = edited === undefined ? connector.streams : edited.connectors[edited.connections[planned.name]?.connector ?? ""]?.streams ?? {};
    if (!Object.hasOwn(streams, name)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Stream", name, suggestion: suggest(name, Object.keys(streams)) });
    const plan = edited ?? inForce;
    const flow = Object.values(plan.flows).find((each) => (request.body.flow === undefined ? each.connection === planned.name && each.stream === name : each.name === request.body.flow));
    const values = await readConnectionValues(services.db, services.keyring, tenant, planned.name, connector, connection, services.references);
    const result = await tryStream(
      portsOf(services, tenant, planned.name, () => undefined),
      { tenant: inForce.tenant, connection: planned.name, connector: { ...connector, streams: { ...connector.streams, [name]: streams[name]! } }, plan: connection, values, variables: { inputs: inForce.inputs }, signal: AbortSignal.timeout(TRY_SECONDS * 1000) },
      name, {
        select: flow?.select ?? [], unreviewed: edited !== undefined, ...(key === undefined ? {} : { key }), ...(since === undefined ? {} : { since }),
        ...(flow === undefined ? {} : { into: { entity: flow.to.entity, plan: plan.entities[flow.to.entity], map: flow.map } }),
      },
    );
    await recordAudit(services.db, tenant, { actor: actorOf(request), action: "connection.tried", subject: { kind: "connection", id: planned.name }, after: { stream: name, ...(key === undefined ? {} : { key }), edited: edited !== undefined, ...outcome(result) } });
    return view(result, flow?.map?.id);
  });

  /** The tenant's plan as it would be. @throws PlugboardError SERVER_ROLE_FORBIDDEN for who may not propose it */
  const afterEdits = async (request: FastifyRequest, tenant: string, wanted: readonly FileEdit[]): Promise<TenantPlan> => {
    if (!(await may(request, services, "configuration:propose", tenant))) throw new PlugboardError("SERVER_ROLE_FORBIDDEN", { role: request.caller!.role ?? "caller", permission: "configuration:propose" });
    const now = await trees();
    return resolvePlan(read(withFiles(now, changedFiles(filesOf(now), wanted))), tenant).plan;
  };
}

const outcome = ({ exchanges, pages, error }: Tried): JsonObject => ({ requests: exchanges.length, records: pages.reduce((sum, { count }) => sum + count, 0), ...(error === undefined ? {} : { error: error.code }) });

/** The manifest first, then its tests, then what lies beside them. */
const rank = (path: string): number => (path.endsWith("/connector.yaml") ? 0 : path.endsWith("/tests.yaml") ? 1 : 2);

function known(workspace: Workspace, connector: string): string {
  if (!workspace.connectors.has(connector)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Connector", name: connector, suggestion: suggest(connector, workspace.connectors.keys()) });
  return connector;
}

function mappingsOf(workspace: Workspace, connector: string): { id: string; stream: string; to: string }[] {
  return [...workspace.mappings].flatMap(([mapping, layers]) => {
    const whole = merged(layers);
    const [of, ...rest] = String(whole.from).split(".");
    return of === connector ? [{ id: mapping, stream: rest.join("."), to: String(whole.to) }] : [];
  }).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** A tenant that has nothing but this connector and, with a mapping, one flow through it. */
function planAlone(trees: Trees, connector: string, from: string, workspace: Workspace, mapping: string | undefined, catalogueOnly: boolean): TenantPlan {
  const layers = catalogueOnly ? trees.map((tree) => (tree.layer === "catalogue" ? tree : { ...tree, files: new Map([...tree.files].filter(([path]) => !path.startsWith(`connectors/${connector}/`) && !path.startsWith("tenants/"))) })) : trees;
  const to = mapping === undefined ? undefined : workspace.mappings.get(mapping) && (merged(workspace.mappings.get(mapping)!).to as Json);
  const manifest = JSON.stringify({ tenant: ALONE, title: "Try", connections: { [ALONE]: { connector } }, ...(to === undefined ? {} : { flows: { [ALONE]: { from: { stream: `${ALONE}.${from}` }, map: mapping, to } } }) });
  const { plan } = resolvePlan(read([...layers, { layer: "workspace", label: "", files: new Map([[`tenants/${ALONE}.yaml`, manifest]]) }]), ALONE);
  if (plan.connectors[plan.connections[ALONE]?.connector ?? ""] === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Connector", name: connector });
  return plan;
}

/** The address of the other plan's connector; requests, paging and records of this one. */
function withHttpOf(connector: TenantPlan["connectors"][string], other: TenantPlan): TenantPlan["connectors"][string] {
  const http = other.connectors[other.connections[ALONE]!.connector]?.http;
  return connector.http === undefined || http === undefined ? connector : { ...connector, http: { ...connector.http, base_url: http.base_url, hosts: [...http.hosts, ...connector.http.hosts], ...(http.auth === undefined ? {} : { auth: http.auth }) } };
}
