import { expect, test } from "vitest";
import { checkConnection, type CheckRequest } from "../../../engine/run/check-connection.ts";
import { createMemoryBuckets } from "../../../engine/run/memory-buckets.ts";
import { createMemoryTokens } from "../../../engine/run/memory-tokens.ts";
import type { CheckPlan, ConnectorPlan } from "../../../engine/plan/types.ts";
import { testClock } from "../../support/clock.ts";
import { planOf, requestPlan } from "../../support/plan.ts";
import { providerDouble, type GivenAnswer } from "../../support/provider-double.ts";

const base = planOf({ config: { token: { title: "Token", secret: true }, method: { title: "Method" } }, auth: { named: { default: { type: "bearer", token: "{{config.token}}" } } } }).connectors["crm"]!;
const connector = (named: CheckPlan["named"], by?: string): ConnectorPlan => ({ ...base, check: { named, ...(by === undefined ? {} : { by }) } });
function check(plan: ConnectorPlan, answer: GivenAnswer, values: CheckRequest["values"] = { config: { token: "canary-token" } }) {
  const clock = testClock();
  const provider = providerDouble(() => answer);
  return { provider, result: checkConnection({ tenant: { id: "acme", title: "Acme" }, connection: "crm", connector: plan, values, signal: new AbortController().signal },
    { transport: provider, clock, buckets: createMemoryBuckets(() => clock.now()), token: createMemoryTokens(), log: () => {} }) };
}
const me = { default: { request: requestPlan({ path: "/me" }), account: "$string(portalId)", label: "uiDomain" } };

test("the account and its label come from the answer", async () => {
  const { result, provider } = check(connector(me), { json: { portalId: 62515, uiDomain: "app.example.com" } });
  expect(await result).toEqual({ accounts: [{ id: "62515", label: "app.example.com" }], account: { id: "62515", label: "app.example.com" }, requests: 1 });
  expect(provider.requests[0]).toMatchObject({ path: "/v1/me", headers: { authorization: "Bearer canary-token" } });
});

test("where a credential reaches several accounts, all are given and none is chosen", async () => {
  const plan = connector({ default: { request: requestPlan(), each: "$", account: "tenantId", label: "name" } });
  expect(await check(plan, { json: [{ tenantId: "a", name: "A" }, { tenantId: "b" }] }).result).toEqual({ accounts: [{ id: "a", label: "A" }, { id: "b" }], requests: 1 });
  expect(await check(plan, { json: [{ tenantId: "a" }, { tenantId: "b" }] }, { config: { token: "t-12" }, account: { id: "b" } }).result).toMatchObject({ account: { id: "b" } });
});

test("a connection is never silently pointed at another account", async () => {
  await expect(check(connector(me), { json: { portalId: 2 } }, { config: { token: "t-12" }, account: { id: "1" } }).result).rejects.toMatchObject({ code: "AUTH_ACCOUNT_CHANGED" });
});

test("`by` picks one of several checks; without `account` the connection is its own account", async () => {
  const plan = connector({ a: { request: requestPlan({ path: "/a" }) }, b: { request: requestPlan({ path: "/b" }) } }, "config.method");
  const { result, provider } = check(plan, { json: {} }, { config: { token: "t-12", method: "b" } });
  expect(await result).toEqual({ accounts: [], requests: 1 });
  expect(provider.requests[0]!.path).toBe("/v1/b");
  await expect(check(plan, { json: {} }, { config: { token: "t-12", method: "c" } }).result).rejects.toMatchObject({ code: "RUN_REQUEST" });
});

test("a refused credential says so, without the credential", async () => {
  const failure: unknown = await check(connector(me), { status: 401, json: { message: "canary-token is wrong" } }).result.catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: "AUTH_REFUSED" });
  expect((failure as Error).message).not.toContain("canary-token");
});

test("an answer without an account is no account", async () => {
  await expect(check(connector({ default: { ...me.default, account: "portalId" } }), { json: {} }).result).rejects.toMatchObject({ code: "RUN_SHAPE" });
});

test("a connector without a check has nothing to prove", async () => {
  const { check: _check, ...without } = connector(me);
  const { result, provider } = check(without, { json: {} });
  expect(await result).toEqual({ accounts: [], requests: 0 });
  expect(provider.requests).toHaveLength(0);
});
