import type { HubSpotData, HubSpotObject, HubSpotType } from "../providers/hubspot.ts";
import type { Properties, PropertyType } from "../providers/hubspot-search.ts";
import type { Employer } from "./employers.ts";
import { makePerson, mobile } from "./people.ts";
import type { Random } from "./random.ts";

const DAY = 86_400_000;

const COMPANY: Readonly<Record<string, PropertyType>> = {
  name: "string", domain: "string", company_number: "string", phone: "string", city: "string", zip: "string", country: "string", industry: "enumeration",
  numberofemployees: "number", lifecyclestage: "enumeration", hubspot_owner_id: "enumeration", createdate: "datetime", hs_lastmodifieddate: "datetime", hs_object_id: "number",
};
const CONTACT: Readonly<Record<string, PropertyType>> = {
  email: "string", firstname: "string", lastname: "string", phone: "string", jobtitle: "string", company: "string", lifecyclestage: "enumeration",
  associatedcompanyid: "number", createdate: "datetime", lastmodifieddate: "datetime", hs_object_id: "number",
};

export function makeHubSpot(access: { portalId: number; token: string }, employers: readonly Employer[], contacts: number, begunAt: number, random: Random): HubSpotData {
  const companies = employers.map((employer, index) => makeCompany(employer, index, begunAt, random));
  const people = Array.from({ length: contacts }, (_, index) => makeContact(random.pick(companies), index, begunAt, random));
  return {
    ...access,
    scopes: ["crm.objects.companies.read", "crm.objects.contacts.read", "crm.objects.contacts.write"],
    types: {
      companies: { types: COMPANY, defaults: ["name", "domain"], modified: "hs_lastmodifieddate", scope: "crm.objects.companies.read", objects: companies },
      contacts: { types: CONTACT, defaults: ["email", "firstname", "lastname"], modified: "lastmodifieddate", scope: "crm.objects.contacts.read", objects: people },
      deals: { types: { dealname: "string", createdate: "datetime", hs_lastmodifieddate: "datetime", hs_object_id: "number" }, defaults: ["dealname"], modified: "hs_lastmodifieddate", scope: "crm.objects.deals.read", objects: [] },
    },
    associations: { "companies/contacts": associate(people) },
  };
}

/** Five companies change, two are new, one is archived; eight contacts change. */
export function advanceHubSpot(data: HubSpotData, newcomers: readonly Employer[], at: number, random: Random): void {
  const { companies, contacts } = data.types as { companies: HubSpotType; contacts: HubSpotType };
  const [archived, ...changed] = random.shuffle(companies.objects.filter((object) => !object.archived)).slice(0, 6);
  for (const company of changed) replace(companies, company, { ...company.properties, numberofemployees: String(Number(company.properties.numberofemployees ?? 10) + random.whole(1, 30)), city: random.pick(["York", "Bath", "Ripon", "Truro"]) }, at);
  replace(companies, archived!, archived!.properties, at, true);
  for (const employer of newcomers) {
    const company = makeCompany(employer, companies.objects.length, at, random);
    companies.objects.push({ ...company, createdAt: new Date(at).toISOString(), updatedAt: new Date(at).toISOString() });
  }
  for (const contact of random.shuffle(contacts.objects).slice(0, 8)) replace(contacts, contact, { ...contact.properties, phone: mobile(random) }, at);
}

function replace(type: HubSpotType, object: HubSpotObject, properties: Properties, at: number, archived = false): void {
  const next = { ...object, properties, updatedAt: new Date(at).toISOString(), archived, before: object };
  type.objects = type.objects.map((one) => one === object ? next : one);
}

function makeCompany(employer: Employer, index: number, begunAt: number, random: Random): HubSpotObject {
  const known = index % 5;
  const createdAt = begunAt - random.whole(450, 1_100) * DAY - random.whole(0, DAY);
  // Every twelfth comes from one import: the very same time.
  const updatedAt = index % 12 === 0 ? begunAt - 300 * DAY : begunAt - random.whole(1, 440) * DAY - random.whole(0, DAY);
  const unset = (probability: number, value: string) => random.chance(probability) ? null : value;
  return {
    id: String(10_400_000_000 + index * 137),
    properties: {
      name: employer.name, domain: known === 3 ? null : random.chance(0.1) ? employer.domain.toUpperCase() : employer.domain, company_number: known === 4 ? null : employer.number,
      phone: unset(0.3, employer.phone), city: unset(0.1, employer.town), zip: employer.postcode, country: "United Kingdom", industry: employer.industry,
      numberofemployees: unset(0.2, String(employer.employees)), lifecyclestage: random.pick(["lead", "opportunity", "customer"]), hubspot_owner_id: String(70_100 + random.whole(0, 6)),
    },
    createdAt: new Date(createdAt).toISOString(), updatedAt: new Date(updatedAt).toISOString(), archived: false,
  };
}

function makeContact(company: HubSpotObject, index: number, begunAt: number, random: Random): HubSpotObject {
  const person = makePerson(index, random);
  const createdAt = begunAt - random.whole(300, 900) * DAY;
  return {
    id: String(88_000_000_000 + index * 53),
    properties: {
      email: `${person.mailbox}@${(company.properties.domain ?? "mail.example").toLowerCase()}`, firstname: person.first, lastname: person.last,
      phone: random.chance(0.4) ? null : mobile(random), jobtitle: random.pick(["HR Manager", "Apprenticeship Lead", "Operations Director", "Office Manager", null]),
      company: company.properties.name ?? null, lifecyclestage: "lead", associatedcompanyid: company.id,
    },
    createdAt: new Date(createdAt).toISOString(), updatedAt: new Date(begunAt - random.whole(1, 290) * DAY).toISOString(), archived: false,
  };
}

function associate(contacts: readonly HubSpotObject[]): Record<string, string[]> {
  const links: Record<string, string[]> = {};
  for (const contact of contacts) (links[contact.properties.associatedcompanyid!] ??= []).push(contact.id);
  return links;
}
