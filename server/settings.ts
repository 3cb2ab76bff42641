/** What the environment says about the server: read here from what it is given, never by itself. */
import { PlugboardError } from "../engine/errors/plugboard-error.ts";
import type { VaultSettings } from "./vault.ts";

export interface Settings {
  /** DATABASE_URL: another PostgreSQL than the embedded one; its user needs no rights over tables. */
  readonly databaseUrl: string | undefined;
  /** DATABASE_URL_MIGRATE: the same database as a user who may make roles and tables. @default DATABASE_URL */
  readonly migrateUrl: string | undefined;
  /** PLUGBOARD_KEK: the key-encryption key, 32 bytes in base64 or hexadecimal. */
  readonly kek: string | undefined;
  /** PLUGBOARD_KEK_OLD: the key before it, while keys are rotated. */
  readonly kekOld: string | undefined;
  /** VAULT_ADDR and VAULT_TOKEN (VAULT_NAMESPACE): where `vault:` references are read, and a key-encryption key `vault:transit/<name>` is kept. */
  readonly vault: VaultSettings | undefined;
  /** PLUGBOARD_PUBLIC_URL: under which address people reach this server; providers send browsers back to its /oauth/callback. */
  readonly publicUrl: string | undefined;
  /** PLUGBOARD_SECRETS_DIR: the folder that `file:` references may read. */
  readonly secretsDir: string | undefined;
  /** HOST. @default 127.0.0.1 */
  readonly host: string;
  /** PORT. @default 4400 */
  readonly port: number;
  /** PLUGBOARD_SLOTS: runs at once in one worker. @default 4 */
  readonly slots: number | undefined;
  /** PLUGBOARD_DOMAIN: below which the tenants have their addresses. */
  readonly domain: string | undefined;
  /** PLUGBOARD_TRUST_PROXY: addresses of proxies whose X-Forwarded-* headers count, separated by commas. */
  readonly trustProxy: readonly string[] | undefined;
}

export const DEFAULT_PORT = 4400;

/** @throws PlugboardError CLI_USAGE for a number that is none. */
export function settingsOf(environment: NodeJS.ProcessEnv): Settings {
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const number = (name: string, least: number, most: number): number | undefined => {
    const given = text(name);
    if (given === undefined) return undefined;
    const value = Number(given);
    if (!Number.isInteger(value) || value < least || value > most) throw new PlugboardError("CLI_USAGE", { detail: `${name} must be a whole number from ${least} to ${most}, not '${given}'.` });
    return value;
  };
  const [address, token] = [text("VAULT_ADDR"), text("VAULT_TOKEN")];
  if (address !== undefined && !URL.canParse(address)) throw new PlugboardError("CLI_USAGE", { detail: `VAULT_ADDR must be an address, not '${address}'.` });
  const publicUrl = text("PLUGBOARD_PUBLIC_URL")?.replace(/\/+$/, "");
  if (publicUrl !== undefined && (!URL.canParse(publicUrl) || new URL(publicUrl).origin !== publicUrl)) throw new PlugboardError("CLI_USAGE", { detail: `PLUGBOARD_PUBLIC_URL must be an origin such as https://plugboard.example.com, not '${publicUrl}'.` });
  return {
    vault: address === undefined || token === undefined ? undefined : { address, token, namespace: text("VAULT_NAMESPACE") }, publicUrl,
    databaseUrl: text("DATABASE_URL"), migrateUrl: text("DATABASE_URL_MIGRATE"), kek: text("PLUGBOARD_KEK"), kekOld: text("PLUGBOARD_KEK_OLD"), secretsDir: text("PLUGBOARD_SECRETS_DIR"), host: text("HOST") ?? "127.0.0.1", port: number("PORT", 0, 65_535) ?? DEFAULT_PORT,
    slots: number("PLUGBOARD_SLOTS", 1, 200), domain: text("PLUGBOARD_DOMAIN"), trustProxy: text("PLUGBOARD_TRUST_PROXY")?.split(",").map((address) => address.trim()),
  };
}
