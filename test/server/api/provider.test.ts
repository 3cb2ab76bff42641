import { describe, expect, test } from "vitest";
import type { TenantPlan } from "../../../engine/plan/types.ts";
import { connectionOf, flowsToSync } from "../../../server/api/provider.ts";

const connection = (connector: string, enabled = true) => ({ connector, enabled, labels: {}, config: {}, locks: [] });
const flow = (name: string, on: string, entity: string, enabled = true) => ({ name, enabled, connection: on, connector: "hubspot", stream: "s", to: { entity }, select: [], labels: {}, caps: {}, quarantine: { share: 0.1, count: 1000 } });
const plan = {
  connections: { hubspot: connection("hubspot"), hubspot_us: connection("hubspot"), lms: connection("aptem"), off: connection("sftp", false), own: connection("greenhouse/own") },
  connectors: { "greenhouse/own": { id: "greenhouse" } },
  flows: { employers: flow("employers", "hubspot", "employer"), contacts: flow("contacts", "hubspot", "contact", false), learners: flow("learners", "lms", "learner"), files: flow("files", "off", "file") },
} as unknown as TenantPlan;

const codeOf = (work: () => unknown): string => {
  try { work(); } catch (thrown) { return (thrown as { code: string }).code; }
  return "none";
};

describe("a provider in a path", () => {
  test("is a connection's name", () => expect(connectionOf(plan, "hubspot_us")).toBe("hubspot_us"));
  test("is a connector that one connection uses", () => expect(connectionOf(plan, "aptem")).toBe("lms"));
  test("is a connector that one connection lays something over", () => expect(connectionOf(plan, "greenhouse")).toBe("own"));
  test("that fits two connections is ambiguous, and names them", () => {
    expect(() => connectionOf(plan, "hubspot")).toThrow("hubspot, hubspot_us");
    expect(codeOf(() => connectionOf(plan, "hubspot"))).toBe("SERVER_AMBIGUOUS");
  });
  test("that fits two is settled by ?connection=", () => expect(connectionOf(plan, "hubspot", "hubspot")).toBe("hubspot"));
  test("does not reach a connection of another connector", () => expect(codeOf(() => connectionOf(plan, "hubspot", "lms"))).toBe("SERVER_NOT_FOUND"));
  test("that nobody has is not found, with the nearest name", () => {
    expect(codeOf(() => connectionOf(plan, "hubspott"))).toBe("SERVER_NOT_FOUND");
    expect((() => { try { connectionOf(plan, "hubspott_us"); } catch (thrown) { return (thrown as { hint: string }).hint; } })()).toContain("'hubspot_us'");
  });
});

describe("the flows of a sync", () => {
  test("are the enabled ones", () => expect(flowsToSync(plan, "hubspot", undefined).map(({ name }) => name)).toEqual(["employers"]));
  test("are those that write the entities asked for", () => expect(flowsToSync(plan, "lms", ["learner"]).map(({ name }) => name)).toEqual(["learners"]));
  test("never include an entity that no flow writes", () => expect(codeOf(() => flowsToSync(plan, "lms", ["learners"]))).toBe("SERVER_BAD_REQUEST"));
  test("do not exist where everything asked for is disabled", () => {
    expect(codeOf(() => flowsToSync(plan, "hubspot", ["contact"]))).toBe("SERVER_NOTHING_TO_SYNC");
    expect(codeOf(() => flowsToSync(plan, "off", undefined))).toBe("SERVER_NOTHING_TO_SYNC");
  });
});
