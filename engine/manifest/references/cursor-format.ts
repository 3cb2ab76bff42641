/** `cursor: { format: … }`: a name of a format, or a pattern. Of any other word a pattern would print rubbish. */
import { nearest } from "../../errors/nearest.ts";
import type { JsonObject, Manifest } from "../types.ts";
import { mapOf, type Report } from "./names.ts";

const NAMED = ["iso", "iso_ms", "iso_date", "epoch_s", "epoch_ms"];
/** What others call them. */
const ALSO: Readonly<Record<string, string>> = {
  unix: "epoch_s", epoch: "epoch_s", timestamp: "epoch_s", seconds: "epoch_s", s: "epoch_s", unix_s: "epoch_s", unix_ms: "epoch_ms", millis: "epoch_ms", milliseconds: "epoch_ms", ms: "epoch_ms", timestamp_ms: "epoch_ms",
  date: "iso_date", iso8601: "iso", "iso-8601": "iso", rfc3339: "iso", datetime: "iso", "date-time": "iso",
};
/** Letters of a pattern. Source: Luxon manual, "Table of tokens". Its macros (`T`, `D`) print what no provider reads. */
const LETTERS = /^[yMLdHhmsSuaZzoWkEcGqxX]*$/;
/** Without a year or an epoch it is no instant. */
const INSTANT = /[ykxX]/;

export function checkCursorFormat(manifest: Manifest, part: JsonObject, at: string, report: Report): void {
  const { format } = mapOf(part.cursor);
  if (typeof format !== "string" || NAMED.includes(format)) return;
  const letters = format.replace(/'[^']*'/g, "").replace(/[^A-Za-z]/g, "");
  if (LETTERS.test(letters) && INSTANT.test(letters)) return;
  const near = ALSO[format.toLowerCase()] ?? nearest(format, NAMED);
  const quoted = format.replace(/(?<=d)T(?=H)/i, "'T'").replace(/(?<=[sS])Z$/, "'Z'");
  const suggestion = near !== undefined ? `did you mean '${near}'?` : quoted !== format ? `letters that are printed as they stand are quoted: "${quoted}"` : "";
  report(manifest, `${at}/cursor/format`, "MANIFEST_WRONG_VALUE", { field: "format", expected: `one of ${NAMED.join(", ")}, or a pattern such as yyyy-MM-dd'T'HH:mm:ss`, actual: JSON.stringify(format), suggestion });
}
