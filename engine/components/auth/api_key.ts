/** A key that the person entered, placed where the provider wants it: one header, one query parameter, or several of them. */
import type { Value } from "../../plan/types.ts";
import { defineAuth, type BuildContext, type OutgoingRequest, type Variables } from "../kinds.ts";
import { encodePairs } from "../shared/percent.ts";

export interface ApiKeySpec {
  readonly header?: string;
  readonly query?: string;
  /** What is placed in `header` or `query`: `Token {{config.token}}`. */
  readonly value?: string;
  /** Several at once: `{ headers: {…}, query: {…} }`; a member whose value is absent is left out. */
  readonly send?: { readonly headers?: Readonly<Record<string, Value>>; readonly query?: Readonly<Record<string, Value>> };
}

export default defineAuth<ApiKeySpec>("api_key", (spec, context) => {
  const place = spec.send === undefined ? one(spec, context) : several(spec.send, context);
  return {
    async apply(request, { variables, missing }) {
      // The entered secret itself is hidden already; what stands beside it (a site, a version) is none.
      const { headers, query } = await place(variables, missing);
      for (const [name, value] of Object.entries(headers)) request.headers.set(name, String(value));
      addToQuery(request, query);
    },
  };
});

type Placed = { readonly headers: Readonly<Record<string, unknown>>; readonly query: Readonly<Record<string, unknown>> };
type Missing = (reads: readonly (readonly string[])[]) => Error;

function one(spec: ApiKeySpec, { template }: BuildContext) {
  const value = template(spec.value ?? "", spec.header === undefined ? "text" : "header", "value");
  return async (variables: Variables, missing: Missing): Promise<Placed> => {
    const text = value.render(variables);
    if (text === undefined || text === "") throw missing(value.reads);
    return spec.header === undefined ? { headers: {}, query: { [spec.query ?? ""]: text } } : { headers: { [spec.header]: text }, query: {} };
  };
}

function several(send: NonNullable<ApiKeySpec["send"]>, { value }: BuildContext) {
  const headers = value(send.headers ?? {}, "header", "send.headers");
  const query = value(send.query ?? {}, "text", "send.query");
  return async (variables: Variables, missing: Missing): Promise<Placed> => {
    const placed = { headers: await headers(variables), query: await query(variables) } as Placed;
    if (Object.keys(placed.headers).length + Object.keys(placed.query).length === 0) throw missing([]);
    return placed;
  };
}

/**
 * Appends as text: changing `searchParams` would write every other parameter anew, in the encoding of forms. A provider's link to
 * the next page may hold the key already.
 */
function addToQuery(request: OutgoingRequest, query: Readonly<Record<string, unknown>>): void {
  const text = encodePairs(Object.fromEntries(Object.entries(query).filter(([name]) => !request.url.searchParams.has(name))));
  if (text !== "") request.url.search = request.url.search === "" ? text : `${request.url.search}&${text}`;
}
