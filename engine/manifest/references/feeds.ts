/** A connector's writes and feeds: what an action, a webhook or a queue cannot do without, once its fragments are laid under it. */
import { isMap, merged } from "../merged.ts";
import type { Json, JsonObject, Manifest } from "../types.ts";
import { escape, mapOf, type Report } from "./names.ts";

const METHODS = ["get", "post", "put", "patch", "delete", "method"];
const EFFECTS = ["creates", "updates", "deletes", "upserts"];

/** Where a request can say a key. */
const REQUEST_PARTS = [...METHODS, "path", "query", "headers", "json", "form", "text", "multipart", "xml", "soap", "graphql"];

/** A part of a connector as its layers make it, at the last file that writes on it: there it is told, once. */
interface Part { readonly manifest: Manifest; readonly at: string; readonly where: string; readonly own: JsonObject; readonly whole: JsonObject }

export function checkActionsAndFeeds(layers: readonly Manifest[], report: Report): void {
  const connector = merged(layers);
  const streams = mapOf(connector.streams);
  const readsOne = (name: string): boolean => Object.hasOwn(streams, name) && withFragments(mapOf(streams[name]), connector).one !== undefined;
  const needsOne = ({ manifest }: Part, pointer: string, stream: string, because: string): void => {
    if (Object.hasOwn(streams, stream) && !readsOne(stream)) report(manifest, pointer, "MANIFEST_MISSING_FIELD", { field: "one", where: `streams.${stream}`, expected: `the request that reads one record by its key, because ${because}` }, "key");
  };
  for (const part of partsOf("actions", layers, connector)) {
    const { manifest, at, where, own, whole } = part;
    if (!METHODS.some((key) => whole[key] !== undefined)) report(manifest, at, "MANIFEST_ONE_OF", { where, choices: METHODS.slice(0, 5).join(", "), actual: "none of them" }, "key");
    if (whole.once === undefined) report(manifest, at, "MANIFEST_MISSING_FIELD", { field: "once", where, expected: "how a second try is harmless: repeatable, { key: delivery.key }, { find: … }, { unique: … }; or false, when it is not" }, "key");
    const once = mapOf(whole.once);
    if (isMap(whole.once) && ["key", "find", "unique"].every((key) => once[key] === undefined)) report(manifest, own.once === undefined ? at : `${at}/once`, "MANIFEST_ONE_OF", { where: `${where}.once`, choices: "key, find, unique", actual: "none of them" }, "key");
    if (isMap(once.find) && once.find.key === undefined) report(manifest, own.once === undefined ? at : `${at}/once/find`, "MANIFEST_MISSING_FIELD", { field: "key", where: `${where}.once.find`, expected: "the key of what was found, for example id" }, "key");
    if (typeof once.key === "string" && once.unique === undefined && /\bdelivery\b/.test(once.key) && !/\bdelivery\b/.test(JSON.stringify(REQUEST_PARTS.map((key) => whole[key])))) report(manifest, own.once === undefined ? at : `${at}/once`, "MANIFEST_TRAP", { detail: "The provider would know a second try by its key, but the request does not send it.", cure: 'Send it where the provider looks for it, for example headers: { Idempotency-Key: "{{delivery.key}}" }' }, "key");
    const effect = EFFECTS.find((key) => typeof whole[key] === "string");
    if (namesCurrent(whole)) {
      if (effect === undefined) report(manifest, at, "MANIFEST_ONE_OF", { where, choices: EFFECTS.join(", "), actual: "none of them", suggestion: "'current' is the record as it is now: say of which stream" }, "key");
      else needsOne(part, at, String(whole[effect]), `actions.${last(at)} names 'current'`);
    }
    if (whole.batch !== undefined && Number(whole.batch) > 1 && whole.results === undefined) report(manifest, own.batch === undefined ? at : `${at}/batch`, "MANIFEST_MISSING_FIELD", { field: "results", where, expected: "the result of each input, in order, for example body.results" }, "key");
    if (whole.match !== undefined && whole.results === undefined) report(manifest, own.match === undefined ? at : `${at}/match`, "MANIFEST_MISSING_FIELD", { field: "results", where, expected: "the results that 'match' tells apart, for example body.results" }, "key");
  }
  for (const part of [...partsOf("webhooks", layers, connector), ...partsOf("queues", layers, connector)]) {
    const { manifest, at, where, own, whole } = part;
    const isQueue = at.startsWith("/queues/");
    if (isQueue && !METHODS.some((key) => whole[key] !== undefined)) report(manifest, at, "MANIFEST_ONE_OF", { where, choices: METHODS.slice(0, 5).join(", "), actual: "none of them" }, "key");
    if (!isQueue && whole.verify === undefined) report(manifest, at, "MANIFEST_MISSING_FIELD", { field: "verify", where, expected: "how a request proves where it comes from; { type: secret_url } where the provider signs nothing" }, "key");
    if (whole.scope === "app" && whole.account === undefined) report(manifest, at, "MANIFEST_MISSING_FIELD", { field: "account", where, expected: "whose item it is: one address serves all customers (scope: app)" }, "key");
    if (Object.keys(mapOf(whole.events)).length === 0) report(manifest, own.events === undefined ? at : `${at}/events`, "MANIFEST_MISSING_FIELD", { field: "events", where, expected: "what its items mean, by name" }, "key");
    for (const [name, event] of Object.entries(mapOf(whole.events))) {
      if (!isMap(event)) continue;
      const pointer = isMap(mapOf(own.events)[name]) ? `${at}/events/${escape(name)}` : at;
      const stream = String(event.stream);
      if (event.key === undefined && event.record === undefined) report(manifest, pointer, "MANIFEST_ONE_OF", { where: `${where}.events.${name}`, choices: "key, record", actual: "none of them", suggestion: "`key` says which record it is about, `record` is the record itself" }, "key");
      else if (event.record === undefined && event.deleted !== true) needsOne(part, pointer, stream, `${where}.events.${name} gives its key and no record`);
    }
  }
}

function* partsOf(room: string, layers: readonly Manifest[], connector: JsonObject): Generator<Part> {
  for (const [name, written] of Object.entries(mapOf(connector[room]))) {
    const manifest = layers.findLast(({ value }) => isMap(mapOf(value[room])[name]));
    const whole = withFragments(mapOf(written), connector);
    // A fragment that is not there is told as such.
    if (manifest && isMap(written) && !("use" in whole)) yield { manifest, at: `/${room}/${escape(name)}`, where: `${room}.${name}`, own: mapOf(mapOf(manifest.value[room])[name]), whole };
  }
}

/** The part over the fragments it uses, as far as the checks here look. Keeps `use` where a fragment is missing. */
function withFragments(part: JsonObject, connector: JsonObject, seen: readonly string[] = []): JsonObject {
  const fragment = typeof part.use === "string" && !seen.includes(part.use) ? mapOf(connector.fragments)[part.use] : undefined;
  if (!isMap(fragment)) return part;
  const below = withFragments(fragment, connector, [...seen, String(part.use)]);
  const { use: _, ...own } = part;
  const events = below.events === undefined && own.events === undefined ? {} : { events: { ...mapOf(below.events), ...mapOf(own.events) } };
  return Object.fromEntries(Object.entries({ ...below, ...own, ...events }).filter(([, value]) => value !== null));
}

/** `{{current.x}}` in a template, `current.x` in a text that starts with `=`. */
function namesCurrent(value: Json): boolean {
  if (typeof value === "string") return value.startsWith("=") ? /(?<![\w.'"])\$?current\b(?!['"])/.test(value) : /\{\{[^}]*\bcurrent\b/.test(value);
  return typeof value === "object" && value !== null && Object.values(value).some((member) => namesCurrent(member as Json));
}

const last = (pointer: string): string => pointer.split("/").at(-1)!;
