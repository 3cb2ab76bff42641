/** HubSpot: objects that are created, changed and archived, by requests and by people. Source: the OpenAPI description of the CRM objects, and the vendor's guide to contacts, read 2026-11. */
import type { Reply } from "./kernel.ts";
import type { HubSpotObject, HubSpotType } from "./hubspot.ts";
import type { HubSpotEvent } from "./hubspot-app.ts";

export interface HubSpotChanges {
  /** @throws WriteError */
  create(type: string, properties: Readonly<Record<string, unknown>>, by?: Source): HubSpotObject;
  /** @throws WriteError */
  change(type: string, id: string, properties: Readonly<Record<string, unknown>>, by?: Source): HubSpotObject;
  archive(type: string, id: string, by?: Source): void;
}

type Source = HubSpotEvent["changeSource"];

/** What the vendor answers with. */
export class WriteError extends Error {
  readonly status: number;
  readonly category: string;
  constructor(status: number, category: string, message: string) {
    super(message);
    this.status = status;
    this.category = category;
  }
}

/** Contacts are told apart by their address: no two have the same. */
const UNIQUE: Readonly<Record<string, string>> = { contacts: "email" };
const FIRST_ID = 90_000_000_001;

export function hubSpotChanges(data: { readonly portalId: number; readonly types: Readonly<Record<string, HubSpotType>> }, now: () => number, tell: (event: HubSpotEvent) => void): HubSpotChanges {
  const typeOf = (name: string): HubSpotType => {
    const type = data.types[name];
    if (type === undefined) throw new WriteError(404, "OBJECT_NOT_FOUND", "Unable to infer object type from the path.");
    return type;
  };
  const said = (name: string, object: HubSpotObject, kind: string, by: Source, properties: Readonly<Record<string, string | null>> = {}): void => {
    const event = { portalId: data.portalId, objectId: Number(object.id), occurredAt: Date.parse(object.updatedAt), changeSource: by };
    const singular = name === "companies" ? "company" : name.replace(/s$/, "");
    if (kind !== "propertyChange") tell({ ...event, subscriptionType: `${singular}.${kind}` });
    for (const [propertyName, value] of Object.entries(properties)) tell({ ...event, subscriptionType: `${singular}.propertyChange`, propertyName, propertyValue: value ?? "" });
  };
  /** Later than the version before, also within one millisecond. */
  const after = (object?: HubSpotObject): string => new Date(Math.max(now(), object === undefined ? 0 : Date.parse(object.updatedAt) + 1)).toISOString();

  return {
    create(name, properties, by = "CRM_UI") {
      const type = typeOf(name);
      const wanted = checked(type, properties);
      refuseTwice(name, type, wanted, undefined);
      const at = after();
      const id = String(Math.max(FIRST_ID, ...type.objects.map((one) => Number(one.id) + 1)));
      const object: HubSpotObject = { id, properties: wanted, createdAt: at, updatedAt: at, archived: false };
      type.objects = [...type.objects, object];
      said(name, object, "creation", by, wanted);
      return object;
    },
    change(name, id, properties, by = "CRM_UI") {
      const type = typeOf(name);
      const before = type.objects.find((one) => one.id === id && !one.archived);
      if (before === undefined) throw new WriteError(404, "OBJECT_NOT_FOUND", "resource not found");
      const wanted = Object.fromEntries(Object.entries(checked(type, properties)).filter(([property, value]) => (before.properties[property] ?? "") !== (value ?? "")));
      if (Object.keys(wanted).length === 0) return before;
      refuseTwice(name, type, wanted, id);
      const object: HubSpotObject = { ...before, properties: { ...before.properties, ...wanted }, updatedAt: after(before), before };
      type.objects = type.objects.map((one) => one === before ? object : one);
      said(name, object, "propertyChange", by, wanted);
      return object;
    },
    archive(name, id, by = "CRM_UI") {
      const type = typeOf(name);
      const before = type.objects.find((one) => one.id === id);
      if (before === undefined) throw new WriteError(404, "OBJECT_NOT_FOUND", "resource not found");
      if (before.archived) return;
      const object = { ...before, archived: true, updatedAt: after(before), before };
      type.objects = type.objects.map((one) => one === before ? object : one);
      said(name, object, "deletion", by);
    },
  };
}

/** The changes that a request asks for. */
export function writeObject(changes: HubSpotChanges, type: string, asked: { readonly method: string; readonly id?: string; readonly properties: unknown }, shape: (object: HubSpotObject, wanted: readonly string[]) => object, failure: (status: number, category: string, message: string) => Reply): Reply {
  const { method, id, properties } = asked;
  try {
    if (method === "DELETE") {
      changes.archive(type, id!, "INTEGRATION");
      return { status: 204 };
    }
    if (typeof properties !== "object" || properties === null || Array.isArray(properties)) throw new WriteError(400, "VALIDATION_ERROR", "Invalid input JSON: properties must be an object.");
    const object = id === undefined ? changes.create(type, properties as Record<string, unknown>, "INTEGRATION") : changes.change(type, id, properties as Record<string, unknown>, "INTEGRATION");
    return { status: id === undefined ? 201 : 200, body: shape(object, Object.keys(properties)) };
  } catch (thrown) {
    if (thrown instanceof WriteError) return failure(thrown.status, thrown.category, thrown.message);
    throw thrown;
  }
}

/** Everything is text; an empty one empties the property. Addresses are kept in lower case. */
function checked(type: HubSpotType, properties: Readonly<Record<string, unknown>>): Record<string, string | null> {
  const wrong = (name: string, why: string): WriteError => new WriteError(400, "VALIDATION_ERROR", `Property values were not valid: ${JSON.stringify([{ isValid: false, message: why, name }])}`);
  return Object.fromEntries(Object.entries(properties).map(([name, value]) => {
    if (!(name in type.types)) throw wrong(name, `Property "${name}" does not exist`);
    if (value !== null && typeof value === "object") throw wrong(name, "A property is text");
    const text = value === null || value === "" ? null : String(value);
    if (name !== "email" || text === null) return [name, text];
    if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(text)) throw wrong(name, `Email address ${text} is invalid`);
    return [name, text.toLowerCase()];
  }));
}

function refuseTwice(name: string, type: HubSpotType, wanted: Readonly<Record<string, string | null>>, id: string | undefined): void {
  const unique = UNIQUE[name];
  const value = unique === undefined ? undefined : wanted[unique];
  const other = value === undefined || value === null ? undefined : type.objects.find((one) => !one.archived && one.id !== id && one.properties[unique!]?.toLowerCase() === value);
  if (other !== undefined) throw new WriteError(409, "CONFLICT", `Contact already exists. Existing ID: ${other.id}`);
}
