import { describe, expect, test } from "vitest";
import { read, validateWorkspace, type SourceTree } from "../../../engine/manifest/index.ts";
import { cutRelease } from "../../../engine/plan/index.ts";

const ENTITY = JSON.stringify({ $schema: "https://json-schema.org/draft/2020-12/schema", $id: "company", title: "Company", type: "object", required: ["name"], properties: { name: { type: "string" }, country: { type: "string" }, founded: { type: "string", format: "date" } } });
const CONNECTOR = `connector: acme
title: Acme
config:
  api_key: { title: API key, secret: true }
  region: { title: Region, default: eu }
http:
  base_url: https://api.acme.example
  auth: { type: api_key, header: X-Key, value: "{{config.api_key}}" }
streams:
  companies:
    key: id
    get: /companies
    query: { offset: "=page.offset", since: "{{cursor.from}}" }
    records: data
    pagination: { type: offset, size: 100 }
    cursor: { field: updated_on }
`;
const MAPPING = "mapping: acme/company\nfrom: acme.companies\nto: company\nfields:\n  name: name\n";
const PRESET = "preset: acme\ntitle: Acme\nconnections: { acme: { connector: acme } }\nflows: { companies: { from: acme.companies, map: acme/company, to: company } }\n";
const FILES = { "schemas/entities/company.schema.json": ENTITY, "connectors/acme/connector.yaml": CONNECTOR, "mappings/acme/company.yaml": MAPPING, "presets/acme/preset.yaml": PRESET };

const tree = (files: Record<string, string>, layer: SourceTree["layer"] = "workspace", label = ""): SourceTree => ({ layer, label, files: new Map(Object.entries(files)) });
const problems = (...trees: SourceTree[]) => validateWorkspace(read(trees)).map(({ at, severity, code }) => `${at?.file}:${at?.line}:${at?.col} ${severity} ${code}`);
const over = (files: Record<string, string>) => problems(tree(FILES, "catalogue", "(builtin)"), tree(files));

test("a correct workspace has no problems", () => {
  expect(problems(tree(FILES))).toEqual([]);
});

describe("a workspace over the catalogue", () => {
  test("says only what differs of a connector", () => {
    expect(over({ "connectors/acme/connector.yaml": "connector: acme\nhttp: { limits: { all: { max: 5, every: 1s } } }\nstreams: { companies: { query: { region: \"{{config.region}}\" }, version: null } }\n" })).toEqual([]);
  });

  test("is told at its own file what it breaks", () => {
    expect(over({ "connectors/acme/connector.yaml": "connector: acme\nstreams:\n  companies:\n    key: null\n" })).toEqual(["connectors/acme/connector.yaml:3:3 error MANIFEST_MISSING_FIELD"]);
  });

  test("adds a connector, and is told what that one lacks", () => {
    expect(over({ "connectors/bolt/connector.yaml": "connector: bolt\nhttp: { base_url: https://bolt.example }\nstreams:\n  things: { get: /things }\n" })).toEqual([
      "connectors/bolt/connector.yaml:1:1 error MANIFEST_MISSING_FIELD", "connectors/bolt/connector.yaml:4:3 error MANIFEST_MISSING_FIELD",
    ]);
  });

  test("adds fields to an entity, and mappings may fill them", () => {
    expect(over({ "schemas/entities/company.schema.json": JSON.stringify({ $id: "company", properties: { sector: { type: "string" } } }), "mappings/acme/company.yaml": "mapping: acme/company\nfields: { sector: sector }\n" })).toEqual([]);
  });

  test("brings an entity of its own", () => {
    expect(over({ "schemas/entities/site.schema.json": JSON.stringify({ $id: "site", title: "Site", type: "object", properties: { name: { type: "string" } } }), "mappings/acme/site.yaml": "mapping: acme/site\nfrom: acme.companies\nto: site\nfields: { name: name }\n" })).toEqual([]);
  });

  test("a file that cannot be read as YAML is told once, not at everything that names it", () => {
    expect(problems(tree({ ...FILES, "connectors/acme/connector.yaml": "connector: acme\nhttp: { base_url: {{x}} }\n" }))).toEqual(["connectors/acme/connector.yaml:2:19 error MANIFEST_TRAP"]);
  });
});

describe("a tenant", () => {
  const tenant = (text: string) => problems(tree({ ...FILES, "tenants/globex.yaml": `tenant: globex\npreset: acme\n${text}` }));
  test.for([
    ["shorter schedule", "flows: { companies: { from: { every: 15m } } }"],
    ["a field of its own", "flows: { companies: { map: { fields: { custom.division: division } } } }"],
    ["a second connection and a flow that uses another", "connections: { acme_us: { connector: acme } }\nflows: { us: { use: companies, from: { connection: acme_us } } }"],
    ["a flow removed", "flows: { companies: null }"],
    ["a stream of its own", "connections: { acme: { streams: { sites: { key: id, get: /sites } } } }\nflows: { sites: { from: acme.sites, map: { fields: { name: name } }, to: company } }"],
    ["a part of a component", "connections: { acme: { streams: { companies: { pagination: { size: 50 } } } } }"],
  ])("may have %s", ([, text]) => {
    expect(tenant(`${text}\n`)).toEqual([]);
  });

  test.for([
    ["a preset that does not exist", "tenant: globex\npreset: acne\n", "2:9 error MANIFEST_UNKNOWN_REFERENCE"],
    ["a stream of no connection", "tenant: globex\npreset: acme\nflows: { x: { from: crm.companies, to: company } }\n", "3:21 error MANIFEST_UNKNOWN_REFERENCE"],
    ["no id", "title: Globex\n", "1:1 error MANIFEST_MISSING_FIELD"],
    ["http of a connector", "tenant: globex\npreset: acme\nconnections: { acme: { http: { base_url: x } } }\n", "3:24 error MANIFEST_UNKNOWN_FIELD"],
  ])("may not have %s", ([, text, expected]) => {
    expect(problems(tree({ ...FILES, "tenants/globex.yaml": text! }))).toEqual([`tenants/globex.yaml:${expected}`]);
  });
});

describe("no warning on what is right:", () => {
  const connector = (from: string, to: string) => problems(tree({ ...FILES, "connectors/acme/connector.yaml": CONNECTOR.replace(from, to) }));
  test.for([
    ["a basic password that the provider prescribes", "type: api_key, header: X-Key, value: \"{{config.api_key}}\"", "type: basic, username: \"{{config.api_key}}\", password: x"],
    ["an API key in a query parameter", "header: X-Key", "query: key"],
    ["a comment after an expression", "key: id", "key: id # the number"],
    ["a comment that begins with a dollar sign and a space", "key: id", "key: id #$ 5 a month"],
    ["a path in double quotes", "records: data", "records: \"data\""],
    ["a regular expression in an error rule", "streams:", "  errors: { gone: { when: 'body.message ~> /not found/i', do: ignore } }\nstreams:"],
    ["the answer in a rule's sentence", "streams:", "  errors: { bad: { when: status = 400, do: fail, say: \"=response.body.message\" } }\nstreams:"],
    ["page and config in until", "size: 100 }", "size: 100, until: body.total <= page.offset + page.size and $config.region = \"eu\" }"],
    ["a literal that starts with an equals sign", "query: { ", "query: { q: \"==open\", "],
    ["a header that only looks like a credential's", "  auth:", "  headers: { Authorization-Info: none }\n  auth:"],
    ["a whole map as an expression", "query: { offset: \"=page.offset\", since: \"{{cursor.from}}\" }", "query: '=$merge([{ \"offset\": page.offset }, cursor.from ? { \"since\": cursor.from }])'"],
    ["a repeated parameter", "query: { ", "query: { include: [a, b], "],
    ["a parameter named like a function call", "query: { ", "query: { \"filter[updated_at][gte]\": \"{{cursor.from}}\", "],
    ["a template in a parameter's name", "query: { ", "query: { \"{{config.region}}_since\": \"{{cursor.from}}\", "],
    ["blocks in a template", "since: \"{{cursor.from}}\"", "since: \"{{#if cursor.from}}gte|{{cursor.from}}{{/if}}\""],
    ["a limit that the headers tell", "streams:", "  limits: { all: { from_headers: { remaining: x-left, reset: x-reset } } }\nstreams:"],
    ["a constant date in its own quotes", "cursor: { field: updated_on }", "cursor: { field: updated_on, start: '\"2024-01-01\"' }"],
  ])("%s", ([, from, to]) => {
    expect(CONNECTOR).toContain(from);
    expect(connector(from!, to!)).toEqual([]);
  });

  test.for([
    ["a constant text", "country: '\"GB\"'"], ["a field with a short name", "country: GB"], ["a function in double quotes", "country: \"$uppercase(country)\""],
    ["a path in double quotes", "country: \"address.country\""], ["numbers and booleans", "custom.size: 5\n  custom.live: true"], ["JSONata's null", "custom.region: \"null\""],
    ["variables of the mapping", "country: $account.id & $config.region & $tenant.id"], ["functions of its own", "country: ($f := function($x) { $x & \"!\" }; $f(name))".replace(/^country: (.*)$/, "country: '$1'")],
    ["a block", "country: |\n    (\n      $c := country;\n      $c ? $uppercase($c)\n    )"], ["a reference", "custom.parent: { ref: company, key: parent_id }"],
  ])("%s in a mapping", ([, field]) => {
    expect(problems(tree({ ...FILES, "mappings/acme/company.yaml": `${MAPPING}  ${field}\n` }))).toEqual([]);
  });
});

describe("found though it parses:", () => {
  const connector = (from: string, to: string) => problems(tree({ ...FILES, "connectors/acme/connector.yaml": CONNECTOR.replace(from, to) }));
  test.for([
    ["a secret that an expression reads", "key: id", "key: $config.api_key", "11:10 error MANIFEST_UNKNOWN_VARIABLE"],
    ["a date that is a subtraction", "field: updated_on", "field: updated_on, start: 2024-01-01", "16:41 error MANIFEST_TRAP"],
    ["a variable without braces", "\"{{cursor.from}}\"", "cursor.from", "13:45 warning MANIFEST_TRAP"],
    ["a credential in a header", "  auth:", "  headers: { Authorization: \"Bearer abcdef123456\" }\n  auth:", "8:29 error MANIFEST_SECRET"],
    ["a decoder that does not run yet, by its name alone", "    records:", "    as: xml\n    records:", "14:5 error MANIFEST_NOT_RUNNING_YET"],
    ["a private key in a default", "default: eu", "default: \"-----BEGIN PRIVATE KEY-----\"", "5:37 error MANIFEST_SECRET"],
    ["a base_url without its scheme", "https://api.acme.example", "api.acme.example", "7:13 error MANIFEST_WRONG_VALUE"],
    ["an authenticator of no name", "    records:", "    auth: other\n    records:", "14:11 error MANIFEST_UNKNOWN_REFERENCE"],
    ["an API key that is sent nowhere", "header: X-Key, ", "", "8:9 error MANIFEST_ONE_OF"],
    ["a page member that is none", "page.offset", "page.ofset", "13:24 error MANIFEST_UNKNOWN_VARIABLE"],
    ["an error rule that sees the record", "    records:", "    errors: { x: { when: policyName = \"a\", do: fail } }\n    records:", "14:26 error MANIFEST_UNKNOWN_VARIABLE"],
  ])("%s", ([, from, to, expected]) => {
    expect(CONNECTOR).toContain(from);
    expect(connector(from!, to!)).toEqual([`connectors/acme/connector.yaml:${expected}`]);
  });
});

test("a credential in the wrong place is not repeated", () => {
  const said = validateWorkspace(read([tree({ ...FILES, "connectors/acme/connector.yaml": CONNECTOR.replace("{ title: API key, secret: true }", "ghp_abcdefghijklmnopqrstuvwxyz0123456789") })]));
  expect(said.map(({ code }) => code)).toEqual(["MANIFEST_SECRET", "MANIFEST_WRONG_TYPE"]);
  expect(JSON.stringify(said)).not.toContain("ghp_");
});

test("an input that the preset does not ask for, and a config field that the connector has not", () => {
  const preset = PRESET.replace("title: Acme", "title: Acme\ninputs: { country: { title: Country } }");
  const flows = (field: string) => preset.replace("map: acme/company", `map: { use: acme/company, fields: { country: ${field} } }`);
  expect(problems(tree({ ...FILES, "presets/acme/preset.yaml": flows("$inputs.country") }))).toEqual([]);
  expect(problems(tree({ ...FILES, "presets/acme/preset.yaml": flows("$inputs.contry") }))).toEqual(["presets/acme/preset.yaml:5:90 error MANIFEST_UNKNOWN_VARIABLE"]);
  expect(problems(tree({ ...FILES, "presets/acme/preset.yaml": preset, "tenants/globex.yaml": "tenant: globex\npreset: acme\nflows: { companies: { map: { fields: { country: $inputs.contry } } } }\n" }))).toEqual(["tenants/globex.yaml:3:49 error MANIFEST_UNKNOWN_VARIABLE"]);
  expect(problems(tree({ ...FILES, "mappings/acme/company.yaml": `${MAPPING}  country: $config.regoin\n` }))).toEqual(["mappings/acme/company.yaml:6:12 error MANIFEST_UNKNOWN_VARIABLE"]);
});

test("an entity's field has the words of JSON Schema, and no others", () => {
  const entity = (field: object) => problems(tree({ ...FILES, "schemas/entities/company.schema.json": ENTITY.replace('"properties":{', `"properties":{"extra":${JSON.stringify(field)},`) }));
  expect(entity({ type: "string", maxLength: 5, "x-label": "Extra" })).toEqual([]);
  expect(entity({ type: "string", maxLenght: 5 })[0]).toMatch(/error MANIFEST_UNKNOWN_FIELD$/);
  expect(entity({ type: "date" })[0]).toMatch(/error MANIFEST_WRONG_VALUE$/);
  expect(entity({ $ref: "#/$defs/none" })[0]).toMatch(/error MANIFEST_WRONG_VALUE$/);
});

test("a release, as it is cut, is valid", () => {
  const workspace = read([tree({ ...FILES, "mappings/acme/company.yaml": `${MAPPING}  country: '"GB"'\ntests: [{ name: one, given: { name: A }, expect: { name: A, country: GB } }]\n` })]);
  const { file, text } = cutRelease(workspace, "acme");
  expect(problems(tree({ ...FILES, [file]: text, "tenants/globex.yaml": "tenant: globex\npreset: acme@1\n" }))).toEqual([]);
});
