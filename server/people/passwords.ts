/**
 * argon2id with OWASP's first recommendation (19 MiB, 2 passes, 1 lane): about 35 ms of one core. Stored in PHC form, so that
 * stronger settings can follow. Source: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html (2026-11).
 */
import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";

const MEMORY_KIB = 19 * 1024;
const PASSES = 2;
const LANES = 1;
const TAG_BYTES = 32;
const SALT_BYTES = 16;
const SHORTEST = 12;
/** Enough for a sentence; more is somebody who wants us to work. */
export const LONGEST = 200;

const derive = promisify(argon2);

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await tagOf(password, salt, MEMORY_KIB, PASSES, LANES);
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$${unpadded(salt)}$${unpadded(tag)}`;
}

/** The same work whether there is a hash or not: how long it takes does not tell who is a user. */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  const [, memory, passes, lanes, salt, tag] = PHC.exec(stored ?? "") ?? [];
  if (tag === undefined) {
    await tagOf(password, NOBODY, MEMORY_KIB, PASSES, LANES);
    return false;
  }
  const expected = Buffer.from(tag, "base64");
  const actual = await tagOf(password, Buffer.from(salt!, "base64"), Number(memory), Number(passes), Number(lanes), expected.length);
  return timingSafeEqual(expected, actual);
}

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const NOBODY = Buffer.alloc(SALT_BYTES);

const tagOf = (password: string, nonce: Buffer, memory: number, passes: number, parallelism: number, tagLength = TAG_BYTES): Promise<Buffer> =>
  derive("argon2id", { message: password.normalize("NFKC"), nonce, parallelism, tagLength, memory, passes }) as Promise<Buffer>;

const unpadded = (bytes: Buffer): string => bytes.toString("base64").replace(/=+$/, "");

/**
 * Refuses what is tried first. Length is what counts; kinds of characters are not asked for.
 * @param about words that belong to the person: e-mail, name.
 * @throws PlugboardError SERVER_WEAK_PASSWORD
 */
export function refuseWeakPassword(password: string, about: readonly string[]): void {
  const letters = [...password.normalize("NFKC")];
  if (letters.length < SHORTEST) throw weak(`it has ${letters.length} characters, and needs ${SHORTEST}`);
  if (letters.length > LONGEST) throw weak(`it has more than ${LONGEST} characters`);
  const bare = plain(password);
  const personal = about.flatMap((text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u)).filter((word) => word.length >= 4).map(plain);
  // What is left without the words that everybody tries: a password needs something of its own.
  const rest = [...COMMON, ...personal].toSorted((a, b) => b.length - a.length).reduce((text, word) => word === "" ? text : text.replaceAll(word, ""), bare);
  if (new Set(letters).size < 5 || isWalk(password.toLowerCase())) throw weak("it repeats or counts");
  if (rest.replace(/[^\p{L}]/gu, "").length < 4 && letters.length - bare.length + rest.length < SHORTEST) throw weak("it is made of words that are tried first");
}

/** As a guesser reads it: lower case, digits that stand for letters, no endings such as 2026!. */
const plain = (text: string): string => text.toLowerCase().replace(/[\d\W_]+$/u, "").replace(/[@4]/g, "a").replace(/3/g, "e").replace(/[1!]/g, "i").replace(/0/g, "o").replace(/[5$]/g, "s").replace(/7/g, "t");

/** The heads of the lists that guessers use, as `plain` writes them. */
const COMMON = ["password", "passwort", "passwd", "passphrase", "qwerty", "qwertz", "azerty", "asdfgh", "zxcvbn", "letmein", "welcome", "willkommen", "admin", "administrator", "iloveyou", "princess", "sunshine", "monkey", "dragon", "football", "baseball",
  "master", "superman", "batman", "shadow", "trustnoi", "whatever", "starwars", "computer", "internet", "secret", "changeme", "default", "login", "hello", "freedom", "summer", "winter", "spring", "autumn", "january", "december", "london", "plugboard",
  "company", "test", "user", "root", "guest", "please", "abcdef", "charlie", "jordan", "michael", "ashley", "daniel", "jessica", "liverpool", "chelsea", "arsenal", "pokemon", "google", "america", "killer", "hunter", "soccer", "correcthorsebatterystaple"];

/** Neighbours only: 123456789012, abcdefghijkl, aaaabbbbcccc. */
function isWalk(text: string): boolean {
  const codes = [...text].map((letter) => letter.codePointAt(0)!);
  const steps = codes.slice(1).filter((code, index) => Math.abs(code - codes[index]!) <= 1 || (codes[index] === 57 && code === 48)).length;
  return steps >= (codes.length - 1) * 0.8;
}

const weak = (detail: string): PlugboardError => new PlugboardError("SERVER_WEAK_PASSWORD", { detail });
