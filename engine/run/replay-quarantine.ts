/** Records that were refused once, on their way through the same mapping again. */
import { messageOf } from "../errors/plugboard-error.ts";
import type { Variables } from "../components/kinds.ts";
import type { PageMapper } from "./map-page.ts";
import type { MappedRecord, PageCommit, PageOutcome, QuarantinedRecord, QuarantineEntry } from "./ports.ts";

export type ReplayPage = Pick<PageCommit, "records" | "dropped" | "quarantined" | "filtered"> & { readonly replayed: NonNullable<PageCommit["replayed"]> };

/**
 * Each by itself, so that it is known what became of which entry: of two that turn out to have one key, both are accounted for.
 * @param entries newest first; the page has the oldest first, as pages of a provider have.
 */
export async function mapEntries(entries: readonly QuarantineEntry[], map: PageMapper, variables: Variables): Promise<ReplayPage> {
  const page = { records: [] as MappedRecord[], dropped: [] as string[], quarantined: [] as QuarantinedRecord[], filtered: 0, replayed: [] as ReplayPage["replayed"][number][] };
  for (const { id, received_at, raw, unreadable } of entries.toReversed()) {
    if (unreadable !== undefined) {
      const params = { detail: unreadable };
      page.quarantined.push({ code: "MAPPING_RECORD", params, reason: messageOf("MAPPING_RECORD", params), raw, entry: id });
      page.replayed.push({ id, received_at });
      continue;
    }
    const mapped = await map([raw], variables);
    const [key] = mapped.seen;
    page.records.push(...mapped.records.map((record) => ({ ...record, entry: id })));
    page.quarantined.push(...mapped.quarantined.map((record) => ({ ...record, entry: id })));
    page.dropped.push(...mapped.dropped);
    page.filtered += mapped.filtered;
    page.replayed.push({ id, received_at, ...(key === undefined ? {} : { key }) });
  }
  return page;
}

/** `Replayed 100 of quarantine: 97 stored, 1 superseded, 2 still refused.` */
export function tellReplay(outcome: PageOutcome): string {
  const { read, created, updated, unchanged, superseded, deleted, filtered, quarantined } = outcome;
  const parts = [`${created + updated + unchanged} stored`];
  if (superseded > 0) parts.push(`${superseded} superseded`);
  if (filtered + deleted > 0) parts.push(`${filtered + deleted} filtered`);
  return `Replayed ${read} of quarantine: ${[...parts, `${quarantined} still refused`].join(", ")}.`;
}
