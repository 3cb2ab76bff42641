/**
 * Every route × every caller × everything of B that could stand in it. Judged by what comes back and by what is in B's tables
 * afterwards, never by how the route works.
 */
import { createHmac } from "node:crypto";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { permissions } from "../../server/api/permissions.ts";
import { bodyOf, type Answer } from "./answer.ts";
import { candidates, valueFor } from "./bodies.ts";
import { randomOf } from "./random.ts";
import { A, ACCESS_ONLY, B, CANARY, PROBED, type Caller, type Route, type World } from "./world.ts";
import { setConnection } from "../../engine/store/index.ts";

export interface Leak { readonly rule: string; readonly where: string; readonly detail: string }

export interface Probed {
  /** Cells of route × caller: who gets to the route, and who does not. */
  readonly cells: { readonly let_in: number; readonly refused: number };
  readonly probes: number;
  /** Of them, those in which the route's own code ran. */
  readonly reached: number;
  /** By what was put in whose place. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly statuses: Readonly<Record<string, number>>;
  readonly leaks: readonly Leak[];
  /** Answers of 500: no leak, and nobody's intention. */
  readonly broken: readonly string[];
}

interface Probe {
  readonly kind: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
  readonly body?: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** B is named where the request says which tenant it is about: nothing may be found. */
  readonly namesB?: boolean;
  /** An id that is B's alone stands where the route looks for its thing. */
  readonly idOfB?: boolean;
  /** What was sent of B's: an error may repeat it. */
  readonly sent: readonly string[];
}

/** Acts that would end A, or the configuration, for all probes after them; access to them is asserted without carrying them out. */
const NOT_CARRIED_OUT = /^(POST \/api\/tenants\/:tenant\/(suspend|erasure)|DELETE \/api\/tenants\/:tenant|POST \/api\/configuration\/(sync|rollback)|POST \/api\/changes\/:id\/(apply|rollback)|POST \/api\/tenants)$/;
const AT_ONCE = 8;
/** Ids of other kinds of things that stand in an id's place. */
const OTHER_IDS = 14;

/**
 * @param share of all probes.
 * @param keys of the callers that are asked for their cells alone. @default 1
 */
export async function probeRoutes(world: World, { seed, share, keys = 1, only, log = () => undefined }: { seed: number; share: number; keys?: number; only?: (route: Route) => boolean; log?: (line: string) => void }): Promise<Probed> {
  const random = randomOf(seed);
  const leaks: Leak[] = [];
  const broken = new Set<string>();
  const cells = { let_in: 0, refused: 0 };
  const kinds: Record<string, number> = {};
  const statuses: Record<string, number> = {};
  let [probes, reached] = [0, 0];
  const entered = new Map<Caller, Promise<Record<string, string>>>();
  const signedIn = (caller: Caller): Promise<Record<string, string>> => {
    if (!entered.has(caller)) entered.set(caller, caller.headers());
    return entered.get(caller)!;
  };
  const cursors = await cursorsOfB(world);
  let before = await world.fingerprintOfB();

  const routes = world.routes.filter((route) => only?.(route) ?? true).filter((route) => !route.path.startsWith("/docs") && !route.path.startsWith("/connect/"));
  for (const [index, route] of routes.entries()) {
    const where = `${route.method} ${route.path}`;
    if (route.permission !== "public") {
      await inTurns(world.callers.filter(({ thorough }) => thorough || random() < keys), async (caller) => {
        const cell = await assertCell(world, route, caller, await signedIn(caller));
        cells[caller.has(route.permission) ? "let_in" : "refused"]++;
        if (cell !== undefined) leaks.push({ rule: "matrix", where: `${where} as ${caller.name}`, detail: cell });
      });
    }
    for (const caller of world.callers.filter(({ thorough }) => thorough)) {
      const headers = await signedIn(caller);
      const all = probesOf(world, route, caller, cursors, random).filter(() => random() < share);
      await inTurns(all, async (probe) => {
        const answer = await send(world, route, probe, { ...headers, ...probe.headers });
        probes++;
        kinds[probe.kind] = (kinds[probe.kind] ?? 0) + 1;
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        if (answer.reached) reached++;
        if (answer.status === 500) broken.add(`${where} as ${caller.name}, ${probe.kind}: ${answer.text.slice(-300)}`);
        const leak = judge(route, caller, probe, answer);
        if (leak !== undefined) leaks.push({ ...leak, where: `${where} as ${caller.name}, ${probe.kind} ${JSON.stringify({ params: probe.params, query: probe.query })}` });
      });
    }
    if (index % 20 === 19) log(`${index + 1} of ${routes.length} routes, ${probes} probes, ${leaks.length} leaks`);
    // What only reads has ended nobody's session, and taken nothing of A's.
    if (route.method === "GET" && index < routes.length - 1) continue;
    entered.clear();
    await restoreA(world);
    const after = await world.fingerprintOfB();
    for (const [table, hash] of after) if (before.get(table) !== hash && table !== "refused_requests") leaks.push({ rule: "B's rows changed", where, detail: table });
    before = after;
  }
  for (const line of world.log.text.split("\n").filter((each) => each.includes(CANARY[B]))) {
    const rest = without(line, sentOfB(world));
    if (rest.includes(CANARY[B])) { leaks.push({ rule: "B's words in the log", where: "log", detail: line.slice(0, 300) }); break; }
  }
  for (const { text, tables } of world.tap.strays) leaks.push({ rule: "a statement on a tenant's table outside of a tenant's transaction", where: tables.join(", "), detail: text });
  return { cells, probes, reached, kinds, statuses, leaks, broken: [...broken] };
}

/** A few at once, as a busy server has them. */
async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => { for (const item of waiting) await work(item); }));
}

// ── cells ───────────────────────────────────────────────────────────────────────────────────────────────────────────

async function assertCell(world: World, route: Route, caller: Caller, headers: Record<string, string>): Promise<string | undefined> {
  const own = base(world, route);
  const { status, text } = await send(world, route, { ...own, body: undefined }, { ...headers, [ACCESS_ONLY]: "yes" });
  const wanted = caller.has(route.permission) ? PROBED : caller.name === "nobody" ? 401 : 403;
  return status === wanted ? undefined : `${wanted} is expected, ${status} came: ${text.slice(-200)}`;
}

// ── what is sent ────────────────────────────────────────────────────────────────────────────────────────────────────

const paramsOf = (path: string): string[] => [...path.matchAll(/:(\w+)/g)].map(([, name]) => name!).concat(path.endsWith("*") ? ["*"] : []);

function base(world: World, route: Route): Probe {
  const of = world.known[A];
  const params = Object.fromEntries(paramsOf(route.path).map((name) => [name, name === "*" ? "people?page=1" : candidates(name, of, { path: route.path, others: 1 })[0] ?? "abc"]));
  const required = route.schema.querystring?.required ?? [];
  const query = [
    ...(permissions[route.permission].tenant === false || "tenant" in params ? [] : [["tenant", A] as const]),
    ...required.filter((name) => name !== "tenant").map((name) => [name, String(valueFor(route.schema.querystring!.properties![name]!, name, of))] as const),
  ];
  const body = route.schema.body === undefined ? (route.method === "GET" ? undefined : {}) : valueFor(route.schema.body, "body", of);
  return { kind: "own", params, query, ...(route.method === "GET" || route.method === "DELETE" && route.schema.body === undefined ? {} : { body }), headers: {}, sent: [] };
}

function probesOf(world: World, route: Route, caller: Caller, cursors: readonly string[], random: () => number): Probe[] {
  const whole = base(world, route);
  const of = world.known[B];
  const all: Probe[] = [];
  const { querystring, body } = route.schema;
  const about = permissions[route.permission].tenant;
  const dangerous = NOT_CARRIED_OUT.test(`${route.method} ${route.path}`) && caller.has(route.permission);
  const add = (probe: Partial<Probe> & { kind: string }): void => { if (!dangerous || (!caller.reachesB && probe.namesB)) all.push({ ...whole, ...probe, sent: [...(probe.sent ?? []), ...of.names["token"]!] }); };
  const without_ = (name: string) => whole.query.filter(([key]) => key !== name);

  add({ kind: "own" });
  // Staff who work for some tenants see some; nobody else is told of several.
  if (about === "optional" && !caller.reachesB) add({ kind: "no tenant", query: without_("tenant") });
  for (const name of Object.keys(whole.params)) {
    if (name === "tenant" || name === "*") continue;
    for (const value of candidates(name, of, { path: route.path, others: OTHER_IDS, random })) {
      const onlyBs = /^[0-9a-f-]{36}$/.test(value) || value.includes(CANARY[B]) || value.includes(B);
      add({ kind: "path", params: { ...whole.params, [name]: value }, sent: [value], idOfB: onlyBs });
    }
  }
  for (const name of Object.keys(querystring?.properties ?? {})) {
    if (name === "tenant" || name === "cursor") continue;
    for (const value of candidates(name, of, { others: 3, random }).slice(0, 6)) add({ kind: "filter", query: [...without_(name), [name, value]], sent: [value] });
    add({ kind: "query", query: [...without_(name), [name, String(valueFor(querystring!.properties![name]!, name, world.known[A]))]] });
  }
  if (querystring?.properties?.["cursor"] !== undefined) for (const cursor of cursors) add({ kind: "cursor", query: [...without_("cursor"), ["cursor", cursor]] });
  // Whoever reaches B when they name it, may.
  if (caller.reachesB) return all;

  if ("tenant" in whole.params) for (const value of [B, of.tenantId, B.toUpperCase(), `${A}/../${B}`, "platform"]) add({ kind: "path", params: { ...whole.params, tenant: value }, namesB: value !== "platform" || caller.name !== "integration_engineer", sent: [value] });
  for (const value of [B, of.tenantId]) add({ kind: "tenant", query: [...without_("tenant"), ["tenant", value]], namesB: about !== false && !("tenant" in whole.params), sent: [value] });
  for (const pair of [[A, B], [B, A]]) add({ kind: "tenant twice", query: [...without_("tenant"), ...pair.map((value) => ["tenant", value] as const)], sent: [B] });
  add({ kind: "tenant as a list", query: [...without_("tenant"), ["tenant[]", B]] });
  for (const value of [B, "platform"]) add({ kind: "header", headers: { "x-tenant": value, "x-tenant-id": of.tenantId, "x-plugboard-tenant": value, "x-forwarded-host": `${value}.example.com`, "if-none-match": '"*"', "x-forwarded-for": "127.0.0.1", "x-original-url": `/api/runs?tenant=${value}` } });
  add({ kind: "host", headers: { host: `${B}.example.com` } });
  if (about !== false && !("tenant" in whole.params)) add({ kind: "host instead of a tenant", headers: { host: `${B}.example.com` }, query: without_("tenant") });
  if ("tenant" in whole.params) add({ kind: "path and query differ", query: [["tenant", B]] });
  const everyParam = Object.fromEntries(Object.keys(whole.params).map((name) => [name, name === "*" ? whole.params[name]! : candidates(name, of, { path: route.path, others: 1 })[0] ?? "abc"]));
  add({ kind: "everything of B", params: { ...everyParam, ...("tenant" in whole.params ? { tenant: B } : {}) }, query: [["tenant", B]], namesB: about !== false, sent: Object.values(everyParam) });
  if ("tenant" in whole.params) add({ kind: "everything of B but the tenant", params: { ...everyParam, tenant: A }, sent: Object.values(everyParam) });

  if (whole.body !== undefined) {
    if (body !== undefined) {
      const theirs = valueFor(body, "body", of);
      add({ kind: "body of B", body: theirs, sent: strings(theirs) });
      for (const [name, schema] of Object.entries(body.properties ?? {})) {
        const values = new Set([JSON.stringify(valueFor(schema, name, of)), ...(schema.type === "string" ? candidates(name, of, { others: 4, random }).slice(0, 8).map((value) => JSON.stringify(value)) : [])]);
        for (const value of values) add({ kind: "body", body: { ...(whole.body as object), [name]: JSON.parse(value) as unknown }, sent: strings(JSON.parse(value)) });
      }
      // Only what must be there, and nothing at all.
      add({ kind: "least body", body: Object.fromEntries((body.required ?? []).map((name) => [name, (whole.body as Record<string, unknown>)[name]])) });
    }
    for (const extra of [{ tenant: B }, { tenant_id: of.tenantId }, { role: "super_admin", within: null, tenants: [B] }, { __proto__: null, constructor: { tenant: B } }]) add({ kind: "mass assignment", body: { ...(whole.body as object), ...extra } });
  }
  if (route.path === "/webhooks/:connector/:token") add({ kind: "webhook of B signed by A", params: { connector: "crm", token: of.names["token"]![0]! }, body: WEBHOOK, headers: { "x-crm-signature": signatureOf(A, WEBHOOK) }, sent: of.names["token"]! });
  return all;
}

const WEBHOOK = { event_id: "1", type: "changed", person: { id: 1, name: "x" } };

/** As the provider signs for a tenant: with the secret that was entered there. */
export const signatureOf = (tenant: typeof A | typeof B, body: object): string => createHmac("sha256", `${CANARY[tenant]}-webhook`).update(JSON.stringify(body)).digest("hex");

const strings = (value: unknown): string[] => typeof value === "string" ? [value] : value !== null && typeof value === "object" ? Object.values(value).flatMap(strings) : [];

async function send(world: World, route: Route, probe: Probe, headers: Record<string, string>): Promise<Answer> {
  const path = route.path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(probe.params[name] ?? "abc")).replace(/\*$/, () => probe.params["*"] ?? "abc");
  const query = probe.query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  const url = path + (query === "" ? "" : `${path.includes("?") ? "&" : "?"}${query}`);
  const options: InjectOptions = { method: route.method, url, headers: { ...headers, ...(probe.body === undefined ? {} : { "content-type": "application/json" }) }, ...(probe.body === undefined ? {} : { payload: JSON.stringify(probe.body) }) };
  return bodyOf(world.server, options, route.path === "/api/live");
}

// ── what came back ──────────────────────────────────────────────────────────────────────────────────────────────────

function judge(route: Route, caller: Caller, probe: Probe, answer: Answer): Omit<Leak, "where"> | undefined {
  const spanning = caller.reachesB && permissions[route.permission].tenant !== true;
  const rest = without(answer.text, probe.sent);
  if (!spanning && rest.includes(CANARY[B])) return { rule: "B's words in an answer", detail: `${answer.status}: …${rest.slice(Math.max(0, rest.indexOf(CANARY[B]) - 120), rest.indexOf(CANARY[B]) + 80)}` };
  if (route.permission === "public") {
    if (probe.kind === "webhook of B signed by A" && answer.status < 400) return { rule: "B's webhook takes what A signed", detail: String(answer.status) };
    return undefined;
  }
  if (caller.name === "nobody" && answer.status !== 401) return { rule: "somebody without a name gets in", detail: `${answer.status}: ${answer.text.slice(-200)}` };
  if (probe.namesB && answer.status < 400) return { rule: "another tenant answers", detail: `${answer.status}: ${answer.text.slice(-200)}` };
  if (!caller.has(route.permission) && answer.status < 400) return { rule: "a role gets in that has not the permission", detail: `${answer.status}: ${answer.text.slice(-200)}` };
  if (probe.idOfB && answer.status < 400 && !spanning) return { rule: "an id of B is found", detail: `${answer.status}: ${answer.text.slice(-200)}` };
  return undefined;
}

/** Without what was sent, in the ways that an answer repeats it. */
function without(text: string, sent: readonly string[]): string {
  let rest = text;
  for (const value of sent) for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1), value.toLowerCase()]) if (form !== "") rest = rest.replaceAll(form, "…");
  return rest;
}

const sentOfB = (world: World): string[] => [...new Set([...Object.values(world.known[B].names).flat(), ...world.known[B].uuids])].sort((a, b) => b.length - a.length);

// ── between ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Every cursor that B's lists give to whoever may read them. */
async function cursorsOfB(world: World): Promise<string[]> {
  const found = new Set<string>();
  for (const route of world.routes) {
    if (route.method !== "GET" || route.schema.querystring?.properties?.["cursor"] === undefined) continue;
    const path = route.path.replace(":entity", "learner").replace(/:(\w+)/g, B);
    const answer: LightMyRequestResponse = await world.stage.bearer(world.stage.operatorKey, "GET", `${path}?tenant=${B}&limit=1`);
    const next = answer.statusCode === 200 ? (answer.json() as { next_cursor?: string | null }).next_cursor : undefined;
    if (typeof next === "string") found.add(next);
  }
  return [...found];
}

/** What probes of A's own may have ended. */
async function restoreA(world: World): Promise<void> {
  const { database: { db }, keyring } = world.stage.rig;
  for (const connection of ["main", `crm_of_${A}`]) await setConnection(db, keyring, A, connection, { connector: "crm", config: { site: CANARY[A] }, secrets: { token: `${CANARY[A]}-token`, webhook_secret: `${CANARY[A]}-webhook` }, account: { id: `${CANARY[A]}-account`, label: CANARY[A] }, by: "isolation" } as never);
}
