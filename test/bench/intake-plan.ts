/** A tenant that receives signed events of about 2 KB, each with an id of its own. */
import type { TenantPlan } from "../../engine/plan/types.ts";

export const SECRET = "bench-secret";

export const intakePlan: TenantPlan = {
  tenant: { id: "bench_intake", title: "Bench" }, inputs: {}, labels: {}, reports: {}, policy: {}, limits: {}, origins: {},
  connections: { crm: { connector: "crm", enabled: true, labels: {}, config: {}, locks: [] } },
  connectors: {
    crm: {
      id: "crm", title: "CRM", config: { key: { title: "Key", secret: true } },
      streams: { people: { with: {}, key: ["id"], types: {}, errors: {} } },
      webhooks: {
        people: {
          with: {}, replies: [], subscribe: {}, id: ["body.id"], events: { person: { stream: "people", record: "body.person" } },
          verify: { named: { default: { type: "hmac", secret: "{{config.key}}", signature: { header: "x-signature", encoding: "hex" } } } },
        },
      },
    },
  },
  entities: { person: { schema: { type: "object" }, match: [], prefer: [], custom: [] } },
  flows: { people: { name: "people", enabled: true, connection: "crm", connector: "crm", stream: "people", map: { fields: { name: { expression: "name" } } }, to: { entity: "person" }, select: [], labels: {}, caps: {}, quarantine: { share: 0.1, count: 1000 } } },
};
