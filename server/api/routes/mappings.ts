/**
 * Mappings as an editor needs them: their text and fields with where each comes from, what their source and target look like,
 * sample records, and what an edit would make of them. Nothing here is changed: that is what changes are for.
 */
import type { FastifyInstance } from "fastify";
import { suggest } from "../../../engine/errors/nearest.ts";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { entitySchema } from "../../../engine/manifest/entity-schema.ts";
import { read, runMappingTests, validateWorkspace, type Json, type JsonObject, type Manifest, type Workspace } from "../../../engine/manifest/index.ts";
import { isMap, merged } from "../../../engine/manifest/merged.ts";
import { recordSchema } from "../../../engine/manifest/record-schema.ts";
import { originOfPointer, resolvePlan, type FlowPlan, type TenantPlan } from "../../../engine/plan/index.ts";
import { isolatedEvaluator } from "../../../engine/run/expression-worker.ts";
import { recordedRecords, type ConnectorTest } from "../../../engine/run/replay.ts";
import { newestRaw, recordAudit } from "../../../engine/store/index.ts";
import { previewMapping } from "../../preview/mapping.ts";
import { changedFiles, filesOf, withFiles, type FileEdit } from "../../review/index.ts";
import type { Trees } from "../../review/plan.ts";
import { actorOf } from "../access.ts";
import { mayKnow, mayRead } from "../reach.ts";
import { fileEdits } from "../schemas.ts";
import { closed, id } from "../schemas.ts";
import { reviewOf, type Services } from "../services.ts";

const tags = ["mappings"];
const MAX_BODY = 8 * 1024 * 1024;
const MOST_SAMPLES = 20;
const MOST_FLOWS = 100;
const any = (description: string) => ({ description }) as const;
const map = (description: string) => ({ type: "object", additionalProperties: true, description }) as const;
const params = closed({ connector: id("The mapping's folder.", "hubspot"), name: id("Its name there.", "employer") }, ["connector", "name"]);
const ofFlow = closed({ tenant: id("The tenant.", "acme"), flow: id("Its flow.", "learners") }, ["tenant", "flow"]);
const edits = { ...fileEdits, description: "Made on top of what main says." } as const;

interface OfMapping { Params: { connector: string; name: string } }
interface OfFlow { Params: { tenant: string; flow: string } }

export function registerMappings(server: FastifyInstance, services: Services): void {
  const { db, keyring, planOf } = services;
  const trees = (): Promise<Trees> => reviewOf(services).workspace.readTrees();
  const workspaceWith = async (wanted: readonly FileEdit[]): Promise<Workspace> => {
    const now = await trees();
    return read(withFiles(now, changedFiles(filesOf(now), wanted)));
  };
  const layersOf = (workspace: Workspace, mapping: string): readonly Manifest[] => {
    const layers = workspace.mappings.get(mapping);
    if (!layers) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Mapping", name: mapping, suggestion: suggest(mapping, workspace.mappings.keys()) });
    return layers;
  };

  server.get("/api/mappings", {
    config: { permission: "configuration:propose" },
    schema: {
      tags, summary: "Mappings, and who uses them", querystring: closed({}),
      response: { 200: closed({ data: { type: "array", items: closed({ id: { type: "string" }, from: { type: "string" }, to: { type: "string" }, fields: { type: "integer" }, tests: { type: "integer" }, layer: { type: "string", description: "catalogue or workspace: where it was written last." }, presets: { type: "array", items: { type: "string" } } }) } }) },
    },
  }, async () => {
    const workspace = read(await trees());
    const presets = usersOf(workspace);
    return {
      data: [...workspace.mappings].map(([mapping, layers]) => {
        const whole = merged(layers);
        return { id: mapping, from: String(whole.from), to: String(whole.to), fields: Object.keys(isMap(whole.fields) ? whole.fields : {}).length, tests: Array.isArray(whole.tests) ? whole.tests.length : 0, layer: layers.at(-1)!.layer, presets: presets.get(mapping) ?? [] };
      }).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    };
  });

  const editorView = {
    id: { type: "string" }, from: { type: "string" }, to: { type: "string" }, where: { type: ["string", "null"] },
    fields: { type: "array", items: closed({ field: { type: "string" }, expression: { type: ["string", "null"] }, constant: any("A number or boolean."), ref: { type: ["string", "null"] }, file: { type: "string" }, line: { type: "integer" }, layer: { type: "string" } }) },
    record_schema: { anyOf: [{ type: "null" }, map("JSON Schema of the source's record.")] }, entity_schema: { anyOf: [{ type: "null" }, map("JSON Schema of the target.")] },
  } as const;

  server.get<OfMapping>("/api/mappings/:connector/:name", {
    config: { permission: "configuration:propose" },
    schema: {
      tags, summary: "A mapping, as an editor needs it", params, querystring: closed({}),
      response: { 200: closed({ ...editorView, files: { type: "array", items: closed({ layer: { type: "string" }, file: { type: "string" }, text: { type: "string" } }), description: "Catalogue first; an edit of a catalogue's mapping is a file of the workspace laid over it." }, tests: { type: "array", items: map("A test, as written.") }, edit_file: { type: "string", description: "The workspace's file that edits go to." }, presets: { type: "array", items: { type: "string" } }, flows: { type: "array", items: closed({ tenant: { type: "string" }, title: { type: "string" }, flow: { type: "string" } }), description: `Tenants' flows that use it, the first ${MOST_FLOWS}: whose last records could be looked at, by who may.` } }) },
    },
  }, async (request) => {
    const { connector, name } = request.params;
    const workspace = read(await trees());
    const mapping = `${connector}/${name}`;
    const layers = layersOf(workspace, mapping);
    const whole = merged(layers);
    return {
      ...viewOf(workspace, mapping, whole, (field) => placeIn(layers, `/fields/${escaped(field)}`)),
      files: layers.map(({ layer, file }) => ({ layer, file, text: workspace.files.get(file) ?? "" })), tests: Array.isArray(whole.tests) ? whole.tests : [],
      edit_file: `mappings/${mapping}.yaml`, presets: usersOf(workspace).get(mapping) ?? [], flows: flowsUsing(workspace, mapping, (tenant) => mayKnow(request, tenant)),
    };
  });

  server.get<OfMapping>("/api/mappings/:connector/:name/samples", {
    config: { permission: "configuration:propose" },
    schema: { tags, summary: "Sample records: recorded exchanges and the mapping's own tests", params, querystring: closed({}), response: { 200: closed({ data: { type: "array", items: closed({ title: { type: "string" }, from: { type: "string", enum: ["exchange", "test"] }, record: any("As the provider sent it.") }) } }) } },
  }, async ({ params: { connector, name } }) => {
    const workspace = read(await trees());
    const whole = merged(layersOf(workspace, `${connector}/${name}`));
    const [of = "", stream = ""] = String(whole.from).split(".");
    const samples: { title: string; from: "exchange" | "test"; record: Json }[] = [];
    for (const test of (Array.isArray(whole.tests) ? whole.tests : []) as readonly JsonObject[]) if (test.given !== undefined) samples.push({ title: String(test.name), from: "test", record: test.given });
    const plan = planAlone(await trees(), of);
    for (const manifest of workspace.tests.get(of) ?? []) {
      for (const test of manifest.value.tests as unknown as readonly ConnectorTest[]) {
        if (test.stream !== stream || plan === undefined || samples.length >= MOST_SAMPLES) continue;
        const records = await recordedRecords(test, { connector: plan, read: (path) => workspace.attachments.get(`connectors/${of}/${path}`) }).catch(() => []);
        for (const [index, record] of records.slice(0, 5).entries()) samples.push({ title: `${test.name} ${index + 1}`, from: "exchange", record });
      }
    }
    return { data: samples.slice(0, MOST_SAMPLES) };
  });

  server.get<OfFlow>("/api/tenants/:tenant/flows/:flow/mapping", {
    config: { permission: "overrides:read" },
    schema: {
      tags, summary: "A tenant's mapping of one flow: preset and overrides together, each field with where it comes from", params: ofFlow, querystring: closed({}),
      response: { 200: closed({ ...editorView, flow: { type: "string" }, edit_file: { type: "string" }, edit_pointer: { type: "string", description: "Below which an override of a field is set." }, defaults: map("Field → what the preset says, where the tenant says otherwise.") }) },
    },
  }, async ({ tenant, params: { flow: name } }) => {
    const workspace = read(await trees());
    const { plan, flow } = flowOf(workspace, tenant, name);
    const { entities, connectors } = plan;
    const place = (field: string) => originOfPointer(plan, `/flows/${escaped(name)}/map/fields/${escaped(field)}`);
    return {
      id: flow.map?.id ?? name, flow: name, from: `${flow.connection}.${flow.stream}`, to: flow.to.entity, where: flow.map?.where ?? null,
      fields: Object.entries(flow.map?.fields ?? {}).map(([field, made]) => { const origin = place(field); return { field, ...made_(made), file: origin?.file ?? "", line: origin?.line ?? 1, layer: origin?.layer ?? "catalogue" }; }),
      record_schema: connectors[flow.connector]?.streams[flow.stream]?.schema ?? null, entity_schema: entities[flow.to.entity]?.schema ?? null,
      edit_file: `tenants/${tenant}.yaml`, edit_pointer: `/flows/${escaped(name)}/map/fields`,
      defaults: Object.fromEntries(Object.keys(flow.map?.fields ?? {}).flatMap((field) => { const origin = place(field); const shadowed = origin?.layer === "tenant" ? origin.shadows?.[0]?.value : undefined; return shadowed === undefined ? [] : [[field, shadowed]]; })),
    };
  });

  server.get<OfFlow & { Querystring: { limit: number } }>("/api/tenants/:tenant/flows/:flow/samples", {
    config: { permission: "raw:read" },
    schema: { tags, summary: "A tenant's last records of a flow, as the provider sent them", description: "Each look is a line in the tenant's audit log.", params: ofFlow, querystring: closed({ limit: { type: "integer", minimum: 1, maximum: MOST_SAMPLES, default: 10, description: "Records." } }), response: { 200: closed({ data: { type: "array", items: any("A record.") } }) } },
  }, async (request) => {
    const { tenant, params: { flow: name }, query: { limit } } = request;
    const flow = (await planOf(tenant)).flows[name];
    if (flow === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Flow", name });
    await recordAudit(db, tenant, { actor: actorOf(request), action: "records.sampled", subject: { kind: "flow", id: name }, after: { limit } });
    return { data: await newestRaw(db, keyring, tenant, { connection: flow.connection, stream: flow.stream, entity: flow.to.entity }, limit) };
  });

  server.post<{ Body: { edits: FileEdit[]; mapping?: string; tenant?: string; flow?: string; records: Json[]; variables?: JsonObject } }>("/api/mappings/preview", {
    bodyLimit: MAX_BODY, config: { permission: "configuration:propose" },
    schema: {
      tags, summary: "What a mapping would make of records", description: "Of a mapping, or of a tenant's flow with its overrides; after edits that are not saved. Runs in a thread with limits.", querystring: closed({}),
      body: closed({ edits, mapping: { type: "string", maxLength: 200 }, tenant: { type: "string", maxLength: 200 }, flow: { type: "string", maxLength: 200 }, records: { type: "array", maxItems: 50, items: any("A record.") }, variables: map("`$config`, `$account` … as JSON.") }, ["edits", "records"]),
      response: { 200: closed({ records: { type: "array", items: map("`filtered`, `fields` (value, type, problems), `problems`.") } }) },
    },
  }, async (request) => {
    const { edits: wanted, mapping, tenant, flow, records, variables } = request.body;
    if (tenant !== undefined && !mayKnow(request, tenant)) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Tenant", name: tenant });
    const workspace = await workspaceWith(wanted);
    const evaluator = isolatedEvaluator();
    try {
      if (mapping !== undefined) return { records: await previewMapping(workspace, mapping, records, variables ?? {}, evaluator) };
      const found = flowOf(workspace, tenant ?? "", flow ?? "");
      return { records: await previewMapping(withMapping(workspace, found.plan, found.flow), PREVIEWED, records, variables ?? {}, evaluator) };
    } finally {
      evaluator.close();
    }
  });

  server.post<{ Body: { edits: FileEdit[]; mapping?: string } }>("/api/configuration/check", {
    bodyLimit: MAX_BODY, config: { permission: "configuration:propose" },
    schema: {
      tags, summary: "What is wrong with the configuration after edits", description: "The same problems that `plugboard validate` tells, with file, line and column; with `mapping`, its tests are run too.", querystring: closed({}),
      body: closed({ edits, mapping: { type: "string", maxLength: 200 } }, ["edits"]),
      response: { 200: closed({ problems: { type: "array", items: map("code, severity, message, hint, at {file, line, col}") }, tests: { type: "array", items: closed({ name: { type: "string" }, passed: { type: "boolean" }, detail: { type: ["string", "null"] } }) } }) },
    },
  }, async (request) => {
    const { edits: wanted, mapping } = request.body;
    const workspace = await workspaceWith(wanted);
    const tests = mapping === undefined ? [] : (await runMappingTests(workspace)).filter((test) => test.mapping === mapping);
    return {
      problems: validateWorkspace(workspace).filter(({ at }) => at === undefined || mayRead(request, at.file)).map((problem) => ({ ...problem, message: new PlugboardError(problem.code, problem.params).message, hint: new PlugboardError(problem.code, problem.params).hint ?? null })),
      tests: tests.map(({ name, passed, problem }) => ({ name, passed, detail: problem === undefined ? null : String(problem.params["detail"]) })),
    };
  });

  server.get<{ Querystring: { path?: string } }>("/api/sources", {
    config: { permission: "configuration:propose" },
    schema: { tags, summary: "The files of the configuration, catalogue and workspace; with `path`, one of them", querystring: closed({ path: { type: "string", minLength: 1, maxLength: 300, description: "A file of a layer.", examples: ["connectors/hubspot/connector.yaml"] } }), response: { 200: closed({ files: { type: "array", items: closed({ layer: { type: "string" }, path: { type: "string" }, text: { type: "string" } }) } }) } },
  }, async (request) => {
    const { path } = request.query;
    const files = (await trees()).flatMap(({ layer, files: all }) => [...all].filter(([file]) => (path === undefined || file === path) && mayRead(request, file)).map(([file, text]) => ({ layer, path: file, ...(path === undefined ? {} : { text }) })));
    if (path !== undefined && files.length === 0) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "File", name: path });
    return { files };
  });
}

// ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Mapping → presets whose flows use it. */
function usersOf(workspace: Workspace): Map<string, string[]> {
  const users = new Map<string, string[]>();
  for (const [preset, layers] of workspace.presets) {
    const { flows } = merged(layers);
    for (const flow of Object.values(isMap(flows) ? flows : {})) {
      const written = isMap(flow) ? flow.map : undefined;
      const used = typeof written === "string" ? written : isMap(written) ? written.use : undefined;
      if (typeof used === "string" && !users.get(used)?.includes(preset)) users.set(used, [...(users.get(used) ?? []), preset]);
    }
  }
  return users;
}

/** Tenants' flows that use a mapping: their own, and those of their preset as it is now. */
function flowsUsing(workspace: Workspace, mapping: string, mayBeTold: (tenant: string) => boolean): { tenant: string; title: string; flow: string }[] {
  const using = (flows: Json | undefined): string[] => Object.entries(isMap(flows) ? flows : {}).flatMap(([flow, written]) => { const made = isMap(written) ? written.map : undefined; return (isMap(made) ? made.use : made) === mapping ? [flow] : []; });
  const ofPreset = new Map([...workspace.presets].map(([preset, layers]) => [preset, using(merged(layers).flows)]));
  const found: { tenant: string; title: string; flow: string }[] = [];
  for (const [tenant, { value }] of workspace.tenants) {
    if (!mayBeTold(tenant)) continue;
    for (const flow of new Set([...ofPreset.get(String(value.preset ?? "").split("@")[0]!) ?? [], ...using(value.flows)])) found.push({ tenant, title: typeof value.title === "string" ? value.title : tenant, flow });
    if (found.length >= MOST_FLOWS) break;
  }
  return found.slice(0, MOST_FLOWS);
}

const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

/** Where the newest layer that says it says it. */
function placeIn(layers: readonly Manifest[], pointer: string): { file: string; line: number; layer: string } {
  for (const manifest of layers.toReversed()) {
    const [, , field] = pointer.split("/");
    if (isMap(manifest.value.fields) && Object.hasOwn(manifest.value.fields, field!.replaceAll("~1", "/").replaceAll("~0", "~"))) return { file: manifest.file, line: manifest.locate(pointer).line, layer: manifest.layer };
  }
  return { file: layers.at(-1)!.file, line: 1, layer: layers.at(-1)!.layer };
}

function viewOf(workspace: Workspace, mapping: string, whole: JsonObject, place: (field: string) => { file: string; line: number; layer: string }): object {
  const [connector = "", stream = ""] = String(whole.from).split(".");
  return {
    id: mapping, from: String(whole.from), to: String(whole.to), where: typeof whole.where === "string" ? whole.where : null,
    fields: Object.entries(isMap(whole.fields) ? whole.fields : {}).map(([field, written]) => ({ field, ...writtenField(written), ...place(field) })),
    record_schema: recordSchema(connector, stream, workspace) ?? null, entity_schema: entitySchema(String(whole.to), workspace) ?? null,
  };
}

const writtenField = (written: Json): object =>
  typeof written === "string" ? { expression: written.replace(/^\s*=(?!=)/, ""), ref: null }
    : isMap(written) && typeof written.ref === "string" ? { expression: typeof written.key === "string" ? written.key : null, ref: written.ref } : { expression: null, ref: null, constant: written };

const made_ = (made: object): object => "expression" in made ? { expression: made.expression, ref: null } : "ref" in made ? { expression: (made as { key?: string }).key ?? null, ref: made.ref } : { expression: null, ref: null, ...made };

function flowOf(workspace: Workspace, tenant: string, name: string): { plan: TenantPlan; flow: FlowPlan } {
  const { plan } = resolvePlan(workspace, tenant);
  const flow = plan.flows[name];
  if (flow === undefined) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Flow", name, suggestion: suggest(name, Object.keys(plan.flows)) });
  return { plan, flow };
}

/** A connector as it is in any tenant's plan that uses it; its recorded answers are of the catalogue's address. */
function planAlone(trees: Trees, connector: string) {
  const catalogue = read(trees.filter(({ layer }) => layer === "catalogue"));
  if (!catalogue.connectors.has(connector)) return undefined;
  const alone = read([...trees.filter(({ layer }) => layer === "catalogue"), { layer: "workspace", label: "", files: new Map([["tenants/sample.yaml", `tenant: sample\ntitle: Sample\nconnections: { it: { connector: ${connector} } }\n`]]) }]);
  const { plan } = resolvePlan(alone, "sample");
  return plan.connectors[plan.connections["it"]?.connector ?? ""];
}

const PREVIEWED = "preview/preview";

/** The effective mapping of a tenant's flow as a mapping of its own, read like any other. */
function withMapping(workspace: Workspace, plan: TenantPlan, flow: FlowPlan): Workspace {
  const { id: connector } = plan.connectors[flow.connector]!;
  const fields = Object.fromEntries(Object.entries(flow.map?.fields ?? {}).map(([field, made]) => [field, "expression" in made ? made.expression : "constant" in made ? made.constant : { ref: made.ref, key: made.key }]));
  const text = JSON.stringify({ mapping: PREVIEWED, from: `${connector}.${flow.stream}`, to: flow.to.entity, ...(flow.map?.where === undefined ? {} : { where: flow.map.where }), fields });
  const made = read([{ layer: "workspace", label: "", files: new Map([[`mappings/${PREVIEWED}.yaml`, text]]) }]).mappings.get(PREVIEWED)!;
  return { ...workspace, mappings: new Map([...workspace.mappings, [PREVIEWED, made]]) };
}

