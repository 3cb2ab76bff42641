import type { HubSpotObject } from "../providers/hubspot.ts";
import type { WixContact, WixData } from "../providers/wix.ts";
import { makePerson } from "./people.ts";
import type { Random } from "./random.ts";

const DAY = 86_400_000;

/** Visitors of Acme's site: most are contacts of its HubSpot, too, and their e-mail address says which. */
export function makeWix(access: Omit<WixData, "contacts">, known: readonly HubSpotObject[], own: number, begunAt: number, random: Random): WixData {
  const shared = known.map(({ properties }) => ({ first: properties.firstname!, last: properties.lastname!, email: properties.email!, phone: properties.phone ?? undefined, jobTitle: properties.jobtitle ?? undefined, company: properties.company ?? undefined }));
  const strangers = Array.from({ length: own }, (_, index) => { const { first, last, mailbox } = makePerson(20_000 + index, random); return { first, last, email: `${mailbox}@mail.example`, phone: undefined, jobTitle: undefined, company: undefined }; });
  return {
    ...access,
    contacts: [...shared, ...strangers].map(({ first, last, email, phone, jobTitle, company }, index): WixContact => {
      const at = new Date(begunAt - random.whole(2, 300) * DAY - random.whole(0, DAY)).toISOString();
      return {
        id: `0f0e0d0c-0000-4000-8000-${String(index).padStart(12, "0")}`, revision: random.whole(1, 9), createdDate: at, updatedDate: at,
        info: { name: { first, last }, emails: { items: [{ tag: "MAIN", email }] }, phones: { items: phone === undefined ? [] : [{ tag: "MAIN", phone }] }, ...(jobTitle === undefined ? {} : { jobTitle }), ...(company === undefined ? {} : { company }) },
      };
    }),
  };
}

/** Three visitors write that they have a new job. */
export function advanceWix(data: WixData, at: number, random: Random): void {
  const changed = new Set(random.shuffle(data.contacts).slice(0, 3));
  data.contacts = data.contacts.map((contact) => !changed.has(contact) ? contact
    : { ...contact, revision: contact.revision + 1, updatedDate: new Date(at).toISOString(), info: { ...contact.info, jobTitle: random.pick(JOBS) } });
}

const JOBS = ["Head of People", "Learning Partner", "Site Manager", "Owner", "Finance Director"] as const;
