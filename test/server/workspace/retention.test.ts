/** `retention` of workspace.yaml: what it may say, and what workers make of it. */
import { expect, test } from "vitest";
import { validateWorkspace } from "../../../engine/manifest/index.ts";
import { read } from "../../../engine/manifest/read.ts";
import { retention } from "../../../server/workspace/locate.ts";

const workspace = (said: string) => read([{ layer: "workspace", label: "", files: new Map([["workspace.yaml", `name: Test\n${said}`]]) }]);
const problems = (said: string) => validateWorkspace(workspace(said)).map(({ code, at }) => `${at?.line}:${at?.col} ${code}`);

test("is told in days or weeks, each by itself", () => {
  expect(["", "retention: { events: 90d, deliveries: 2w }\n", "retention: { deliveries: 1d }\n"].map((said) => [problems(said), retention(workspace(said))])).toEqual([[[], {}], [[], { events: 90, deliveries: 14 }], [[], { deliveries: 1 }]]);
});

test("is no shorter than an event's id must be known, and no number without its unit", () => {
  expect(problems("retention: { events: 6d, deliveries: 30 }\n")).toEqual(["2:22 MANIFEST_WRONG_VALUE", "2:38 MANIFEST_WRONG_TYPE"]);
  expect(problems("retention: { event: 30d }\n")).toEqual(["2:14 MANIFEST_UNKNOWN_FIELD"]);
});
