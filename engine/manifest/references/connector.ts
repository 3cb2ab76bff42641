/** A connector's own names: fragments, streams, authenticators, hosts. */
import { nearest, suggest } from "../../errors/nearest.ts";
import { isMap, merged } from "../merged.ts";
import type { Json, JsonObject, Manifest } from "../types.ts";
import { flow } from "../describe.ts";
import { checkCursorFormat } from "./cursor-format.ts";
import { escape, mapOf, type Report } from "./names.ts";

export function checkConnector(layers: readonly Manifest[], report: Report): void {
  const whole = merged(layers);
  const fragments = mapOf(whole.fragments);
  const streams = mapOf(whole.streams);
  for (const manifest of layers) {
    const http = mapOf(manifest.value.http);
    const base = http.base_url;
    if (typeof base === "string" && /^\s*(=|(https?:\/\/)?[^/]*\{\{)/.test(base) && mapOf(whole.http).hosts === undefined) report(manifest, "/http/base_url", "MANIFEST_HOSTS", {});
    if (typeof base === "string" && !/^\s*=|\{\{/.test(base) && !/^https?:\/\/[^/\s]+/.test(base)) report(manifest, "/http/base_url", "MANIFEST_WRONG_VALUE", { field: "base_url", expected: "an address that starts with https://", actual: JSON.stringify(base), suggestion: `https://${base.replace(/^([a-z]+:)?\/+/i, "")}` });
    for (const room of ["streams", "webhooks", "queues", "actions", "fragments"]) {
      for (const [name, part] of Object.entries(mapOf(manifest.value[room]))) {
        if (!isMap(part)) continue;
        const at = `/${room}/${escape(name)}`;
        checkUse(manifest, part, at, fragments, room !== "fragments", report);
        checkRequests(manifest, part, at, mapOf(whole.http), report);
        for (const door of ["", "/list", "/changes"]) checkCursorFormat(manifest, door === "" ? part : mapOf(part[door.slice(1)]), `${at}${door}`, report);
        for (const [partition, value] of Object.entries(mapOf(part.partitions))) stream(manifest, mapOf(value).stream, `${at}/partitions/${escape(partition)}/stream`, streams, report);
        for (const key of ["creates", "updates", "deletes", "upserts"]) stream(manifest, part[key], `${at}/${key}`, streams, report);
        for (const [event, value] of Object.entries(mapOf(part.events))) stream(manifest, mapOf(value).stream, `${at}/events/${escape(event)}/stream`, streams, report);
      }
    }
    for (const [name, part] of Object.entries(mapOf(manifest.value.streams))) {
      // Told once, at the last layer that writes on it.
      if (!isMap(part) || layers.findLast(({ value }) => isMap(mapOf(value.streams)[name])) !== manifest) continue;
      const fragment = typeof part.use === "string" ? mapOf(fragments[part.use]) : {};
      const full = { ...fragment, ...mapOf(streams[name]) };
      if (part.use !== undefined && fragments[String(part.use)] === undefined) continue;
      if (full.key === undefined) report(manifest, `/streams/${escape(name)}`, "MANIFEST_MISSING_FIELD", { field: "key", where: `streams.${name}`, expected: "the expression that identifies a record, for example id" }, "key");
      if (typeof full.key === "number" || typeof full.key === "boolean") report(manifest, mapOf(part).key === undefined ? `/streams/${escape(name)}` : `/streams/${escape(name)}/key`, "MANIFEST_WRONG_VALUE", { field: "key", expected: "an expression over the record, for example id", actual: `${String(full.key)}, the same for every record` });
      const hasRequest = [...METHODS, "list", "changes", "one", "upload", "method"].some((key) => full[key] !== undefined);
      const isPushed = JSON.stringify([whole.webhooks, whole.queues, fragments]).includes(`"stream":"${name}"`);
      if (!hasRequest && !isPushed && part.use === undefined) report(manifest, `/streams/${escape(name)}`, "MANIFEST_ONE_OF", { where: `streams.${name}`, choices: "get, post, list, changes, one, upload", actual: "none of them" }, "key");
      if (hasRequest && http.base_url === undefined && whole.http === undefined && !["upload"].some((key) => full[key] !== undefined && METHODS.every((method) => full[method] === undefined))) report(manifest, `/streams/${escape(name)}`, "MANIFEST_MISSING_FIELD", { field: "http", where: "this connector", expected: "a map with base_url, because its streams send requests" }, "key");
    }
    const check = mapOf(manifest.value.check);
    for (const [name, block] of check.by === undefined ? [["", check] as const] : Object.entries(check).filter(([key]) => key !== "by")) {
      if (manifest.value.check !== undefined && isMap(block)) {
        const at = name === "" ? "/check" : `/check/${escape(name)}`;
        const wholeBlock = mapOf(name === "" ? whole.check : mapOf(whole.check)[name]);
        if (!METHODS.some((key) => wholeBlock[key] !== undefined) && wholeBlock.method === undefined) report(manifest, at, "MANIFEST_ONE_OF", { where: at.slice(1).replace("/", "."), choices: METHODS.join(", "), actual: "none of them" }, "key");
        checkRequests(manifest, block, at, mapOf(whole.http), report);
      }
    }
  }
}

const METHODS = ["get", "post", "put", "patch", "delete"];

export function checkUse(manifest: Manifest, part: JsonObject, at: string, fragments: JsonObject, isUser: boolean, report: Report): void {
  if (typeof part.use !== "string") return;
  const fragment = fragments[part.use];
  if (!isMap(fragment)) return report(manifest, `${at}/use`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Fragment", name: part.use, suggestion: suggest(part.use, Object.keys(fragments)) });
  if (!isUser) return;
  const wanted = Array.isArray(fragment.with) ? fragment.with.map(String) : [];
  const given = mapOf(part.with);
  for (const name of Object.keys(given)) if (!wanted.includes(name)) report(manifest, `${at}/with/${escape(name)}`, "MANIFEST_UNKNOWN_FIELD", { field: name, where: `${at.slice(1).replaceAll("/", ".")}.with (fragment ${part.use})`, suggestion: suggest(name, wanted) }, "key");
  // An absent value is left out of a query or body; in a path it is an error.
  const paths = [fragment, ...["list", "changes", "one"].map((door) => mapOf(fragment[door]))].flatMap((request) => [...METHODS, "path"].map((key) => String(request[key] ?? "")));
  const misspelt = new Set(Object.keys(given).filter((name) => !wanted.includes(name)).map((name) => nearest(name, wanted)));
  for (const name of wanted) if (!(name in given) && !misspelt.has(name) && paths.some((path) => path.includes(`{{with.${name}}}`))) report(manifest, part.with === undefined ? `${at}/use` : `${at}/with`, "MANIFEST_MISSING_FIELD", { field: name, where: `${at.slice(1).replaceAll("/", ".")}.with`, expected: `a value for fragment '${part.use}'` }, part.with === undefined ? "value" : "key");
}

/** A whole address in a path must stand on a host that the credential may be sent to. */
function checkHosts(manifest: Manifest, block: JsonObject, at: string, http: JsonObject, report: Report): void {
  if (http.auth === undefined || block.auth === "none" || typeof http.base_url !== "string") return;
  for (const method of METHODS) {
    const host = /^https?:\/\/([^/{}\s]+)/.exec(String(block[method] ?? ""))?.[1]?.toLowerCase();
    if (host === undefined) continue;
    const allowed = Array.isArray(http.hosts) ? http.hosts.map(String) : [/^https?:\/\/([^/]+)/.exec(http.base_url)?.[1]?.toLowerCase() ?? ""];
    if (!allowed.some((each) => each === host || (each.startsWith("*.") && host.endsWith(each.slice(1))))) report(manifest, `${at}/${method}`, "MANIFEST_WRONG_VALUE", { field: method, expected: `a path, or an address on ${allowed.join(", ")}`, actual: host, suggestion: `the credential goes there too: list every host it may be sent to: hosts: ${flow([...allowed, host].filter(Boolean))}` });
  }
}

/** `auth: raas` names one of the connector's authenticators. */
function checkRequests(manifest: Manifest, part: JsonObject, at: string, http: JsonObject, report: Report): void {
  const named = mapOf(http.auth);
  const around = ["before", "after", "subscribe"].flatMap((key) => Object.entries(mapOf(part[key])).map(([name, poll]) => [`/${key}/${escape(name)}`, poll] as const));
  for (const [door, block] of [["", part] as const, ...["list", "changes", "one"].map((key) => [`/${key}`, part[key]] as const), ["/once/find", mapOf(part.once).find] as const, ...around]) {
    if (isMap(block)) checkHosts(manifest, block, `${at}${door}`, http, report);
    if (!isMap(block) || typeof block.auth !== "string" || block.auth === "none") continue;
    const names = named.by === undefined ? [] : Object.keys(named).filter((name) => name !== "by");
    if (!names.includes(block.auth)) report(manifest, `${at}${door}/auth`, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Authenticator", name: block.auth, suggestion: suggest(block.auth, [...names, "none"]) });
  }
}

function stream(manifest: Manifest, name: Json | undefined, pointer: string, streams: JsonObject, report: Report): void {
  if (typeof name === "string" && !(name in streams)) report(manifest, pointer, "MANIFEST_UNKNOWN_REFERENCE", { kind: "Stream", name, suggestion: suggest(name, Object.keys(streams)) });
}
