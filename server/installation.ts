/**
 * What every command that works on data opens: the database (embedded, or DATABASE_URL), brought to this version, and the
 * key that opens its secrets. Opened in this order and closed in the other one.
 */
import { constants } from "node:fs";
import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { PlugboardError } from "../engine/errors/plugboard-error.ts";
import { createTransport } from "../engine/components/transport/http.ts";
import type { Transport } from "../engine/components/kinds.ts";
import { openJobs, startWorker, type Jobs, type Retention, type Worker } from "../engine/jobs/index.ts";
import { assertMigrated, createKeyring, generateKey, mayMigrate, migrate, openDatabase, runtimeLogin, type Login, type Database, type Keyring, type KeySource, type ReferenceResolver } from "../engine/store/index.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { createVault, type VaultSettings } from "./vault.ts";

/** Connections of the pool: the slots, the server, and a few to spare. */
const POOL = 16;

export interface InstallationOptions {
  /** The data folder, `.plugboard`. */
  readonly data: string;
  /** Another PostgreSQL than the embedded one: as whom the product works. */
  readonly databaseUrl: string | undefined;
  /** The same database as a user who may change its tables. @default databaseUrl */
  readonly migrateUrl?: string | undefined;
  /** The key-encryption key itself, in base64; absent: the file `kek` of the data folder, made at the first start. */
  readonly kek: string | undefined;
  /** The key before it, in base64, while keys are rotated; absent: the file `kek.old` of the data folder, if there is one. */
  readonly kekOld?: string | undefined;
  /** Where a key `vault:transit/<name>` is kept. */
  readonly vault?: VaultSettings | undefined;
  /** Whether this process works on runs. */
  readonly works: boolean;
  log(line: string): void;
  onError(cause: Error): void;
}

export interface Installation {
  /** For people with psql: of the embedded PostgreSQL that of its superuser, past row-level security. */
  readonly url: string;
  readonly embedded: boolean;
  readonly db: Database;
  readonly keyring: Keyring;
  readonly jobs: Jobs;
  work(options: { allowPrivate: boolean | readonly string[]; slots?: number; schedules?: boolean; references?: ReferenceResolver; /** Every worker keeps to it, however short it lives. */ retention: Retention }): Worker;
  /** @param graceMilliseconds how long runs may take to end their page. */
  close(graceMilliseconds?: number): Promise<void>;
}

/** @throws PlugboardError STORE_* and SERVER_PORT_TAKEN, each one clear sentence. */
export async function openInstallation(options: InstallationOptions): Promise<Installation> {
  await ownFolder(options.data);
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => { for (const step of closing.splice(0).reverse()) await step(); };
  try {
    const postgres = options.databaseUrl === undefined ? await startEmbeddedPostgres({ folder: path.join(options.data, "postgres"), log: options.log }) : undefined;
    if (postgres) closing.push(() => postgres.stop());
    const url = options.databaseUrl ?? postgres!.url;
    const runtimeUrl = options.databaseUrl ?? postgres!.runtimeUrl;
    await bringUpToDate(options, options.databaseUrl === undefined ? url : options.migrateUrl ?? url, runtimeUrl, postgres?.login ?? loginOf(runtimeUrl));
    const keyring = await createKeyring(await keySource(options.data, options.kek, options.vault), await oldKeySource(options.data, options.kekOld, options.vault));
    closing.push(async () => { keyring.close(); });
    const db = await openDatabase({ url: runtimeUrl, max: POOL, applicationName: "plugboard" });
    closing.push(() => db.close());
    const { user, tooStrong } = await runtimeLogin(db);
    if (tooStrong) options.log(`The database user ${user} could bypass row-level security. Give DATABASE_URL a user of its own, and this one to DATABASE_URL_MIGRATE: plugboard migrate --help`);
    await keyring.check(db);
    const jobs = await openJobs({ db, works: options.works, onError: options.onError });
    closing.push(() => jobs.close());

    const workers: { readonly worker: Worker; readonly transport: Transport }[] = [];
    return {
      url, embedded: postgres !== undefined, db, keyring, jobs,
      work({ allowPrivate, ...rest }) {
        const transport = createTransport({ allowPrivate });
        const worker = startWorker({ jobs, keyring, transport, onError: options.onError, ...rest });
        workers.push({ worker, transport });
        return worker;
      },
      async close(graceMilliseconds) {
        await Promise.all(workers.map(({ worker }) => worker.stop(graceMilliseconds)));
        await Promise.all(workers.map(({ transport }) => transport.close()));
        await close();
      },
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** A user who may not change tables finds them as this version needs them, or is told who has to bring them there. */
async function bringUpToDate({ log }: InstallationOptions, ownersUrl: string, runtimeUrl: string, login: Login | undefined): Promise<void> {
  if (await mayMigrate(ownersUrl)) await migrate({ url: ownersUrl, login, log });
  if (ownersUrl !== runtimeUrl || !(await mayMigrate(runtimeUrl))) await assertMigrated(runtimeUrl);          // and that both are one database
}

/** Who an address logs in as. */
export function loginOf(url: string): Login | undefined {
  const { username, password } = URL.canParse(url) ? new URL(url) : { username: "", password: "" };
  return username === "" ? undefined : { user: decodeURIComponent(username), ...(password === "" ? {} : { password: decodeURIComponent(password) }) };
}

async function ownFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    throw new PlugboardError("STORE_DATA_FOLDER", { folder, detail: (cause as Error).message, suggestion: "Choose another with --data." }, { cause });
  }
}

/** The key lies beside the data it opens only because there is nobody to ask; in earnest it is given from outside. */
async function keySource(data: string, given: string | undefined, vault: VaultSettings | undefined): Promise<KeySource> {
  if (given !== undefined) return givenKey(given, "PLUGBOARD_KEK", vault);
  const file = path.join(data, "kek");
  try {
    await writeFile(file, `${generateKey()}\n`, { mode: 0o600, flag: "wx" });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw new PlugboardError("STORE_DATA_FOLDER", { folder: data, detail: (thrown as Error).message, suggestion: "Choose another with --data." }, { cause: thrown });
  }
  return { file };
}

/** The key itself, or `vault:transit/<name>`: a key that never leaves Vault. */
export function givenKey(given: string, name: string, vault: VaultSettings | undefined): KeySource {
  if (!given.startsWith("vault:")) return { value: given, name };
  if (vault === undefined) throw new PlugboardError("STORE_KEY", { detail: `${name} is ${given}, and nobody said where Vault is`, suggestion: "Set VAULT_ADDR and VAULT_TOKEN." });
  return { remote: createVault(vault).key(given.slice("vault:".length)) };
}

/** Present while the key-encryption key is exchanged, and only then. */
async function oldKeySource(data: string, given: string | undefined, vault: VaultSettings | undefined): Promise<KeySource | undefined> {
  if (given !== undefined) return givenKey(given, "PLUGBOARD_KEK_OLD", vault);
  const file = path.join(data, "kek.old");
  return access(file).then(() => ({ file }), () => undefined);
}

/** The operator's API key: made at the first start, shown once, kept in a file that only its owner reads. */
export async function readApiKey(data: string): Promise<string | undefined> {
  try {
    return (await readFile(apiKeyFile(data), "utf8")).trim();
  } catch {
    return undefined;
  }
}

/** Where the database is, for `psql "$(cat …)"`: an address with a password is kept, not printed. */
export const databaseUrlFile = (data: string): string => path.join(data, "database-url");

export const apiKeyFile = (data: string): string => path.join(data, "api-key");
