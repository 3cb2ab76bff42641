/**
 * A stand-in for Manatal's Open API v3, and for the service that sends its webhooks. Sources: developers.manatal.com and the
 * published n8n node of the vendor's users (jb-engine/n8n-nodes-manatal, MIT), read 2026-11.
 * What bites, and is therefore here: every path ends with a slash (404 without one); pages are counted from 1 and the one after
 * the last is an error; a stage is written nested; webhooks carry no signature, and what they say is not documented: here, the
 * model, the action and the object's id.
 */
import { jsonObject, rollingWindow, startStandIn, type Asked, type Reply, type StandIn, type StandInOptions } from "./kernel.ts";
import { createSender, type Message, type WebhookSender } from "./webhooks.ts";

const MAX_PAGE_SIZE = 100;
const DEFAULT_PAGE_SIZE = 20;
const MODELS: Readonly<Record<string, string>> = { candidates: "candidate", jobs: "job", matches: "match" };

export type ManatalRecord = { readonly id: number; readonly updated_at: string } & Readonly<Record<string, unknown>>;
export type ManatalResource = "candidates" | "jobs" | "matches";

export interface ManatalData {
  readonly token: string;
  readonly stages: readonly { readonly id: number; readonly name: string }[];
  readonly records: Record<ManatalResource, ManatalRecord[]>;
}

export interface ManatalOptions extends StandInOptions {
  readonly data: ManatalData;
  /** Requests a minute. Default 100. */
  readonly limit?: number;
  /** Copies of each webhook. Default 2. */
  readonly copies?: number;
}

export interface ManatalStandIn extends StandIn {
  readonly webhooks: WebhookSender & { /** An address for one model, as a subscription has. */ register(model: ManatalResource, url: string): void };
  readonly people: {
    add(resource: ManatalResource, record: ManatalRecord): void;
    change(resource: ManatalResource, id: number, fields: Readonly<Record<string, unknown>>): void;
    remove(resource: ManatalResource, id: number): void;
  };
  readonly notes: readonly Record<string, unknown>[];
}

/** `url` is the origin: the data is at `<url>/open/v3/…`. */
export async function startProvider(options: ManatalOptions): Promise<ManatalStandIn> {
  const { data } = options;
  const now = options.now ?? Date.now;
  const window = rollingWindow(options.limit ?? 100, 60_000, now);
  const hooks: { readonly model: ManatalResource; readonly url: string }[] = [];
  const notes: Record<string, unknown>[] = [];
  const messages: Message[] = [];
  const sender = createSender({ ...(options.copies === undefined ? {} : { copies: options.copies }), take: () => messages.splice(0).reverse() });
  const tell = (resource: ManatalResource, action: string, id: number): void => {
    for (const { url } of hooks.filter(({ model }) => model === resource)) messages.push({ url, write: () => ({ headers: {}, body: JSON.stringify({ model: MODELS[resource], action, object_id: id }) }) });
    sender.wake();
  };
  const change = (resource: ManatalResource, id: number, fields: Readonly<Record<string, unknown>>): ManatalRecord | undefined => {
    const before = data.records[resource].find((one) => one.id === id);
    if (before === undefined) return undefined;
    const record = { ...before, ...fields, updated_at: new Date(Math.max(now(), Date.parse(before.updated_at) + 1)).toISOString() };
    data.records[resource] = data.records[resource].map((one) => one === before ? record : one);
    tell(resource, resource === "jobs" ? "status_update" : resource === "matches" ? "moved" : "update", id);
    return record;
  };

  const standIn = await startStandIn(options, (asked) => {
    if (!asked.path.startsWith("/open/v3/") || !asked.path.endsWith("/")) return { status: 404, body: { detail: "Not found." } };
    if (asked.headers.authorization !== `Token ${data.token}`) return { status: 401, body: { detail: "Invalid token." } };
    const wait = window.take();
    if (wait > 0) return { status: 429, headers: { "retry-after": String(Math.ceil(wait / 1_000)) }, body: { detail: `Request was throttled. Expected available in ${Math.ceil(wait / 1_000)} seconds.` } };
    const [, , , name = "", id, sub] = asked.path.split("/");
    if (name === "users" && asked.method === "GET") return { status: 200, body: { count: 1, next: null, previous: null, results: [{ id: 1, full_name: "Demo Recruiter", email: "recruiter@mail.example" }] } };
    if (!(name in MODELS)) return { status: 404, body: { detail: "Not found." } };
    const resource = name as ManatalResource;
    if (id === "" || id === undefined) return asked.method === "GET" ? list(data.records[resource], asked) : { status: 405, body: { detail: `Method "${asked.method}" not allowed.` } };
    const record = data.records[resource].find((one) => String(one.id) === id);
    if (record === undefined) return { status: 404, body: { detail: "Not found." } };
    if (sub === "notes" && asked.method === "POST") {
      const info = jsonObject(asked)?.info;
      if (typeof info !== "string" || info === "") return { status: 400, body: { info: ["This field is required."] } };
      notes.push({ id: 900 + notes.length, info, [MODELS[resource]!]: record.id });
      return { status: 201, body: notes.at(-1) };
    }
    if (sub !== "" && sub !== undefined) return { status: 404, body: { detail: "Not found." } };
    if (asked.method === "GET") return { status: 200, body: record };
    if (asked.method !== "PATCH" || resource !== "matches") return { status: 405, body: { detail: `Method "${asked.method}" not allowed.` } };
    const wanted = jsonObject(asked)?.job_pipeline_stage as { id?: unknown } | null | undefined;
    const stage = data.stages.find((one) => one.id === wanted?.id);
    if (stage === undefined) return { status: 400, body: { job_pipeline_stage: [typeof wanted === "object" ? "Invalid pk - object does not exist." : "Expected an object."] } };
    return { status: 200, body: (record.job_pipeline_stage as { id?: number } | null)?.id === stage.id ? record : change("matches", record.id, { job_pipeline_stage: stage }) };
  });
  return {
    ...standIn, notes,
    webhooks: { ...sender, register: (model, url) => { hooks.push({ model, url }); } },
    people: {
      add(resource, record) {
        data.records[resource] = [...data.records[resource], record];
        if (resource !== "jobs") tell(resource, "create", record.id);
      },
      change(resource, id, fields) { change(resource, id, fields); },
      // Nothing is told of what is deleted: no such event is documented.
      remove(resource, id) { data.records[resource] = data.records[resource].filter((one) => one.id !== id); },
    },
    async close() {
      sender.close();
      await standIn.close();
    },
  };
}

function list(records: readonly ManatalRecord[], asked: Asked): Reply {
  const [page, size] = [Number(asked.query.get("page") ?? 1), Math.min(Number(asked.query.get("page_size") ?? DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE)];
  const bound = (name: string, fallback: number): number => asked.query.has(name) ? Date.parse(asked.query.get(name)!) : fallback;
  const [from, to] = [bound("updated_at__gte", -Infinity), bound("updated_at__lte", Infinity)];
  if (Number.isNaN(from) || Number.isNaN(to)) return { status: 400, body: { [Number.isNaN(from) ? "updated_at__gte" : "updated_at__lte"]: ["Enter a valid date/time."] } };
  const found = records.filter(({ updated_at }) => Date.parse(updated_at) >= from && Date.parse(updated_at) <= to).sort((a, b) => a.id - b.id);
  const pages = Math.max(1, Math.ceil(found.length / size));
  if (!Number.isInteger(page) || page < 1 || page > pages || !(size > 0)) return { status: 404, body: { detail: "Invalid page." } };
  const link = (number: number): string => {
    const query = new URLSearchParams(asked.query);
    query.set("page", String(number));
    return `http://${asked.headers.host}${asked.path}?${query}`;
  };
  return { status: 200, body: { count: found.length, next: page < pages ? link(page + 1) : null, previous: page > 1 ? link(page - 1) : null, results: found.slice((page - 1) * size, page * size) } };
}
