import type { Random } from "./random.ts";
import { slug } from "./employers.ts";
import { FIRST_NAMES, LAST_NAMES } from "./words.ts";

export interface Person { readonly first: string; readonly last: string; readonly mailbox: string }

/** `number` keeps mailboxes of people with one name apart. */
export function makePerson(number: number, random: Random): Person {
  const [first, last] = [random.pick(FIRST_NAMES), random.pick(LAST_NAMES)];
  return { first, last, mailbox: `${slug(first)}.${slug(last)}${number}` };
}

/** A British mobile number of the range kept for drama. */
export function mobile(random: Random): string {
  return `07700 900${random.whole(100, 999)}`;
}
