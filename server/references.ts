/**
 * Secrets that stand outside the database: `env:NAME` and `file:PATH`. What the operator did not open is refused, or a
 * tenant could read DATABASE_URL. Another source (vault.ts) is one more scheme behind the same two functions.
 */
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import path from "node:path";
import { nearest } from "../engine/errors/nearest.ts";
import { PlugboardError } from "../engine/errors/plugboard-error.ts";
import { PLATFORM, refusedReference, type ReferenceResolver, type ReferenceUse } from "../engine/store/index.ts";

/** One kind of reference; `rest` is what stands after its `scheme:`. A vault keeps its answers no longer than 60 s. */
export interface ReferenceScheme {
  check(rest: string, use: ReferenceUse): void;
  resolve(rest: string, use: ReferenceUse): Promise<string>;
}

export interface ReferenceSettings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `secrets.allow_env` of workspace.yaml: what the operator's own connections may read. */
  readonly allowEnv: readonly string[];
  /** `secrets.allow_env_of`: by tenant, what its connections may read. The operator's may, too. */
  readonly allowEnvOf?: Readonly<Record<string, readonly string[]>>;
  /** PLUGBOARD_SECRETS_DIR: files outside of it are refused. */
  readonly secretsDir?: string | undefined;
  /** Other schemes, by name: `vault`. */
  readonly schemes?: Readonly<Record<string, ReferenceScheme>>;
}

/** No secret is longer; a file that is, is not one. */
const MOST_BYTES = 64 * 1024;

export function createReferences(settings: ReferenceSettings): ReferenceResolver {
  const schemes: Readonly<Record<string, ReferenceScheme>> = { env: environmentScheme(settings), file: fileScheme(settings), ...settings.schemes };
  const schemeOf = (reference: string, use: ReferenceUse): [ReferenceScheme, rest: string] => {
    const [, name, rest] = /^([a-z][a-z-]*):(.+)$/s.exec(reference) ?? [];
    if (name === undefined || !Object.hasOwn(schemes, name)) throw refusedReference(reference, use, `a reference begins with ${Object.keys(schemes).map((each) => `${each}:`).join(" or ")}`, "For example env:HUBSPOT_TOKEN or file:hubspot/token.");
    return [schemes[name]!, rest!];
  };
  return {
    check(reference, use) {
      const [scheme, rest] = schemeOf(reference, use);
      scheme.check(rest, use);
    },
    async resolve(reference, use) {
      const [scheme, rest] = schemeOf(reference, use);
      scheme.check(rest, use);
      return scheme.resolve(rest, use);
    },
  };
}

function environmentScheme({ environment, allowEnv, allowEnvOf = {} }: ReferenceSettings): ReferenceScheme {
  const listed = ({ tenant }: ReferenceUse): readonly string[] =>
    (tenant === PLATFORM ? [...allowEnv, ...Object.values(allowEnvOf).flat()] : Object.hasOwn(allowEnvOf, tenant) ? allowEnvOf[tenant]! : []);
  return {
    check(name, use) {
      const names = listed(use);
      if (names.includes(name)) return;
      const near = nearest(name, names);
      const [key, cure] = use.tenant === PLATFORM ? ["allow_env", `allow_env: [${[...allowEnv, name].join(", ")}]`] : ["allow_env_of", `allow_env_of: { ${use.tenant}: [${[...names, name].join(", ")}] }`];
      throw refusedReference(`env:${name}`, use, `secrets.${key} of workspace.yaml does not list it${use.tenant === PLATFORM ? "" : ` for ${use.tenant}`}`, near === undefined ? `The operator allows it: secrets: { ${cure} }` : `Did you mean env:${near}?`);
    },
    async resolve(name, use) {
      const value = environment[name];
      if (value === undefined || value === "") throw absent(`env:${name}`, use, `the environment of this process has no ${name}`, "Set it for every worker, and start them again.");
      return value;
    },
  };
}

function fileScheme({ secretsDir }: ReferenceSettings): ReferenceScheme {
  return {
    check(file, use) {
      if (secretsDir === undefined) throw refusedReference(`file:${file}`, use, "PLUGBOARD_SECRETS_DIR is not set", "The operator names the folder that references may read: PLUGBOARD_SECRETS_DIR=/run/secrets");
      if (!isInside(path.resolve(secretsDir), path.resolve(secretsDir, file))) throw outside(file, use);
    },
    async resolve(file, use) {
      const reference = `file:${file}`;
      const folder = path.resolve(secretsDir!);
      let real: string;
      try {
        real = await realpath(path.resolve(folder, file));
        // Links within the folder are fine (that is how secrets are mounted); links out of it are not.
        if (!isInside(await realpath(folder), real)) throw outside(file, use);
      } catch (thrown) {
        if (thrown instanceof PlugboardError) throw thrown;
        throw absent(reference, use, reasonOf(thrown), "Check that the file is there, in PLUGBOARD_SECRETS_DIR of every worker.");
      }
      return readSecret(real, reference, use);
    },
  };
}

async function readSecret(real: string, reference: string, use: ReferenceUse): Promise<string> {
  // NONBLOCK: opening a pipe must not wait for its writer. NOFOLLOW: what was checked is what is opened.
  const handle = await open(real, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW).catch((thrown: unknown) => {
    throw absent(reference, use, reasonOf(thrown), "Let the user of this process read it.");
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw refusedReference(reference, use, "it is not a regular file");
    if ((stat.mode & 0o022) !== 0) throw refusedReference(reference, use, "others may write the file", "chmod go-w it.");
    if (stat.size > MOST_BYTES) throw refusedReference(reference, use, `the file is larger than ${MOST_BYTES} bytes`);
    const value = (await handle.readFile("utf8")).replace(/\r?\n$/, "");
    if (value === "") throw absent(reference, use, "the file is empty", "Write the secret into it.");
    return value;
  } finally {
    await handle.close();
  }
}

const isInside = (folder: string, file: string): boolean => {
  const relative = path.relative(folder, file);
  return relative !== "" && relative !== ".." && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
};

const outside = (file: string, use: ReferenceUse): PlugboardError => refusedReference(`file:${file}`, use, "the file is not inside PLUGBOARD_SECRETS_DIR", "Name it relative to that folder: file:hubspot/token");

const absent = (reference: string, { connection, field }: ReferenceUse, detail: string, suggestion: string): PlugboardError =>
  new PlugboardError("STORE_REFERENCE", { reference, connection, field, detail, suggestion });

/** Without the path: where folders lie is not the tenant's to know. */
const reasonOf = (thrown: unknown): string => {
  const { code } = thrown as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR" ? "there is no such file" : code === "EACCES" ? "the file may not be read" : `the file cannot be read (${code ?? "unknown"})`;
};
