/** workspace.yaml: what its references name must be open to them. */
import { nearest } from "../../errors/nearest.ts";
import { isMap } from "../merged.ts";
import type { Json, Manifest } from "../types.ts";
import { mapOf, type Report } from "./names.ts";

/** The forge signs in as the operator, so `secrets.allow_env` decides what it may read. */
export function checkSettings(manifest: Manifest, report: Report): void {
  const { forge, secrets } = manifest.value;
  if (!isMap(forge)) return;
  const listed = mapOf(secrets).allow_env;
  const allowed = Array.isArray(listed) ? listed.filter((name): name is string => typeof name === "string") : [];
  const reads: readonly (readonly [pointer: string, reference: Json | undefined])[] = [["/forge/token", forge.token], ["/forge/app/private_key", mapOf(forge.app).private_key]];
  for (const [pointer, reference] of reads) {
    const name = typeof reference === "string" ? /^env:([A-Za-z_]\w*)$/.exec(reference)?.[1] : undefined;
    if (name === undefined || allowed.includes(name)) continue;
    const near = nearest(name, allowed);
    report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "In secrets.allow_env the variable", name, suggestion: near === undefined ? `allow it: secrets: { allow_env: [${[...allowed, name].join(", ")}] }` : `did you mean 'env:${near}'?` });
  }
}
