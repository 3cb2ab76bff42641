/** Where in a request something stands: a header, a query parameter, or a field of a JSON or form body. */
import type { BuildContext, Variables } from "../kinds.ts";
import type { Incoming } from "./incoming.ts";
import { textsAt } from "./incoming.ts";
import { refuse } from "./refused.ts";

export interface PlaceSpec { readonly header?: string | readonly string[]; readonly query?: string; readonly body?: string }

export interface Place {
  /** Every text that stands there; none when it is missing. */
  read(incoming: Incoming, variables: Variables): readonly string[];
  /** For reasons: `header 'x-signature'`. */
  say(variables: Variables): string;
}

/** Names are templates; one that gives nothing is told as a missing option. */
export function compilePlace(spec: PlaceSpec, { template }: BuildContext, field: string): Place {
  const kind = spec.header !== undefined ? "header" : spec.query !== undefined ? "query" : "body";
  const written = spec[kind] ?? "";
  const names = (typeof written === "string" ? [written] : written).map((name) => template(name, "text", `${field}.${kind}`));
  const rendered = (variables: Variables): string[] => names.map((name) => name.render(variables) || refuse(`the option '${field}.${kind}' is empty`));
  return {
    say: (variables) => `${SAID[kind]} ${rendered(variables).map((name) => `'${name}'`).join(" or ")}`,
    read: (incoming, variables) => rendered(variables).flatMap((name) => {
      if (kind === "header") { const value = incoming.header(name); return value === undefined ? [] : [value]; }
      if (kind === "query") return (incoming.query() ?? []).flatMap(([key, value]) => (key === name ? [value] : []));
      if (incoming.mediaType === "application/x-www-form-urlencoded") return (incoming.form() ?? []).flatMap(([key, value]) => (key === name ? [value] : []));
      const texts = textsAt(incoming.body(), name);
      return texts.every((text) => text === "") ? [] : texts;
    }),
  };
}

const SAID = { header: "header", query: "query parameter", body: "field of the body" } as const;

/** The one text there. @throws Refused when it is missing, or stands there twice. */
export function readOne(place: Place, incoming: Incoming, variables: Variables): string {
  const [first, ...more] = place.read(incoming, variables);
  if (first === undefined || first === "") return refuse(`${place.say(variables)} is missing`);
  return more.length > 0 ? refuse(`${place.say(variables)} is there more than once`) : first;
}
