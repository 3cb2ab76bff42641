/** A page made ready for SQL: texts and hashes computed, duplicates decided, what PostgreSQL cannot take set apart. */
import { hash } from "node:crypto";
import type { Json, JsonObject } from "../manifest/types.ts";
import type { EntityPlan } from "../plan/types.ts";
import type { MappedRecord, PageCommit, QuarantinedRecord } from "../run/ports.ts";
import { messageOf } from "../errors/plugboard-error.ts";
import { compareVersions, isVersion } from "./versions.ts";

/** Longest key an index entry takes with room for the rest of it; bytes. */
const MAX_KEY_BYTES = 1024;
/** 132 bits of a SHA-256. */
const HASH_LENGTH = 22;

export interface ReadyRecord {
  readonly key: string;
  readonly version: string | undefined;
  readonly data: JsonObject;
  readonly dataText: string;
  readonly rawText: string;
  /** Of what the row shows; and of everything that is kept. */
  readonly dataHash: string;
  readonly recordHash: string;
  readonly raw: Json;
  /** Its quarantine entry, when it was read from there. */
  readonly entry: string | undefined;
}

export interface ReadyPage {
  readonly records: readonly ReadyRecord[];
  readonly dropped: readonly string[];
  readonly gone: readonly string[];
  readonly quarantined: readonly QuarantinedRecord[];
  /** Records that another one of the page stands for. */
  readonly superseded: number;
  /** Records dropped by `where` beyond the distinct keys in `dropped`. */
  readonly filtered: number;
  readonly unchanged: number;
}

/** What a row's content depends on besides its record: the labels, and how contributions join. */
export const stampOf = (labels: Readonly<Record<string, string>>, { match, prefer }: EntityPlan): string => JSON.stringify([labels, match.length > 0 ? [match, prefer] : 0]);

/** @param stamp what else a row's content depends on (labels, how contributions join): when it changes, so does every hash. */
export function readyPage(page: PageCommit, stamp: string): ReadyPage {
  const quarantined: QuarantinedRecord[] = [...page.quarantined];
  const gone = new Set(page.gone);
  const best = new Map<string, ReadyRecord>();
  let superseded = 0;
  for (const record of page.records) {
    const ready = readyRecord(record, stamp);
    if ("code" in ready) {
      quarantined.push(ready);
      continue;
    }
    const other = best.get(ready.key);
    if (other || gone.has(ready.key)) superseded++;
    if (gone.has(ready.key)) continue;
    // The newest version, and of equal or unknown ones the last: pages list changes in the order they happened.
    const older = other?.version !== undefined && ready.version !== undefined && compareVersions(ready.version, other.version) < 0;
    if (!older) {
      best.delete(ready.key);
      best.set(ready.key, ready);
    }
  }
  // A key that is also stored or gone on this page was, by `where`, only an older state of it.
  const dropped = new Set(page.dropped.filter((key) => !best.has(key) && !gone.has(key)));
  return {
    records: [...best.values()], dropped: [...dropped], gone: [...gone], quarantined, superseded,
    filtered: page.filtered + page.dropped.length - dropped.size,
    unchanged: page.gone.length - gone.size,
  };
}

function readyRecord(record: MappedRecord, stamp: string): ReadyRecord | QuarantinedRecord {
  const { key, version, data, raw, entry } = record;
  const dataText = JSON.stringify(data);
  const rawText = JSON.stringify(raw) ?? "null";
  const problem = notStorable(key, version, dataText);
  if (problem !== undefined) return refused(record, problem);
  const dataHash = hash("sha256", `${stamp}\n${dataText}`, "base64url").slice(0, HASH_LENGTH);
  const recordHash = hash("sha256", `${dataHash}\n${version ?? ""}\n${rawText}`, "base64url").slice(0, HASH_LENGTH);
  return { key, version, data, dataText, rawText, dataHash, recordHash, raw, entry };
}

export function refused({ key, raw, entry }: { readonly key: string; readonly raw: Json; readonly entry?: string | undefined }, detail: string): QuarantinedRecord {
  const params = { detail };
  return { key: plainText(key), code: "MAPPING_RECORD", params, reason: messageOf("MAPPING_RECORD", params), raw, ...(entry === undefined ? {} : { entry }) };
}

/** Why PostgreSQL would refuse the record, in the words of whoever has to mend it. */
function notStorable(key: string, version: string | undefined, dataText: string): string | undefined {
  if (key.includes("\0") || !key.isWellFormed()) return "its key holds a character that no text may hold (NUL, or half a surrogate pair)";
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `its key is longer than ${MAX_KEY_BYTES} bytes`;
  if (version !== undefined && !isVersion(version)) return `its version '${version.slice(0, 40)}' is not a decimal number`;
  // JSON.stringify writes both as escapes; an escaped backslash before them makes them harmless text.
  if ((dataText.includes("\\u0000") || dataText.includes("\\ud")) && /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(dataText)) {
    return "a text of it holds a character that no text may hold (NUL, or half a surrogate pair)";
  }
  return undefined;
}

/** A key that can be stored and shown, of one that cannot. */
const plainText = (key: string): string => {
  const plain = key.replaceAll("\0", "\u{FFFD}").toWellFormed();
  return plain.length > 200 ? `${plain.slice(0, 200)}…` : plain;
};
