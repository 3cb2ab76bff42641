/** A small plan, written out: one connector, one stream, one flow. Tests change what they are about. */
import type { AuthPlan, ConfigField, ErrorRulePlan, FlowPlan, HttpPlan, LimitPlan, MappingPlan, RequestPlan, StreamPlan, TenantPlan } from "../../engine/plan/types.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";

export interface PlanParts {
  readonly config?: Readonly<Record<string, ConfigField>>;
  readonly connectionConfig?: JsonObject;
  readonly locks?: readonly string[];
  readonly http?: Partial<HttpPlan>;
  readonly auth?: AuthPlan;
  readonly limits?: Readonly<Record<string, LimitPlan>>;
  readonly errors?: Readonly<Record<string, ErrorRulePlan>>;
  readonly request?: Partial<RequestPlan>;
  readonly records?: string;
  readonly pagination?: StreamPlan["cursor"];
  readonly stream?: Partial<StreamPlan>;
  readonly flow?: Partial<FlowPlan>;
  readonly map?: MappingPlan;
  readonly schema?: JsonObject;
}

export const HOST = "api.example.com";

export function requestPlan(parts: Partial<RequestPlan> = {}): RequestPlan {
  return { method: "GET", path: "/people", errors: {}, ...parts };
}

export function planOf(parts: PlanParts = {}): TenantPlan {
  const stream: StreamPlan = {
    with: {}, key: ["id"], types: {}, errors: {},
    list: { request: requestPlan(parts.request), records: parts.records ?? "items", ...(parts.pagination === undefined ? {} : { pagination: parts.pagination }) },
    ...parts.stream,
  };
  const flow: FlowPlan = {
    name: "people", enabled: true, connection: "crm", connector: "crm", stream: "people", to: { entity: "person" }, select: [], labels: {}, caps: {}, quarantine: { share: 0.1, count: 1000 },
    ...(parts.map === undefined ? {} : { map: parts.map }), ...parts.flow,
  };
  return {
    tenant: { id: "acme", title: "Acme" }, inputs: {}, labels: {}, reports: {}, policy: {}, limits: {}, origins: {},
    connections: { crm: { connector: "crm", enabled: true, labels: {}, config: parts.connectionConfig ?? {}, locks: parts.locks ?? [] } },
    connectors: {
      crm: {
        id: "crm", title: "CRM", config: parts.config ?? {},
        http: {
          base_url: `https://${HOST}/v1`, hosts: [HOST], headers: {}, query: {}, limits: parts.limits ?? {}, errors: parts.errors ?? {}, timeouts: {},
          ...(parts.auth === undefined ? {} : { auth: parts.auth }), ...parts.http,
        },
        streams: { people: stream },
      },
    },
    entities: { person: { schema: parts.schema ?? { type: "object", additionalProperties: true }, match: [], prefer: [], custom: [] } },
    flows: { people: flow },
  };
}
