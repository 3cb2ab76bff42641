/** A folder of configuration → a SourceTree. Reads only the rooms of configuration; a link that leaves the folder is refused. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { rightPlaceFor } from "../../engine/manifest/places.ts";
import type { SourceTree } from "../../engine/manifest/types.ts";
import { productRoot } from "../product-root.ts";

/** Bytes of one file; larger ones are data, not configuration. */
export const MAX_FILE_BYTES = 2 * 1024 * 1024;
/** Files of one tree. */
export const MAX_FILES = 20_000;
const ROOMS = ["connectors", "mappings", "presets", "tenants", "schemas/entities"];
/** Folders that a room is easily taken for. What lies there is not read, and that is told. */
const NEAR_ROOMS = ["connector", "mapping", "preset", "tenant", "entities"];
const SKIPPED = new Set(["node_modules"]);
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** The product's own root: the built-in catalogue. */
export const PRODUCT_ROOT = fileURLToPath(productRoot);

/** @throws PlugboardError MANIFEST_UNREADABLE when the folder or a file of it cannot be read. */
export function readTree(root: string, layer: SourceTree["layer"], label = ""): SourceTree {
  const files = new Map<string, string>();
  const real = realRoot(root);
  const add = (path: string): void => {
    if (files.size >= MAX_FILES) throw unreadable(path, `the folder has more than ${MAX_FILES} files`);
    files.set(path.split(sep).join("/"), readText(join(real, path), path, real));
  };
  if (existsSync(join(real, "workspace.yaml"))) add("workspace.yaml");
  for (const room of ROOMS) for (const path of walk(real, room)) add(path);
  if (layer === "workspace") for (const room of NEAR_ROOMS) for (const path of walk(real, room)) if (rightPlaceFor(path.split(sep).join("/")) !== undefined) add(path);
  return { layer, label, files };
}

/** The catalogue, and the workspace laid over it; only the catalogue when the folder is the product's own root. */
export function readTrees(workspaceRoot: string, label = ""): SourceTree[] {
  const isProduct = realRoot(workspaceRoot) === realpathSync(PRODUCT_ROOT);
  return isProduct ? [readTree(PRODUCT_ROOT, "catalogue")] : [readCatalogue(), readTree(workspaceRoot, "workspace", label)];
}

/** The built-in catalogue: part of the product, it does not change while a process runs. */
export const readCatalogue = (): SourceTree => catalogue ??= readTree(PRODUCT_ROOT, "catalogue", "(builtin)");
let catalogue: SourceTree | undefined;

/** Whether a path of a workspace is read as configuration; of a folder, whether anything below it may be. */
export function isConfiguration(path: string, isFolder = false): boolean {
  if (path.split("/").some((name) => name.startsWith(".") || SKIPPED.has(name))) return false;
  const below = (room: string) => path.startsWith(`${room}/`) || (isFolder && (path === room || room.startsWith(`${path}/`)));
  if (path === "workspace.yaml" || ROOMS.some(below)) return true;
  return NEAR_ROOMS.some(below) && (isFolder || rightPlaceFor(path) !== undefined);
}

/** The nearest folder upwards that has a workspace.yaml. */
export function findWorkspace(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "workspace.yaml"))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

function* walk(root: string, folder: string): Generator<string> {
  const path = join(root, folder);
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".") || SKIPPED.has(entry.name)) continue;
    const inner = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(root, inner);
    else if (entry.isSymbolicLink()) { if (linksToFolder(root, inner)) throw unreadable(inner, "a link to a folder is not followed"); yield inner; }
    else if (entry.isFile()) yield inner;
  }
}

function linksToFolder(root: string, path: string): boolean {
  try {
    return statSync(join(root, path)).isDirectory();
  } catch {
    throw unreadable(path, "it is a link to nothing");
  }
}

function readText(path: string, shown: string, root: string): string {
  const real = realpathSync(path);
  if (real !== root && !real.startsWith(root + sep)) throw unreadable(shown, "it is a link that leaves the folder");
  const { size } = statSync(real);
  if (size > MAX_FILE_BYTES) throw unreadable(shown, `it has ${size} bytes, more than ${MAX_FILE_BYTES}`);
  const bytes = readFileSync(real);
  try {
    return UTF8.decode(bytes);
  } catch {
    // What is no text is told where it matters: a manifest by the parser, an attachment never.
    return bytes.toString("utf8");
  }
}

function realRoot(root: string): string {
  try {
    const real = realpathSync(root);
    if (!statSync(real).isDirectory()) throw new Error("it is not a folder");
    return real;
  } catch (thrown) {
    throw unreadable(relative(process.cwd(), resolve(root)) || ".", (thrown as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such folder" : (thrown as Error).message);
  }
}

const unreadable = (file: string, detail: string): PlugboardError => new PlugboardError("MANIFEST_UNREADABLE", { file, detail });
