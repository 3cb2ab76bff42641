/** Somebody to sign in as: the operator's two, and an administrator of two customers. Their passwords are made by chance and kept where only the owner of the data folder reads. */
import { randomInt } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { findUserByEmail, type Database } from "../../engine/store/index.ts";
import type { Role } from "../api/permissions.ts";
import { createUser } from "../people/create-user.ts";

const PEOPLE: readonly { readonly email: string; readonly name: string; readonly role: Role; readonly tenant?: string; readonly assigned?: readonly string[] }[] = [
  { email: "super@plugboard.example", name: "Sue Per", role: "super_admin" },
  { email: "engineer@plugboard.example", name: "Ed Ingham", role: "integration_engineer", assigned: ["acme", "northwind"] },
  { email: "admin@acme.example", name: "Ann Acme", role: "tenant_admin", tenant: "acme" },
  { email: "employer@northwind.example", name: "Nora North", role: "employer_admin", tenant: "northwind" },
];

export interface DemoPerson { readonly email: string; readonly role: Role; readonly password: string }

export const signInFile = (folder: string): string => path.join(folder, "sign-in");

/** Makes who is missing. @returns everybody whose password is known. */
export async function demoPeople(db: Database, folder: string): Promise<DemoPerson[]> {
  const file = signInFile(folder);
  const kept = new Map((await readFile(file, "utf8").catch(() => "")).split("\n").map((line) => line.split("\t")).flatMap(([email, password]) => email && password ? [[email, password] as const] : []));
  for (const { email, ...person } of PEOPLE) {
    if (await findUserByEmail(db, email)) continue;
    kept.set(email, makePassword());
    await writeFile(file, [...kept].map((line) => `${line.join("\t")}\n`).join(""), { mode: 0o600 });
    await createUser(db, { email, ...person, password: kept.get(email)! }, { kind: "command", id: "start", name: "plugboard start" });
  }
  return PEOPLE.flatMap(({ email, role }) => { const password = kept.get(email); return password === undefined ? [] : [{ email, role, password }]; });
}

/** To be typed: four times four of 31 letters and digits that nobody confuses, 79 bits. */
const makePassword = (): string => Array.from({ length: 4 }, () => Array.from({ length: 4 }, () => LETTERS[randomInt(LETTERS.length)]).join("")).join("-");
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
