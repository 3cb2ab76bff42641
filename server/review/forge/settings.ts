/** `forge` of main's workspace.yaml, never of the change that is reviewed. */
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { messageOf } from "../../../engine/errors/plugboard-error.ts";
import { checkShape } from "../../../engine/manifest/check-shape.ts";
import { schemaAt } from "../../../engine/manifest/schema-shape.ts";
import type { WorkspaceManifest } from "../../../schemas/types.gen.ts";
import { settingsOf, type Trees } from "../plan.ts";

type Written = NonNullable<WorkspaceManifest["forge"]>;
export type ForgeSettings = Written & Required<Pick<Written, "branch" | "api" | "remote" | "merge" | "people">>;

const PUBLIC_API = "https://api.github.com";
/** Trees are kept by their commit, and never change. */
const known = new WeakMap<Trees, ForgeSettings | null>();

/** @returns undefined: changes are reviewed here alone. @throws PlugboardError CHANGE_FORGE_SETTINGS */
export function forgeSettings(trees: Trees): ForgeSettings | undefined {
  const before = known.get(trees);
  if (before !== undefined) return before ?? undefined;
  const { forge } = settingsOf(trees);
  const settings = forge === undefined || forge === null ? null : complete(forge as unknown as Written);
  known.set(trees, settings);
  return settings ?? undefined;
}

function complete(written: Written): ForgeSettings {
  // A commit made by hand may say anything; nothing is sent anywhere because of it.
  const [wrong] = checkShape(written as never, schemaAt("workspace.schema.json", "/properties/forge")).findings;
  if (wrong !== undefined) throw new PlugboardError("CHANGE_FORGE_SETTINGS", { detail: messageOf(wrong.code, wrong.params).replace(/\.$/, ""), suggestion: "plugboard validate says where." });
  const api = (written.api ?? PUBLIC_API).replace(/\/+$/, "");
  const remote = written.remote ?? remoteOf(api, written.repository);
  if (remote === undefined) throw new PlugboardError("CHANGE_FORGE_SETTINGS", { detail: `which address is pushed to does not follow from ${api}`, suggestion: "Say it in forge.remote: https://<host>/<owner>/<name>.git" });
  return { ...written, api, remote, branch: written.branch ?? "main", merge: written.merge ?? "merge", people: written.people ?? {} };
}

/** Source: docs.github.com/enterprise-server/rest, "Schema" (read 2026-11): a server of one's own has its API below /api/v3. */
function remoteOf(api: string, repository: string): string | undefined {
  if (api === PUBLIC_API) return `https://github.com/${repository}.git`;
  return api.endsWith("/api/v3") ? `${api.slice(0, -"/api/v3".length)}/${repository}.git` : undefined;
}
