import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { generated } from "../../schemas/gen.ts";

const root = new URL("../../", import.meta.url);

test("what is checked in is what `npm run gen` writes", async () => {
  const files = await generated();
  const stale = [...files].filter(([path, text]) => !existsSync(new URL(path, root)) || readFileSync(new URL(path, root), "utf8") !== text).map(([path]) => path);
  expect(stale, "run `npm run gen` and commit what it writes").toEqual([]);
});

test("the reference's links lead somewhere", async () => {
  const files = await generated();
  const pages = [...files].filter(([path]) => path.endsWith(".md"));
  const anchorsOf = (text: string): Set<string> => new Set([...[...text.matchAll(/<a id="([^"]+)"/g)].map((match) => match[1]!), ...[...text.matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!.toLowerCase().replaceAll(" ", "-"))]);
  const dead = pages.flatMap(([path, text]) => [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
    const target = match[1]!;
    if (target === "#" || target.startsWith("http")) return [];
    const url = new URL(target, new URL(path, root));
    const relative = decodeURIComponent(url.pathname.slice(root.pathname.length));
    const inside = files.get(relative) ?? (existsSync(new URL(url.pathname, root)) ? readFileSync(new URL(url.pathname, root), "utf8") : undefined);
    if (inside === undefined) return [`${path}: ${target}`];
    return url.hash !== "" && !anchorsOf(inside).has(url.hash.slice(1)) ? [`${path}: ${target}`] : [];
  }));
  expect([...new Set(dead)]).toEqual([]);
});
