/** Turns a request of the plan and the variables of one page into a request that can be sent. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { OutgoingRequest, Variables } from "../components/kinds.ts";
import { hostAllowed } from "../components/shared/hosts.ts";
import { encodePairs } from "../components/shared/percent.ts";
import type { HttpPlan, RequestPlan, Value } from "../plan/types.ts";
import { compileValue, templateAt } from "./build-context.ts";

export interface CompiledRequest {
  readonly where: string;
  /** @throws PlugboardError RUN_REQUEST naming what is absent or cannot stand where it is put. */
  build(variables: Variables, accept: string): Promise<OutgoingRequest>;
}

export function compileRequest(plan: RequestPlan, http: HttpPlan, where: string, connector: string): CompiledRequest {
  const base = templateAt(plan.base_url ?? http.base_url, "url", `${where}.base_url`);
  const path = templateAt(plan.path, plan.path.startsWith("{{") ? "url" : "path", `${where}.path`);
  const maps = {
    query: [compileValue(http.query as Value, "text", "http.query"), compileValue(plan.query ?? {}, "text", `${where}.query`)],
    headers: [compileValue(http.headers as Value, "header", "http.headers"), compileValue(plan.headers ?? {}, "header", `${where}.headers`)],
  } as const;
  const body = plan.body === undefined ? undefined : compileValue(plan.body.value, "text", `${where}.${plan.body.encoding}`);

  /** The connector's defaults under the request's own. A whole map that is one absent expression is an empty one. */
  const merged = async (kind: keyof typeof maps, variables: Variables): Promise<Record<string, unknown>> => {
    const result: Record<string, unknown> = {};
    for (const render of maps[kind]) {
      const rendered = await render(variables);
      if (rendered === undefined || rendered === null) continue;
      if (typeof rendered !== "object" || Array.isArray(rendered)) throw new TypeError(`'${kind}' must be a map, not ${Array.isArray(rendered) ? "a list" : typeof rendered}`);
      Object.assign(result, rendered);
    }
    return result;
  };

  async function build(variables: Variables, accept: string): Promise<OutgoingRequest> {
    const url = await address(variables);
    const headers = new Headers();
    for (const [name, value] of Object.entries(await merged("headers", variables))) setHeader(headers, name, value);
    if (!headers.has("accept")) headers.set("accept", accept);
    const value = body === undefined || plan.body === undefined ? undefined : await body(variables);
    const sent = value === undefined || plan.body === undefined ? undefined : encodeBody(plan.body.encoding, value, headers);
    return { method: plan.method, url, headers, body: sent, label: `${plan.method} ${url.pathname}` };
  }

  /** `page.url` is the whole next address, and nothing is added to it. */
  async function address(variables: Variables): Promise<URL> {
    const root = rendered(base, variables, "base_url");
    if (!URL.canParse(root)) throw new TypeError(`base_url '${root}' is no URL`);
    const page = variables["page"] as { readonly url?: string } | undefined;
    if (page?.url !== undefined) {
      if (!URL.canParse(page.url)) throw new TypeError(`the next page's address '${page.url.slice(0, 200)}' is no URL`);
      const next = new URL(page.url);
      // A link that leaves the origin would take the credential along.
      if (next.origin !== new URL(root).origin) throw new PlugboardError("AUTH_HOST_NOT_ALLOWED", { connector, host: next.origin, allowed: new URL(root).origin });
      return next;
    }
    const below = rendered(path, variables, "path");
    const full = /^https?:\/\//i.test(below) ? below : joined(root, below);
    if (!URL.canParse(full)) throw new TypeError(`'${full.slice(0, 200)}' is no URL`);
    const url = new URL(full);
    const query = encodePairs(await merged("query", variables));
    if (query !== "") url.search = url.search === "" ? query : `${url.search}&${query}`;
    return url;
  }

  return {
    where,
    build: (variables, accept) => build(variables, accept).catch((thrown: unknown) => {
      throw thrown instanceof PlugboardError ? thrown : new PlugboardError("RUN_REQUEST", { where, detail: (thrown as Error).message, suggestion: "" }, { cause: thrown });
    }),
  };
}

/**
 * Refuses a host the connector does not list: a credential goes only where the manifest says, whatever config, templates or a
 * provider's own links make of the address. @throws PlugboardError AUTH_HOST_NOT_ALLOWED
 */
export function checkHost(url: URL, http: HttpPlan, connector: string): void {
  if (!hostAllowed(url, http.hosts)) throw new PlugboardError("AUTH_HOST_NOT_ALLOWED", { connector, host: url.host, allowed: http.hosts.join(", ") });
}

function rendered(template: ReturnType<typeof templateAt>, variables: Variables, member: string): string {
  const text = template.render(variables);
  if (text === undefined || text === "") {
    const absent = template.reads.find((path) => valueAt(variables, path) === undefined || valueAt(variables, path) === null);
    throw new TypeError(absent === undefined ? `${member} is empty` : `'${absent.join(".")}' in ${member} is absent`);
  }
  return text;
}

const valueAt = (variables: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => (typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined), variables);

const joined = (root: string, below: string): string => (below.startsWith("?") || below === "" ? root + below : `${root.replace(/\/+$/, "")}/${below.replace(/^\/+/, "")}`);

/** Never repeats the value: it may be a credential. */
function setHeader(headers: Headers, name: string, value: unknown): void {
  if (value === null || value === undefined) return;
  try {
    headers.set(name, String(value));
  } catch {
    throw new TypeError(`header '${name}' has a name or value that HTTP does not allow (a line break?)`);
  }
}

function encodeBody(encoding: NonNullable<RequestPlan["body"]>["encoding"], value: unknown, headers: Headers): string {
  const type = { json: "application/json", form: "application/x-www-form-urlencoded", text: "text/plain;charset=utf-8" }[encoding];
  if (!headers.has("content-type")) headers.set("content-type", type);
  if (encoding === "json") return JSON.stringify(value);
  if (encoding === "form") return encodePairs(value as Record<string, unknown>);
  return typeof value === "string" ? value : JSON.stringify(value);
}
