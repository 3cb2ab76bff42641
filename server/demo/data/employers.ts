/** The employers that the providers know: several providers know the same one, which is what `match` joins. */
import type { Random } from "./random.ts";
import { EMPLOYER_NAMES, SECTORS, TOWNS } from "./words.ts";

export interface Employer {
  readonly name: string;
  /** Unique among all employers, as is `number`. */
  readonly domain: string;
  /** Company number as Companies House prints it: eight characters. */
  readonly number: string;
  readonly phone: string;
  readonly town: string;
  readonly postcode: string;
  readonly industry: string;
  readonly employees: number;
  readonly programmes: readonly string[];
}

/** At most one per pair of name and sector: 720. */
export function makeEmployers(count: number, random: Random): Employer[] {
  const pairs = random.shuffle(EMPLOYER_NAMES.flatMap((name) => SECTORS.map((sector) => ({ name, sector }))));
  if (count > pairs.length) throw new RangeError(`Only ${pairs.length} employers can be told apart; ${count} were asked for.`);
  return pairs.slice(0, count).map(({ name, sector }, index) => {
    const place = random.pick(TOWNS);
    return {
      name: `${name} ${sector.word} ${random.pick(["Ltd", "Ltd", "Ltd", "plc", "LLP"])}`,
      domain: `${slug(name)}-${slug(sector.word)}.example`,
      number: place.town === "Edinburgh" || place.town === "Glasgow" ? `SC${String(310_000 + index * 7)}` : String(4_100_000 + index * 313).padStart(8, "0"),
      phone: `${place.dial} 0${random.whole(100, 999)}`,
      town: place.town,
      postcode: `${place.postcode} ${random.whole(1, 9)}${random.pick(["AB", "BD", "EF", "HJ", "LN", "PQ", "RS", "TW", "XY", "ZZ"])}`,
      industry: sector.industry,
      employees: random.pick([8, 14, 22, 37, 61, 95, 140, 220, 260, 480, 900, 2_400]),
      programmes: sector.programmes,
    };
  });
}

/** ASCII, lower case: `Siân O'Brien` → `sian-obrien`. */
export function slug(text: string): string {
  return text.normalize("NFD").replace(/[\u0300-\u036f']/g, "").replaceAll("ł", "l").replaceAll("Ł", "l").toLowerCase().replace(/[^a-z0-9]+/g, "-");
}
