import { expect, test } from "vitest";
import { resolvePlan } from "../../../engine/plan/index.ts";
import { workspaceOf } from "../../support/workspace-of.ts";

const connectorOf = (text: string, more: Record<string, string> = {}) => {
  const { plan, problems } = resolvePlan(workspaceOf({ workspace: { "connectors/c/connector.yaml": `connector: c\ntitle: C\n${text}`, "tenants/t.yaml": "tenant: t\nconnections: { c: { connector: c } }\n", ...more } }), "t");
  return { connector: plan.connectors["c"]!, problems };
};

test.each([
  ["the literal host of base_url", "http: { base_url: https://API.example.com/v1 }", ["api.example.com"]],
  ["with its port, where one is written", "http: { base_url: \"http://127.0.0.1:8443/v1\" }", ["127.0.0.1:8443"]],
  ["a template in its path leaves the host literal", "http: { base_url: \"https://api.example.com/{{account.id}}\" }", ["api.example.com"]],
  ["a token URL written in full adds its own", "http: { base_url: https://api.example.com, auth: { type: oauth2_client_credentials, authorize_url: https://login.example.com, token_url: https://auth.example.com/token } }", ["api.example.com", "auth.example.com"]],
  ["a login on base_url adds none, a full one does, each once", "http: { base_url: https://api.example.com, auth: { by: config.m, a: { type: session, login: { post: /login } }, b: { type: session, login: { post: https://sso.example.com/in } }, c: { type: session, login: { method: POST, path: https://sso.example.com/2 } } } }", ["api.example.com", "sso.example.com"]],
  ["hosts as written, and nothing else", "http: { base_url: \"https://{{config.host}}\", hosts: [\"*.example.com\", other.example], auth: { type: oauth2_client_credentials, token_url: https://auth.example.com } }", ["*.example.com", "other.example"]],
])("where the credential may go: %s", (_, http, hosts) => {
  const { connector, problems } = connectorOf(http);
  expect(problems).toEqual([]);
  expect(connector.http!.hosts).toEqual(hosts);
});

test("a host that is a template needs hosts", () => {
  expect(connectorOf("http:\n  base_url: https://{{config.host}}.example.com\n").problems).toMatchObject([{ code: "MANIFEST_HOSTS", at: { file: "connectors/c/connector.yaml", line: 4, col: 13 } }]);
});

test("durations and sizes become seconds and bytes; a wrong one is told at its place", () => {
  const { connector, problems } = connectorOf("http:\n  base_url: https://a.example\n  max_body: 50MB\n  timeouts: { connect: 10s, idle: 500ms, total: 2m }\n  limits: { all: { max: 5, every: 1h }, one: { per: app, at_once: 2 }, bad: { max: 1, every: 1x } }\n");
  expect(connector.http).toMatchObject({ max_body_bytes: 50_000_000, timeouts: { connect: 10, idle: 0.5, total: 120 }, limits: { all: { per: "account", max: 5, every_seconds: 3600 }, one: { per: "app", at_once: 2 } } });
  expect(problems).toMatchObject([{ code: "MANIFEST_WRONG_VALUE", params: { field: "connectors.c.http.limits.bad.every", actual: '"1x"' }, at: { line: 7, col: 94 } }]);
});

test("a request keeps its templates, loses the = of keys that are always expressions, and names its body", () => {
  const { connector } = connectorOf(`http: { base_url: https://a.example }
streams:
  s:
    key: [=id, sub.id]
    put: /x/{{with.y}}
    query: "=$merge([{ 'a': 1 }])"
    headers: { Accept: text/csv }
    form: { a: "=page.number", b: "{{config.b}}" }
    as: csv
    auth: none
    empty: "=status = 204"
    errors: { odd: { when: status = 418, do: wait, until: $next_day(), say: Later. } }
    one: { get: "/x/{{key}}", records: data, gone: status = 410 }
    changes: { get: /changed, query: { since: "{{cursor.from}}" } }
    version: =rev
    types: { at: ms_date }
    cursor: { field: at, start: config.start, window: 14d }
`);
  expect(connector.streams["s"]).toEqual({
    with: {}, key: ["id", "sub.id"], version: "rev", types: { at: "ms_date" },
    errors: { odd: { when: "status = 418", do: "wait", until: "$next_day()", say: "Later." } },
    list: { records: "$", request: { method: "PUT", path: "/x/{{with.y}}", query: "=$merge([{ 'a': 1 }])", headers: { Accept: "text/csv" }, body: { encoding: "form", value: { a: "=page.number", b: "{{config.b}}" } }, as: { type: "csv" }, auth: "none", empty: "status = 204", errors: {} } },
    changes: { records: "$", request: { method: "GET", path: "/changed", query: { since: "{{cursor.from}}" }, errors: {} } },
    one: { request: { method: "GET", path: "/x/{{key}}", errors: {} }, records: "data", gone: "status = 410" },
    cursor: { type: "datetime", field: "at", start: "config.start", window: { size: "14d", from: "config.start" } },
  });
});

test("one check or several by name, one authenticator or several", () => {
  const single = connectorOf("http: { base_url: https://a.example, auth: { type: basic, username: u } }\ncheck: { get: /me, account: $string(id), label: name }\n").connector;
  expect(single.http!.auth).toEqual({ named: { default: { type: "basic", username: "u" } } });
  expect(single.check).toEqual({ named: { default: { request: { method: "GET", path: "/me", errors: {} }, account: "$string(id)", label: "name" } } });
  const several = connectorOf("http: { base_url: https://a.example, auth: { by: config.m, a: { type: bearer, token: t }, b: { type: basic, username: u } } }\ncheck: { by: config.m, a: { get: /me }, b: { post: /who, each: $ } }\n").connector;
  expect(several.http!.auth).toEqual({ by: "config.m", named: { a: { type: "bearer", token: "t" }, b: { type: "basic", username: "u" } } });
  expect(several.check).toEqual({ by: "config.m", named: { a: { request: { method: "GET", path: "/me", errors: {} } }, b: { request: { method: "POST", path: "/who", errors: {} }, each: "$" } } });
});

test("a connector that is only pushed to has no http", () => {
  expect(connectorOf("streams: { s: { key: id } }\n").connector).toMatchObject({ streams: { s: { key: ["id"] } } });
  expect(connectorOf("streams: { s: { key: id } }\n").connector).not.toHaveProperty("http");
});

test("a stream without a key, a door without a path: told where they stand", () => {
  expect(connectorOf("http: { base_url: https://a.example }\nstreams:\n  s:\n    query: { a: 1 }\n").problems.map(({ code, params }) => [code, params["field"]])).toEqual([["MANIFEST_MISSING_FIELD", "key"], ["MANIFEST_MISSING_FIELD", "get"]]);
});
