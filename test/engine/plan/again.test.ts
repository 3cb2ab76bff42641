/** A second planning takes over what says the same as before, and never shows it: it is what planning from nothing gives. */
import { expect, test } from "vitest";
import { read, validateWorkspace, type SourceTree, type Workspace } from "../../../engine/manifest/index.ts";
import { resolveAll, type ResolvedWorkspace } from "../../../engine/plan/index.ts";
import { catalogue } from "../../support/training-platform.ts";

const tenant = (id: string, more = "") => `tenant: ${id}\ntitle: ${id}\nsubdomain: ${id}\npreset: aptem-hubspot\nconnections: { aptem: { config: { tenant_host: ${id} } } }\n${more}`;
const OWN = { "workspace.yaml": "name: Test\n", "tenants/acme.yaml": tenant("acme"), "tenants/bolt.yaml": tenant("bolt"), "tenants/cult.yaml": tenant("cult") };
const treesOf = (own: Readonly<Record<string, string>>, shared: Readonly<Record<string, string>> = catalogue): SourceTree[] => [
  { layer: "catalogue", label: "", files: new Map(Object.entries(shared)) }, { layer: "workspace", label: "", files: new Map(Object.entries(own)) },
];
const again = (trees: SourceTree[], before: readonly ResolvedWorkspace[]): { workspace: Workspace; made: ReturnType<typeof resolveAll> } => {
  const workspace = read(trees, before.map((each) => each.workspace));
  return { workspace, made: resolveAll(workspace, before) };
};
/** Plans, and everything that is told, to the letter. */
const said = ({ workspace, made }: ReturnType<typeof again>): string => JSON.stringify([[...made.plans], made.problems, workspace.problems, validateWorkspace(workspace)]);

const first = again(treesOf(OWN), []).made.resolved;
const sameAs = ({ made }: ReturnType<typeof again>): string[] => [...made.plans].filter(([id, plan]) => plan === first.tenants.get(id)?.plan).map(([id]) => id);

test("of an edit in one tenant's file, everybody else keeps the very plan they had", () => {
  const edited = treesOf({ ...OWN, "tenants/bolt.yaml": tenant("bolt", "flows: { learners: { from: { every: 5m } } }\n") });
  const found = again(edited, [first]);
  expect(sameAs(found)).toEqual(["acme", "cult"]);
  expect(found.made.plans.get("bolt")!.flows["learners"]!.schedule).toEqual({ every_seconds: 300 });
  expect(said(found)).toBe(said(again(edited, [])));
});

const { "tenants/cult.yaml": _, ...two } = OWN;
test.each([
  ["one more tenant", treesOf({ ...OWN, "tenants/dusk.yaml": tenant("dusk") }), ["acme", "bolt", "cult"]],
  ["one tenant less", treesOf(two), ["acme", "bolt"]],
  ["a mistake in a tenant", treesOf({ ...OWN, "tenants/bolt.yaml": tenant("bolt", "flows: { learners: { map: { fields: { full_name: $nope() } } } }\n") }), ["acme", "cult"]],
  ["a tenant that is no YAML", treesOf({ ...OWN, "tenants/bolt.yaml": "tenant: [" }), []],
  ["a subdomain that is another's now", treesOf({ ...OWN, "tenants/bolt.yaml": tenant("bolt").replace("subdomain: bolt", "subdomain: cult") }), ["acme", "cult"]],
  ["a preset", treesOf(OWN, { ...catalogue, "presets/aptem-hubspot/preset.yaml": catalogue["presets/aptem-hubspot/preset.yaml"]!.replace("every: 1h", "every: 2h") }), []],
  ["a preset, by the workspace's own layer", treesOf({ ...OWN, "presets/aptem-hubspot/preset.yaml": "preset: aptem-hubspot\nlabels: { more: x }\n" }), []],
  ["a connector", treesOf(OWN, { ...catalogue, "connectors/aptem/connector.yaml": catalogue["connectors/aptem/connector.yaml"]!.replace("max: 100", "max: 50") }), []],
  ["a mapping", treesOf(OWN, { ...catalogue, "mappings/aptem/learner.yaml": `${catalogue["mappings/aptem/learner.yaml"]!}# read again\n` }), []],
  ["a file beside a connector", treesOf(OWN, { ...catalogue, "connectors/aptem/notes.md": "new" }), []],
  ["settings", treesOf({ ...OWN, "workspace.yaml": "name: Another\n" }), []],
] as const)("%s: what is told and planned is what it is from nothing", (_name, trees, kept) => {
  const found = again([...trees], [first]);
  expect(sameAs(found)).toEqual(kept);
  expect(said(found)).toBe(said(again([...trees], [])));
});

test("between two states that differ in what tenants share, each finds its own again", () => {
  const other = treesOf({ ...OWN, "workspace.yaml": "name: Another\n" });
  const second = again(other, [first]).made.resolved;
  expect(sameAs(again(treesOf(OWN), [second, first]))).toEqual(["acme", "bolt", "cult"]);
});
