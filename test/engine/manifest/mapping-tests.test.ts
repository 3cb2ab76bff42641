import { expect, test } from "vitest";
import { read, runMappingTests } from "../../../engine/manifest/index.ts";

const ENTITY = JSON.stringify({ $id: "company", type: "object", required: ["name"], additionalProperties: false, properties: { name: { type: "string" }, size: { type: "integer" }, owner: { type: "string" }, custom: { type: "object" } } });
const run = async (fields: string, tests: string) => {
  const mapping = `mapping: acme/company\nfrom: acme.companies\nto: company\nwhere: name\nfields:\n  name: name\n${fields}tests:\n${tests}`;
  return (await runMappingTests(read([{ layer: "workspace", label: "", files: new Map([["schemas/entities/company.schema.json", ENTITY], ["mappings/acme/company.yaml", mapping]]) }])))
    .map(({ name, passed, problem }) => `${name}: ${passed ? "passed" : `${problem?.at?.line}:${problem?.at?.col} ${String(problem?.params.detail)}`}`);
};

test("a test passes when exactly the expected fields come out", async () => {
  expect(await run("  size: employees\n  owner: { ref: user, key: owner_id }\n  custom.live: true\n", `  - { name: all, given: { name: Acme, employees: 5, owner_id: 7 }, expect: { name: Acme, size: 5, owner: "7", custom: { live: true } } }
  - { name: dropped, given: { employees: 5 }, filtered: true }
  - { name: refused, given: { name: Acme, employees: 1.5 }, error: { code: MAPPING_INVALID, at: fields.size } }
`)).toEqual(["all: passed", "dropped: passed", "refused: passed"]);
});

test("a test fails at its line, and says every field that differs", async () => {
  expect(await run("  size: employees\n", `  - { name: other, given: { name: Acme, employees: 5 }, expect: { name: Bolt, owner: x } }
  - { name: kept, given: { name: Acme }, filtered: true }
  - { name: gone, given: {}, expect: {} }
  - { name: not refused, given: { name: Acme }, error: { code: MAPPING_EVALUATION } }
  - { name: invalid, given: { name: Acme, employees: "5" }, expect: { name: Acme, size: 5 } }
`)).toEqual([
    'other: 9:57 name: expected "Bolt", got "Acme"; owner: expected "x", got nothing; size: expected nothing, got 5',
    "kept: 10:42 `where` should drop the record, but it was mapped",
    "gone: 11:5 the record was dropped by `where`",
    "not refused: 12:49 it should be refused with MAPPING_EVALUATION, but it was mapped",
    "invalid: 13:5 not a valid company: size must be integer",
  ]);
});

test("an expression that fails names its field, and variables are what the test gives", async () => {
  expect(await run("  size: $number(employees)\n  owner: $inputs.owner\n", `  - { name: fails, given: { name: Acme, employees: many }, error: { code: MAPPING_EVALUATION, at: fields.size } }
  - { name: given, given: { name: Acme }, with: { inputs: { owner: ann } }, expect: { name: Acme, owner: ann } }
`)).toEqual(["fails: passed", "given: passed"]);
});

test("tests of the catalogue are of the catalogue's mapping, a workspace's of what it makes of it", async () => {
  const below = "mapping: acme/company\nfrom: acme.companies\nto: company\nfields: { name: name }\ntests: [{ name: below, given: { name: Acme, title: T }, expect: { name: Acme } }]\n";
  const above = "mapping: acme/company\nfields: { name: title }\ntests: [{ name: above, given: { name: Acme, title: T }, expect: { name: T } }]\n";
  const tree = (layer: "catalogue" | "workspace", text: string) => ({ layer, label: layer, files: new Map([["schemas/entities/company.schema.json", ENTITY], ["mappings/acme/company.yaml", text]]) });
  expect((await runMappingTests(read([tree("catalogue", below), tree("workspace", above)]))).map(({ name, passed }) => [name, passed])).toEqual([["below", true], ["above", true]]);
});

test("a mapping to an action: its input is checked, a template is rendered, references are given as what they mean", async () => {
  const files = (html: string, expect: string) => new Map([
    ["connectors/mail/connector.yaml", "connector: mail\ntitle: Mail\nhttp: { base_url: https://api.mail.example }\nactions:\n  send: { input: { to: { type: string }, html: { type: string } }, post: /mails, json: =input, once: false }\n"],
    ["schemas/entities/interview.schema.json", '{ "$id": "interview", "title": "Interview", "type": "object", "properties": { "candidate": { "type": "string" } } }'],
    ["mappings/mail/invite.html.hbs", html],
    ["mappings/mail/invite.yaml", `mapping: mail/invite\nfrom: interview\nto: mail.send\nfields:\n  to: candidate.email\n  html: { template: invite.html.hbs }\ntests:\n  - name: an invitation\n    given: { candidate: { email: a@b.c, name: A & B } }\n    with: { link: L, tenant: { title: Acme } }\n    expect: ${expect}\n`],
  ]);
  const run = async (html: string, expected: string) => (await runMappingTests(read([{ layer: "workspace", label: "", files: files(html, expected) }]))).map(({ passed, problem }) => (passed ? "passed" : `${problem!.at!.line}: ${String(problem!.params.detail)}`));
  expect(await run("{{candidate.name}} {{link}} {{tenant.title}}", "{ to: a@b.c, html: A &amp; B L Acme }")).toEqual(["passed"]);
  expect(await run("{{candidate.name}}", "{ to: a@b.c, html: A & B }")).toEqual(['11: html: expected "A & B", got "A &amp; B"']);
  expect(await run("{{candidate.email.x.y}}", "{ to: a@b.c }")).toEqual(["passed"]);
});
