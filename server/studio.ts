/**
 * Studio's files: built ahead in the package, and in a checkout when they are older than their sources. Served at every path
 * that nothing else answers, because its pages have addresses of their own.
 */
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";
import { productRoot } from "./product-root.ts";

const folder = fileURLToPath(new URL("studio", productRoot));
const dist = path.join(folder, "dist");
/** What the bundle is made of: Studio itself, and the part of the engine that runs in a browser. */
const SOURCES = ["studio", "schemas", "engine/errors", "engine/expression", "engine/manifest", "engine/plan", "package-lock.json"];

/** @returns the folder to serve; undefined where there is neither a build nor what it takes to make one. */
export async function builtStudio(log: (line: string) => void): Promise<string | undefined> {
  const built = await stat(path.join(dist, "index.html")).then(({ mtimeMs }) => mtimeMs, () => undefined);
  if (!existsSync(path.join(folder, "vite.config.ts"))) return built === undefined ? undefined : dist;
  if (built !== undefined && built > await newest(SOURCES.map((source) => fileURLToPath(new URL(source, productRoot))))) return dist;
  try {
    const { build } = await import("vite");
    await build({ root: folder, configFile: path.join(folder, "vite.config.ts"), logLevel: "error" });
    return dist;
  } catch (thrown) {
    log(`Studio could not be built: ${(thrown as Error).message}`);
    return built === undefined ? undefined : dist;
  }
}

async function newest(places: readonly string[]): Promise<number> {
  let latest = 0;
  for (const place of places) {
    const found = await stat(place).catch(() => undefined);
    if (found === undefined) continue;
    latest = Math.max(latest, found.mtimeMs);
    if (!found.isDirectory()) continue;
    const inside = await readdir(place, { withFileTypes: true });
    latest = Math.max(latest, await newest(inside.filter(({ name }) => name !== "dist" && name !== "node_modules").map(({ name }) => path.join(place, name))));
  }
  return latest;
}

/** Paths of programs: what they do not find is an error in JSON, never a page. */
const PROGRAMS = /^\/(?:api|v1|webhooks|oauth|docs|metrics|healthz|readyz)(?:\/|$)/;

export async function serveStudio(server: FastifyInstance, studio: string): Promise<void> {
  await server.register(fastifyStatic, { root: studio, serve: false });
  server.get<{ Params: { "*": string } }>("/*", { config: { permission: "public" }, schema: { hide: true } }, async (request, reply) => {
    const file = request.params["*"];
    if (PROGRAMS.test(`/${file}`)) return reply.callNotFound();
    // Names under assets/ hold a hash of their content.
    if (file.startsWith("assets/")) return existsSync(path.join(studio, path.normalize(`/${file}`))) ? reply.sendFile(file, { maxAge: "365d", immutable: true }) : reply.callNotFound();
    if (file === "plug.svg") return reply.sendFile(file, { maxAge: "1d" });
    return reply.header("cache-control", "no-cache").sendFile("index.html", { cacheControl: false });
  });
}
