/**
 * HashiCorp Vault (and OpenBao): secrets by reference (KV version 2), and a key-encryption key that never leaves it (transit).
 * Sources: developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2 (read secret version) and …/secret/transit (encrypt, decrypt
 * with associated_data), read 2026-11.
 */
import { createHash } from "node:crypto";
import { createTransport } from "../engine/components/transport/http.ts";
import { PlugboardError } from "../engine/errors/plugboard-error.ts";
import { live } from "../engine/run/redact.ts";
import { refusedReference, type ReferenceUse, type RemoteKey } from "../engine/store/index.ts";
import type { ReferenceScheme } from "./references.ts";

export interface VaultSettings {
  /** VAULT_ADDR: https://vault.example.com:8200 */
  readonly address: string;
  /** VAULT_TOKEN */
  readonly token: string;
  /** VAULT_NAMESPACE */
  readonly namespace?: string | undefined;
}

export interface Vault {
  /** `vault:mount/path#field` */
  readonly scheme: ReferenceScheme;
  /** `transit/plugboard`: the mount and the name of the key. */
  key(name: string): RemoteKey;
  close(): Promise<void>;
}

/** A secret that was replaced is used after at most so long. */
const CACHE_MILLISECONDS = 60_000;
const TIMEOUTS = { connect: 5, headers: 10, idle: 10, total: 15 };
const MOST_BYTES = 1 << 20;
/** Tries while it does not answer: a fail-over takes a second or two. */
const TRIES = 3;
const PAUSE_MILLISECONDS = 300;

type Answered = { readonly status: number; readonly data: unknown };

/** @param now milliseconds since the epoch */
export function createVault({ address, token, namespace }: VaultSettings, now: () => number = Date.now): Vault {
  live.learn(token);
  const root = new URL(address);
  // The operator names it; of all private addresses this one may be reached, and by nothing but this.
  const transport = createTransport({ allowPrivate: [root.host] });
  const cache = new Map<string, { readonly until: number; readonly fields: Promise<Readonly<Record<string, unknown>> | undefined> }>();

  /** @throws PlugboardError STORE_KEY_SERVICE when it cannot be asked, or answers with another error than 400 and 404. */
  async function ask(method: "GET" | "POST", path: string, body?: object): Promise<Answered> {
    const url = new URL(`/v1/${path}`, root);
    const headers = new Headers({ "x-vault-token": token, "x-vault-request": "true", accept: "application/json", ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }), ...(body === undefined ? {} : { "content-type": "application/json" }) });
    const failed = (detail: string, cause?: unknown): PlugboardError => new PlugboardError("STORE_KEY_SERVICE", { host: root.host, detail }, { cause });
    for (let tries = 1; ; tries++) {
      const answer = await transport.send({ method, url, headers, body: body === undefined ? undefined : JSON.stringify(body), label: `${method} ${url.pathname}` }, { signal: AbortSignal.timeout(TIMEOUTS.total * 1000), timeouts: TIMEOUTS, maxBodyBytes: MOST_BYTES })
        .catch((thrown: unknown) => failed(thrown instanceof PlugboardError ? thrown.message : (thrown as Error).message, thrown));
      if (!(answer instanceof PlugboardError) && (answer.status < 300 || answer.status === 400 || answer.status === 404)) {
        const parsed = answer.bytes.length === 0 ? {} : JSON.parse(new TextDecoder().decode(answer.bytes)) as { data?: unknown };
        return { status: answer.status, data: parsed.data };
      }
      const passes = answer instanceof PlugboardError || answer.status >= 500 || answer.status === 429 || answer.status === 412;
      if (!passes || tries >= TRIES) throw answer instanceof PlugboardError ? answer : failed(answer.status === 403 ? "403: the token may not do this" : answer.status === 503 ? "503: it is sealed, or in maintenance" : `status ${answer.status}`);
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MILLISECONDS * tries); });
    }
  }

  const fieldsOf = (mount: string, path: string): Promise<Readonly<Record<string, unknown>> | undefined> => {
    const name = `${mount}/${path}`;
    const known = cache.get(name);
    if (known !== undefined && known.until > now()) return known.fields;
    // A version that was deleted answers 404, too.
    const fields = ask("GET", `${mount}/data/${path.split("/").map(encodeURIComponent).join("/")}`).then(({ status, data }) => (status === 200 ? (data as { data?: Record<string, unknown> | null } | undefined)?.data ?? undefined : undefined));
    cache.set(name, { until: now() + CACHE_MILLISECONDS, fields });
    fields.catch(() => { cache.delete(name); });
    return fields;
  };

  return {
    scheme: {
      check(rest, use) { partsOf(rest, use); },
      async resolve(rest, use) {
        const { mount, path, field } = partsOf(rest, use);
        const absent = (detail: string, suggestion: string, cause?: unknown): PlugboardError => new PlugboardError("STORE_REFERENCE", { reference: `vault:${rest}`, connection: use.connection, field: use.field, detail, suggestion }, { cause });
        const fields = await fieldsOf(mount, path).catch((thrown: unknown) => {
          throw thrown instanceof PlugboardError ? absent(String(thrown.params["detail"]), "Check VAULT_ADDR and VAULT_TOKEN of every worker, and what the token may read.", thrown) : thrown;
        });
        const value = fields !== undefined && Object.hasOwn(fields, field) ? fields[field] : undefined;
        if (value === undefined || value === null || value === "") throw absent(fields === undefined ? "there is no such secret" : "the secret has no such field, or an empty one", "Look with: vault kv get");
        return typeof value === "string" ? value : JSON.stringify(value);
      },
    },
    key(name) {
      const slash = name.lastIndexOf("/");
      const [mount, key] = [name.slice(0, slash), name.slice(slash + 1)];
      if (slash < 1 || key === "") throw new PlugboardError("STORE_KEY", { detail: `'vault:${name}' names no key`, suggestion: "PLUGBOARD_KEK=vault:transit/plugboard: the mount of the transit engine, and the key in it." });
      const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
      const missing = (): PlugboardError => new PlugboardError("STORE_KEY", { detail: `there is no key '${key}' in ${mount}`, suggestion: `Make one: vault write -f ${mount}/keys/${key} type=aes256-gcm96` });
      return {
        id: createHash("sha256").update(`vault/v1 ${root.host} ${namespace ?? ""} ${name}`).digest("hex").slice(0, 16),
        async wrap(plain, associated) {
          const { status, data } = await ask("POST", `${mount}/encrypt/${encodeURIComponent(key)}`, { plaintext: base64(plain), associated_data: base64(associated) });
          const ciphertext = (data as { ciphertext?: unknown } | undefined)?.ciphertext;
          if (status !== 200 || typeof ciphertext !== "string") throw missing();
          return Buffer.from(ciphertext, "utf8");
        },
        async unwrap(wrapped, associated) {
          const { status, data } = await ask("POST", `${mount}/decrypt/${encodeURIComponent(key)}`, { ciphertext: Buffer.from(wrapped).toString("utf8"), associated_data: base64(associated) });
          const plaintext = (data as { plaintext?: unknown } | undefined)?.plaintext;
          if (status === 404) throw missing();
          return status === 200 && typeof plaintext === "string" ? Buffer.from(plaintext, "base64") : undefined;
        },
      };
    },
    close: () => transport.close(),
  };
}

/** `secret/crm/hubspot#token` */
function partsOf(rest: string, use: ReferenceUse): { mount: string; path: string; field: string } {
  const [, mount, path, field] = /^([\w.-]+)\/([\w. /-]+)#([\w. -]+)$/.exec(rest) ?? [];
  if (mount === undefined || path!.split("/").some((part) => part === "" || part === "." || part === "..") || mount.startsWith(".")) throw refusedReference(`vault:${rest}`, use, "it is not vault:mount/path#field", "For example vault:secret/crm/hubspot#token");
  return { mount, path: path!, field: field! };
}
