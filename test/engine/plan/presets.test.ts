import { expect, test } from "vitest";
import { validateWorkspace } from "../../../engine/manifest/index.ts";
import { cutRelease, diffPresets, listPresets, notTold, resolveAll } from "../../../engine/plan/index.ts";
import { catalogue, trainingPlatform } from "../../support/training-platform.ts";

const first = cutRelease(trainingPlatform({}), "aptem");
const faster = { "presets/aptem/preset.yaml": catalogue["presets/aptem/preset.yaml"]!.replace("every: 1h", "every: 5m") };
const second = cutRelease(trainingPlatform({ [first.file]: first.text }, faster), "aptem");
const releases = { [first.file]: first.text, [second.file]: second.text };

test("presets are listed with their releases and who is on which", () => {
  const tenants = { "tenants/a.yaml": "tenant: a\npreset: aptem@1\n", "tenants/b.yaml": "tenant: b\npreset: aptem\n", "tenants/c.yaml": "tenant: c\npreset: bud\n" };
  expect(listPresets(trainingPlatform({ ...releases, ...tenants }))).toEqual([
    { id: "aptem", title: "Aptem", recommended: false, releases: [1, 2], tenants: [{ id: "a", release: 1 }, { id: "b", release: 2 }] },
    { id: "aptem-hubspot", title: "Aptem + HubSpot", recommended: true, releases: [], tenants: [] },
    { id: "bud", title: "Bud", recommended: false, releases: [], tenants: [{ id: "c", release: "head" }] },
  ]);
});

test("two releases are compared, and a release with the head", () => {
  const workspace = trainingPlatform(releases);
  expect(diffPresets(workspace, "aptem@1", "aptem@2").filter(({ kind }) => kind !== "preset")).toMatchObject([
    { kind: "schedule", path: "flows.learners.schedule", before: { every_seconds: 3600 }, after: { every_seconds: 300 }, from: { file: first.file }, to: { file: second.file } },
  ]);
  expect(diffPresets(workspace, "aptem@1", "aptem").map(({ kind, after }) => [kind, after])).toEqual([["preset", "aptem@head"]]);
});

test.each(["aptem@9", "aptm"])("%s does not exist, and the nearest is named", (pin) => {
  expect(() => diffPresets(trainingPlatform(releases), pin, "aptem")).toThrow(expect.objectContaining({ code: "MANIFEST_UNKNOWN_REFERENCE", hint: expect.stringContaining("aptem") }));
});

test("what is released is a valid manifest, and so is everything these tests stand on", () => {
  const workspace = trainingPlatform({ ...releases, "tenants/acme.yaml": "tenant: acme\npreset: aptem@2\n" });
  expect(validateWorkspace(workspace).filter(({ severity }) => severity === "error")).toEqual([]);
  expect(resolveAll(workspace).problems).toEqual([]);
});

test("a mistake that the checks of a single file found is not told again by the plan", () => {
  const workspace = trainingPlatform({ "tenants/acme.yaml": "tenant: acme\npreset: aptem\nflows: { a: { from: aptem.user, to: learner }, b: { use: b } }\n" });
  const told = validateWorkspace(workspace);
  const more = notTold(resolveAll(workspace).problems, told);
  expect(told.map(({ code }) => code)).toContain("MANIFEST_UNKNOWN_REFERENCE");
  expect(more.map(({ code }) => code)).toEqual(["PLAN_CYCLE"]);
});

test("an override that hides what a newer release changes is told, at its place; others are not", () => {
  const changed = { ...faster, "mappings/aptem/learner.yaml": catalogue["mappings/aptem/learner.yaml"]!.replace("FullName", "DisplayName") };
  const third = cutRelease(trainingPlatform(releases, changed), "aptem");
  const told = (preset: string) => resolveAll(trainingPlatform({ ...releases, [third.file]: third.text, "tenants/acme.yaml": `tenant: acme\npreset: ${preset}\nflows:\n  learners: { from: { every: 15m, sweep: 1d }, map: { fields: { full_name: Name, programme: Course } } }\n` })).problems;
  expect(told("aptem@1").map(({ code, severity, params, at }) => [code, severity, params["path"], params["pinned"], params["newest"], params["release"], at?.col])).toEqual([
    ["PLAN_SHADOWS_NEWER", "warning", "flows.learners.from.every", '"1h"', '"5m"', 3, 30],
    ["PLAN_SHADOWS_NEWER", "warning", "flows.learners.map.fields.full_name", '"FullName"', '"DisplayName"', 3, 76],
  ]);
  expect(told("aptem@3")).toEqual([]);
  expect(told("aptem")).toEqual([]);
});
