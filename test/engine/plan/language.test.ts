/** The tenants that the language's own page writes out. */
import { expect, test } from "vitest";
import { resolvePlan } from "../../../engine/plan/index.ts";
import { catalogue, trainingPlatform } from "../../support/training-platform.ts";
import { workspaceOf } from "../../support/workspace-of.ts";

test("a preset that offers a connection switched off, a tenant that switches it on, adds a second portal and its own schedule", () => {
  const preset = catalogue["presets/aptem-hubspot/preset.yaml"]!.replace("hubspot: { connector: hubspot,", "hubspot: { connector: hubspot, enabled: false,");
  const tenant = `tenant: acme
title: Acme Training Ltd
subdomain: acme
preset: aptem-hubspot
connections:
  aptem:      { config: { tenant_host: acme } }
  hubspot:    { enabled: true }
  hubspot_us: { connector: hubspot }                                           # a second portal
flows:
  learners:     { from: { cron: "*/15 * * * *" }, map: { fields: { custom.division: UserCustom_Division } } }   # every (preset) + cron (tenant)
  employers_us: { use: employers, from: { connection: hubspot_us } }           # reuse of a flow
reports: { employer-overview: null }
`;
  const { plan, problems } = resolvePlan(trainingPlatform({ "tenants/acme.yaml": tenant }, { "presets/aptem-hubspot/preset.yaml": preset }), "acme");
  expect(problems).toEqual([]);
  expect(Object.values(plan.flows).map(({ name, connection, enabled, schedule }) => [name, connection, enabled, schedule])).toEqual([
    ["learners", "aptem", true, { cron: "*/15 * * * *", time_zone: "UTC" }],
    ["employers", "hubspot", true, { every_seconds: 86_400 }],
    ["employers_us", "hubspot_us", true, { every_seconds: 86_400 }],
  ]);
  expect(plan.reports).toEqual({ "learner-progress": ["tenant_admin"] });
});

test("a tenant names its own reports as streams: the fragment's second authenticator and computed query come along", () => {
  const { plan, problems } = resolvePlan(workspaceOf({
    catalogue: { "connectors/payroll/connector.yaml": `connector: payroll
title: Payroll
http:
  base_url: https://{{config.host}}/ccx
  hosts: ["*.payroll.example"]
  auth:
    by: '"api"'
    api: { type: bearer, token: "{{config.token}}" }
    raas: { type: basic, username: "{{config.username}}", password: "{{config.password}}" }
fragments:
  report:
    with: [owner, report, key, since]
    get: /service/{{with.owner}}/{{with.report}}
    auth: raas
    query: '=$merge([{ "format": "json" }, with.since ? { with.since: cursor.from }])'
    records: Report_Entry
    key: $lookup($, $with.key)
    cursor: { format: iso_date }
` },
    workspace: { "tenants/acme.yaml": `tenant: acme
connections:
  payroll:
    connector: payroll
    config: { host: wd3.payroll.example }
    streams: { headcount: { use: report, with: { owner: isu_hr, report: Headcount, key: Employee_ID, since: Updated_From } } }
` },
  }), "acme");
  expect(problems).toEqual([]);
  expect(plan.connectors["payroll/payroll"]!.streams["headcount"]).toEqual({
    with: { owner: "isu_hr", report: "Headcount", key: "Employee_ID", since: "Updated_From" }, key: ["$lookup($, $with.key)"], types: {}, errors: {},
    list: { records: "Report_Entry", request: { method: "GET", path: "/service/{{with.owner}}/{{with.report}}", auth: "raas", query: '=$merge([{ "format": "json" }, with.since ? { with.since: cursor.from }])', errors: {} } },
    cursor: { type: "datetime", format: "iso_date" },
  });
});

test("an input of the preset is read by its flows, and the preset's field lies over the mapping's", () => {
  const preset = catalogue["presets/aptem-hubspot/preset.yaml"]!
    .replace("connections:", "inputs: { country: { title: Country of the employers, enum: [GB, IE], default: GB } }\nconnections:")
    .replace("map: hubspot/employer", "map: { use: hubspot/employer, fields: { country: $inputs.country } }");
  const { plan, problems } = resolvePlan(trainingPlatform({ "tenants/acme.yaml": "tenant: acme\npreset: aptem-hubspot\ninputs: { country: IE }\nlimits: { learners: 500 }\n" }, { "presets/aptem-hubspot/preset.yaml": preset }), "acme");
  expect(problems).toEqual([]);
  expect(plan.inputs).toEqual({ country: "IE" });
  expect(plan.limits).toEqual({ learners: 500 });
  expect(plan.flows["employers"]!.map!.fields["country"]).toEqual({ expression: "$inputs.country" });
});
