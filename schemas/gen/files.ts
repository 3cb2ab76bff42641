/** The schema files, read once. Everything that is generated comes from these and from the folder of components. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export type Schema = { readonly [keyword: string]: unknown };

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Kinds whose members are told apart by a key of theirs; a limit has no such key. */
export const DISCRIMINATOR: Readonly<Record<string, string>> = { auth: "type", cursor: "type", decoder: "type", error_rule: "do", pagination: "type", verifier: "type", partition: "type" };

const list = (folder: string, end: string): string[] =>
  readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(end)).toSorted();

export interface ComponentSchema { readonly kind: string; readonly type: string; readonly path: string; readonly schema: Schema }

export const components: readonly ComponentSchema[] = readdirSync(join(ROOT, "schemas/components"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory()).map((entry) => entry.name).toSorted()
  .flatMap((kind) => list(`schemas/components/${kind}`, ".schema.json").map((name) => {
    const path = `components/${kind}/${name}`;
    return { kind, type: name.replace(".schema.json", ""), path, schema: readSchema(path) };
  }));

/** `connector.schema.json` and its like, by path below schemas/. */
export const manifests: readonly { readonly path: string; readonly schema: Schema }[] =
  list("schemas", ".schema.json").map((path) => ({ path, schema: readSchema(path) }));

/** `engine/components/<kind>/<type>.ts`: kind → types. */
export function componentFiles(): Map<string, string[]> {
  const kinds = readdirSync(join(ROOT, "engine/components"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "shared" && entry.name !== "transport").map((entry) => entry.name).toSorted();
  return new Map(kinds.map((kind) => [kind, list(`engine/components/${kind}`, ".ts").map((name) => name.replace(".ts", ""))]));
}

function readSchema(path: string): Schema {
  return JSON.parse(readFileSync(join(ROOT, "schemas", path), "utf8")) as Schema;
}

export const pascal = (name: string): string => name.split(/[_\-/.]/).filter(Boolean).map((part) => part[0]!.toUpperCase() + part.slice(1)).join("");
