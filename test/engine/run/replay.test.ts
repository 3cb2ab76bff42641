import { expect, test } from "vitest";
import { runConnectorTest, type ConnectorTest } from "../../../engine/run/replay.ts";
import { planOf, requestPlan } from "../../support/plan.ts";

const connector = {
  ...planOf({
    config: { token: { title: "API token", secret: true } },
    auth: { named: { default: { type: "bearer", token: "{{config.token}}" } } },
    request: { query: { page: "=page.number", since: "{{cursor.from}}" } }, pagination: { type: "page" },
    stream: { cursor: { type: "datetime", field: "updated_at", lag: "1m" } },
  }).connectors["crm"]!,
  check: { named: { default: { request: requestPlan({ path: "/me" }), account: "$string(id)", label: "name" } } },
};
const files: Record<string, string> = {
  "exchanges/page-1.http": `GET /v1/people?page=1 HTTP/1.1
host: api.example.com
authorization: Bearer test-token

HTTP/1.1 200 OK
date: Sun, 01 Mar 2026 09:00:00 GMT
content-type: application/json

{ "items": [{ "id": 1, "updated_at": "2026-02-01T00:00:00Z" }, { "id": 2 }] }
`,
  "exchanges/page-2.http": `GET /v1/people?page=2 HTTP/1.1

HTTP/1.1 200 OK

{ "items": [] }
`,
  "exchanges/since.http": `GET https://api.example.com/v1/people?page=1&since=2026-02-28T12:00:00Z

HTTP/1.1 200 OK

{ "items": [] }`,
  "exchanges/me.http": "GET /v1/me\n\nHTTP/1.1 200 OK\n\n{ \"id\": 62515, \"name\": \"Acme\" }\n",
  "exchanges/refused.http": "GET /v1/people?page=1\n\nHTTP/1.1 401 Unauthorized\n\n{ \"error\": \"bad token\" }\n",
  "exchanges/broken.http": "GET /v1/people?page=1\nnot a header\n\nHTTP/1.1 200 OK\n\n{}\n",
};
const run = (given: Partial<ConnectorTest>) => runConnectorTest({ name: "a test", stream: "people", config: { token: "test-token" }, exchanges: [], ...given }, { connector, read: (path) => files[path] });

test("a stream is read from recorded exchanges, and its records, requests and checkpoint are compared", async () => {
  const given = { exchanges: ["exchanges/page-1.http", "exchanges/page-2.http"], expect: { records: 2, keys: ["1", "2"], requests: 2, pages: 2, checkpoint: { from: "2026-03-01T08:59:00Z" } } };
  expect(await run(given)).toEqual({ passed: true, failures: [], requests: 2, records: 2 });
  const wrong = await run({ ...given, expect: { records: 3, keys: ["2", "1"], requests: 1, checkpoint: { from: "2026-03-01T09:00:00Z" } } });
  expect(wrong.failures).toHaveLength(4);
});

test("a checkpoint makes it incremental", async () => {
  expect(await run({ checkpoint: { from: "2026-02-28T12:00:00Z" }, exchanges: ["exchanges/since.http"], expect: { records: 0, requests: 1 } })).toMatchObject({ passed: true });
});

test("a request that nobody recorded fails the test and says what differs", async () => {
  const { passed, failures } = await run({ exchanges: ["exchanges/page-2.http"], expect: { records: 0 } });
  expect(passed).toBe(false);
  expect(failures[0]).toContain("query page=1, recorded 2");
});

test("another credential than the recorded one is noticed, without being shown", async () => {
  const { failures } = await run({ config: { token: "another-token" }, exchanges: ["exchanges/page-1.http"] });
  expect(failures[0]).toContain("header authorization");
  expect(failures.join()).not.toContain("another-token");
});

test("a recorded exchange that is never asked for fails the test", async () => {
  const { failures } = await run({ exchanges: ["exchanges/page-1.http", "exchanges/page-2.http", "exchanges/me.http"] });
  expect(failures).toEqual([expect.stringContaining("exchanges/me.http")]);
});

test("a check gives the account", async () => {
  expect(await run({ check: true, exchanges: ["exchanges/me.http"], expect: { account: { id: "62515", label: "Acme" }, requests: 1 } })).toMatchObject({ passed: true });
});

test("an expected error is compared by its code", async () => {
  expect(await run({ exchanges: ["exchanges/refused.http"], error: { code: "AUTH_REFUSED" } })).toMatchObject({ passed: true });
  expect(await run({ exchanges: ["exchanges/refused.http"], error: { code: "RUN_SHAPE" } })).toMatchObject({ passed: false });
});

test("a file that is no exchange is refused with its line", async () => {
  await expect(run({ exchanges: ["exchanges/broken.http"] })).rejects.toMatchObject({ code: "MANIFEST_UNREADABLE", at: { file: "exchanges/broken.http", line: 2 } });
  await expect(run({ exchanges: ["exchanges/none.http"] })).rejects.toMatchObject({ code: "MANIFEST_UNREADABLE" });
});
