/** A connector's tests: the streams they read, the exchanges that lie beside them. */
import { suggest } from "../../errors/nearest.ts";
import { isMap, merged } from "../merged.ts";
import type { Manifest, Workspace } from "../types.ts";
import { mapOf, type Report } from "./names.ts";

export function checkTests(connector: string, manifest: Manifest, workspace: Workspace, report: Report): void {
  const layers = workspace.connectors.get(connector);
  const streams = Object.keys(mapOf(layers && merged(layers).streams));
  (Array.isArray(manifest.value.tests) ? manifest.value.tests : []).forEach((test, index) => {
    if (!isMap(test)) return;
    const at = `/tests/${index}`;
    if (layers && typeof test.stream === "string" && !streams.includes(test.stream)) report(manifest, `${at}/stream`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Stream", name: test.stream, suggestion: suggest(test.stream, streams) });
    (Array.isArray(test.exchanges) ? test.exchanges : []).forEach((file, position) => {
      if (!workspace.attachments.has(`connectors/${connector}/${String(file)}`)) report(manifest, `${at}/exchanges/${position}`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "File", name: String(file), suggestion: suggest(String(file), [...workspace.attachments.keys()].filter((path) => path.startsWith(`connectors/${connector}/`)).map((path) => path.slice(`connectors/${connector}/`.length))) });
    });
  });
}
