/**
 * `npm run gen` writes what follows from the schemas and from the folder of components; `npm run gen -- --check` fails when a
 * file is not what it would write. Everything written here is checked in, so that a review shows the effect of a change.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bundle } from "./gen/bundle.ts";
import { ROOT } from "./gen/files.ts";
import { referencePages } from "./gen/reference.ts";
import { registry } from "./gen/registry.ts";
import { types } from "./gen/types.ts";
import { unions } from "./gen/unions.ts";

export async function generated(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const unionFiles = unions();
  for (const [path, schema] of unionFiles) files.set(`schemas/${path}`, `${JSON.stringify(schema, null, 2)}\n`);
  files.set("schemas/bundle.gen.ts", bundle([...unionFiles.keys()]));
  files.set("schemas/types.gen.ts", types());
  files.set("engine/components/registry.gen.ts", registry());
  for (const [path, text] of await referencePages()) files.set(path, text);
  return files;
}

/** Reference pages of components that are gone. */
function leftovers(files: ReadonlyMap<string, string>): string[] {
  const folder = "schemas/reference";
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true }).map(String).filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`).filter((path) => !files.has(path));
}

if (process.argv[1] !== undefined && import.meta.filename === process.argv[1]) {
  const check = process.argv.includes("--check");
  const files = await generated();
  const stale = [...files].filter(([path, text]) => !existsSync(join(ROOT, path)) || readFileSync(join(ROOT, path), "utf8") !== text).map(([path]) => path);
  const gone = leftovers(files);
  if (check) {
    for (const path of [...stale, ...gone]) console.error(`${path} is not what the schemas say.`);
    if (stale.length + gone.length > 0) { console.error("Run `npm run gen` and commit what it writes."); process.exitCode = 1; }
  } else {
    for (const path of stale) {
      mkdirSync(dirname(join(ROOT, path)), { recursive: true });
      writeFileSync(join(ROOT, path), files.get(path)!);
    }
    for (const path of gone) rmSync(join(ROOT, path));
    console.log(stale.length + gone.length === 0 ? `${files.size} generated files are up to date.` : `Wrote ${stale.length}, removed ${gone.length} of ${files.size} generated files.`);
  }
}
