/**
 * A stand-in for a Wix site's contact list (Contacts v4), and for an app's webhooks. Source: dev.wix.com, read 2026-11.
 * What bites, and is therefore here: the key has no scheme word before it; a change names the revision it is made from, and is refused
 * when that is old (409); an address that is taken is refused (409) unless duplicates are allowed; `filter: { updatedDate: {} }` is
 * an error; a webhook's whole body is a token, with JSON text inside of JSON text.
 */
import { generateKeyPairSync, randomUUID, sign as signBytes, type KeyObject } from "node:crypto";
import { jsonObject, startStandIn, type Asked, type Reply, type StandIn, type StandInOptions } from "./kernel.ts";
import { createSender, type Message, type WebhookSender } from "./webhooks.ts";

const MAX_LIMIT = 1_000;
const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = { $gte: (a, b) => a >= b, $gt: (a, b) => a > b, $lte: (a, b) => a <= b, $lt: (a, b) => a < b };

export interface WixInfo {
  readonly name?: { readonly first?: string; readonly last?: string };
  readonly emails?: { readonly items: readonly { readonly tag?: string; readonly email: string }[] };
  readonly phones?: { readonly items: readonly { readonly tag?: string; readonly phone: string }[] };
  readonly jobTitle?: string;
  readonly company?: string;
}

export interface WixContact { readonly id: string; readonly revision: number; readonly createdDate: string; readonly updatedDate: string; readonly info: WixInfo }

export interface WixData {
  readonly apiKey: string;
  readonly siteId: string;
  /** Of the app on this site. */
  readonly instanceId: string;
  readonly name: string;
  contacts: WixContact[];
}

export interface WixOptions extends StandInOptions { readonly data: WixData; /** Copies of each webhook. Default 2. */ readonly copies?: number }

export interface WixStandIn extends StandIn {
  readonly webhooks: WebhookSender & { register(url: string): void; /** PEM. */ readonly publicKey: string };
  readonly people: { add(info: WixInfo): WixContact; change(id: string, info: WixInfo): WixContact; remove(id: string): void };
}

export async function startProvider(options: WixOptions): Promise<WixStandIn> {
  const { data } = options;
  const now = options.now ?? Date.now;
  // Made when they are needed: that takes a while.
  let made: ReturnType<typeof makeKeys> | undefined;
  const keys = (): ReturnType<typeof makeKeys> => (made ??= makeKeys());
  let target: string | undefined;
  const messages: Message[] = [];
  const sender = createSender({ ...(options.copies === undefined ? {} : { copies: options.copies }), take: () => messages.splice(0).reverse() });
  const tell = (slug: "created" | "updated" | "deleted", contact: WixContact): void => {
    const url = target;
    if (url === undefined) return;
    const inner = JSON.stringify({ id: randomUUID(), entityFqdn: "wix.contacts.v4.contact", slug, entityId: contact.id, eventTime: contact.updatedDate, [`${slug}Event`]: slug === "deleted" ? {} : { [slug === "created" ? "entityAsJson" : "currentEntityAsJson"]: JSON.stringify(shape(contact)) } });
    const claims = JSON.stringify({ eventType: `wix.contacts.v4.contact_${slug}`, instanceId: data.instanceId, data: inner, identity: JSON.stringify({ identityType: "APP" }) });
    messages.push({ url, write: () => ({ headers: { "content-type": "text/plain" }, body: token(keys().privateKey, { data: claims }, now()) }) });
    sender.wake();
  };
  const later = (before?: WixContact): string => new Date(Math.max(now(), before === undefined ? 0 : Date.parse(before.updatedDate) + 1)).toISOString();
  const taken = (info: WixInfo, but?: string): WixContact | undefined => {
    const email = emailOf(info);
    return email === undefined ? undefined : data.contacts.find((one) => one.id !== but && emailOf(one.info) === email);
  };
  const people: WixStandIn["people"] = {
    add(info) {
      const at = later();
      const contact = { id: randomUUID(), revision: 1, createdDate: at, updatedDate: at, info };
      data.contacts = [...data.contacts, contact];
      tell("created", contact);
      return contact;
    },
    change(id, info) {
      const before = data.contacts.find((one) => one.id === id)!;
      const contact = { ...before, revision: before.revision + 1, updatedDate: later(before), info: { ...before.info, ...info } };
      data.contacts = data.contacts.map((one) => one === before ? contact : one);
      tell("updated", contact);
      return contact;
    },
    remove(id) {
      const before = data.contacts.find((one) => one.id === id);
      if (before === undefined) return;
      data.contacts = data.contacts.filter((one) => one !== before);
      tell("deleted", { ...before, updatedDate: later(before) });
    },
  };

  const standIn = await startStandIn(options, (asked) => {
    if (asked.headers.authorization !== data.apiKey) return failure(401, "UNAUTHENTICATED", "");
    if (asked.headers["wix-site-id"] !== data.siteId) return failure(400, "MISSING_SITE_ID", "wix-site-id must be the id of a site.");
    if (asked.path === "/site-properties/v4/properties" && asked.method === "GET") return { status: 200, body: { properties: { siteDisplayName: data.name, locale: { languageCode: "en" } }, version: "1" } };
    const [, id] = /^\/contacts\/v4\/contacts(?:\/([^/]+))?$/.exec(asked.path) ?? [];
    if (!asked.path.startsWith("/contacts/v4/contacts")) return { status: 404, body: "" };
    if (id === "query") return asked.method === "POST" ? query(data, asked) : { status: 404, body: "" };
    if (id === undefined) return asked.method === "POST" ? create(people, taken, asked) : { status: 404, body: "" };
    const contact = data.contacts.find((one) => one.id === id);
    if (contact === undefined) return failure(404, "CONTACT_NOT_FOUND", `Contact ${id} was not found.`);
    switch (asked.method) {
      case "GET": return { status: 200, body: { contact: shape(contact) } };
      case "DELETE": people.remove(id); return { status: 200, body: {} };
      case "PATCH": return change(people, taken, contact, asked);
      default: return { status: 404, body: "" };
    }
  });
  return {
    ...standIn, people,
    webhooks: { ...sender, register: (url) => { target = url; }, get publicKey() { return keys().publicKey.export({ type: "spki", format: "pem" }) as string; } },
    async close() {
      sender.close();
      await standIn.close();
    },
  };
}

type Taken = (info: WixInfo, but?: string) => WixContact | undefined;

function create(people: WixStandIn["people"], taken: Taken, asked: Asked): Reply {
  const body = jsonObject(asked);
  const info = infoOf(body);
  if (info === undefined) return failure(400, "INVALID_ARGUMENT", "info must be an object with a name, a phone or an email.");
  const other = body!.allowDuplicates === true ? undefined : taken(info);
  return other === undefined ? { status: 200, body: { contact: shape(people.add(info)) } } : duplicate(other);
}

function change(people: WixStandIn["people"], taken: Taken, contact: WixContact, asked: Asked): Reply {
  const body = jsonObject(asked);
  const info = infoOf(body);
  if (info === undefined) return failure(400, "INVALID_ARGUMENT", "info must be an object.");
  if (!Number.isInteger(body!.revision)) return failure(400, "INVALID_ARGUMENT", "revision is required.");
  if (body!.revision !== contact.revision) return failure(409, "CONTACT_REVISION_MISMATCH", `The revision is ${contact.revision}.`);
  const other = taken(info, contact.id);
  return other === undefined ? { status: 200, body: { contact: shape(people.change(contact.id, info)) } } : duplicate(other);
}

function query(data: WixData, asked: Asked): Reply {
  const { filter, sort, paging } = (jsonObject(asked)?.query ?? {}) as { filter?: Record<string, unknown>; sort?: { fieldName?: string; order?: string }[]; paging?: { limit?: number; offset?: number } };
  const [limit, offset] = [paging?.limit ?? 50, paging?.offset ?? 0];
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT || !Number.isInteger(offset) || offset < 0) return failure(400, "INVALID_ARGUMENT", `limit must be 1 to ${MAX_LIMIT}.`);
  let found = data.contacts;
  for (const [field, test] of Object.entries(filter ?? {})) {
    const bounds = Object.entries((test ?? {}) as Record<string, unknown>);
    if (field !== "updatedDate" || bounds.length === 0 || bounds.some(([operator, value]) => !(operator in COMPARISONS) || Number.isNaN(Date.parse(String(value))))) return failure(400, "INVALID_ARGUMENT", `The filter of '${field}' is not supported.`);
    found = found.filter((contact) => bounds.every(([operator, value]) => COMPARISONS[operator]!(Date.parse(contact.updatedDate), Date.parse(String(value)))));
  }
  if (sort?.[0]?.fieldName === "updatedDate") found = [...found].sort((a, b) => (Date.parse(a.updatedDate) - Date.parse(b.updatedDate)) * (sort[0]!.order === "DESC" ? -1 : 1));
  return { status: 200, body: { contacts: found.slice(offset, offset + limit).map(shape), pagingMetadata: { count: Math.min(limit, Math.max(0, found.length - offset)), offset, total: found.length } } };
}

const makeKeys = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const infoOf = (body: Record<string, unknown> | undefined): WixInfo | undefined => (typeof body?.info === "object" && body.info !== null && !Array.isArray(body.info) ? body.info as WixInfo : undefined);
const emailOf = (info: WixInfo): string | undefined => info.emails?.items[0]?.email.toLowerCase();

function shape(contact: WixContact): object {
  const [email, phone] = [contact.info.emails?.items[0]?.email, contact.info.phones?.items[0]?.phone];
  return { id: contact.id, revision: contact.revision, createdDate: contact.createdDate, updatedDate: contact.updatedDate, primaryInfo: { ...(email === undefined ? {} : { email }), ...(phone === undefined ? {} : { phone }) }, info: contact.info };
}

/** RFC 7519: a token signed with RS256, good for an hour. */
function token(key: KeyObject, claims: object, now: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const seconds = Math.floor(now / 1_000);
  const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part({ ...claims, iat: seconds, exp: seconds + 3_600 })}`;
  return `${signed}.${signBytes("sha256", Buffer.from(signed), key).toString("base64url")}`;
}

const duplicate = ({ id }: WixContact): Reply => failure(409, "DUPLICATE_CONTACT_EXISTS", "A contact with this email address exists.", { duplicateContactId: id });

function failure(status: number, code: string, description: string, data?: object): Reply {
  return { status, body: { message: description, details: { applicationError: { code, description, ...(data === undefined ? {} : { data }) } } } };
}
