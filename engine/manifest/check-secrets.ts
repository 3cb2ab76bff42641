/** Secrets that stand in a file instead of being entered when connecting. */
import type { Problem } from "../errors/plugboard-error.ts";
import { dotted } from "./check-shape.ts";
import { looksSecret } from "./describe.ts";
import { isMap } from "./merged.ts";
import type { Checked } from "./validate.ts";

/** A config field with such a name and a default is a secret in a file, even when `secret` was forgotten. */
const SECRET_NAME = /(^|_)(password|secret|api_key|apikey|token|private_key)$/;

/** A header or parameter of this name carries a credential. */
const CARRIERS = /\/(query|headers|form|json)\/(authorization|x-api-key|api-key|x-auth-token|api_key|apikey|access_token|password|client_secret)$/i;

const isLiteral = (text: string): boolean => text !== "" && !text.includes("{{") && !/^\s*=/.test(text);

/** workspace.yaml has no variables: what is secret there is named, and read elsewhere. */
const isReference = (manifest: Checked["manifest"], text: string): boolean => manifest.kind === "workspace" && /^(env|file|vault):\S/.test(text);

/** Basic with the secret as user name and a password that the provider prescribes (`x`, `api_token`). */
function isConventional(manifest: Checked["manifest"], pointer: string): boolean {
  if (!pointer.endsWith("/password")) return false;
  const auth = pointer.split("/").slice(1, -1).reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], manifest.value) as { type?: unknown; username?: unknown };
  return auth.type === "basic" && typeof auth.username === "string" && !isLiteral(auth.username);
}

export function checkSecrets({ manifest, shape }: Checked): Problem[] {
  const found = new Set<string>();
  // A key of the schema that holds a secret must take it from a variable.
  for (const { pointer, text } of shape.secrets) if (isLiteral(text) && !isConventional(manifest, pointer) && !isReference(manifest, text)) found.add(pointer);
  // So must a header or parameter that is known to carry one.
  for (const { pointer, text, language, part } of shape.sites) if (language === "template" && part === "value" && isLiteral(text) && text.length >= 8 && CARRIERS.test(pointer)) found.add(pointer);
  if (manifest.kind === "connector" && isMap(manifest.value.config)) {
    for (const [name, field] of Object.entries(manifest.value.config)) {
      if (isMap(field) && (field.secret === true || SECRET_NAME.test(name)) && field.default !== undefined && field.default !== "") found.add(`/config/${name}/default`);
    }
  }
  if ((manifest.kind === "preset" || manifest.kind === "tenant") && isMap(manifest.value.connections)) {
    for (const [name, connection] of Object.entries(manifest.value.connections)) {
      if (!isMap(connection) || !isMap(connection.config)) continue;
      for (const [key, value] of Object.entries(connection.config)) if (SECRET_NAME.test(key) && typeof value === "string" && value !== "" && !value.startsWith("env:")) found.add(`/connections/${name}/config/${key}`);
    }
  }
  if (manifest.kind !== "tests" && manifest.kind !== "mapping") for (const [pointer, text] of texts(manifest.value)) if (looksSecret(text)) found.add(pointer);
  return [...found].map((pointer) => ({ code: "MANIFEST_SECRET", severity: "error", params: { field: dotted(pointer) }, at: manifest.locate(pointer), pointer }));
}

function* texts(value: unknown, pointer = ""): Generator<[string, string]> {
  if (typeof value === "string") yield [pointer, value];
  else if (typeof value === "object" && value !== null) for (const [key, member] of Object.entries(value)) yield* texts(member, `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
}
