/** Everything that is wrong with a workspace, in the order of files and lines. Pure: needs no database and no network. */
import type { Problem } from "../errors/plugboard-error.ts";
import { sortProblems } from "../errors/render.ts";
import { checkEntities } from "./check-entities.ts";
import { checkExpressions } from "./check-expressions.ts";
import { checkReferences } from "./check-references.ts";
import { checkRunning } from "./check-running.ts";
import { checkSecrets } from "./check-secrets.ts";
import { checkShape, type Finding, type ShapeResult } from "./check-shape.ts";
import { checkTraps } from "./check-traps.ts";
import { lintExpressions } from "./lint-expressions.ts";
import { lintMappings } from "./lint-mappings.ts";
import { merged } from "./merged.ts";
import { checkRecordSchemas } from "./record-schema.ts";
import { schemaAt } from "./schema-shape.ts";
import type { Manifest, Workspace } from "./types.ts";

/** A manifest with what the walk over its schema found. */
export interface Checked { readonly manifest: Manifest; readonly shape: ShapeResult }

export function validateWorkspace(workspace: Workspace): Problem[] {
  const checked = everyManifest(workspace).map((manifest): Checked => ({ manifest, shape: checkManifest(manifest, workspace) }));
  const told = [
    ...workspace.problems,
    ...checked.flatMap(({ manifest, shape }) => shape.findings.map((finding) => problemOf(manifest, finding))),
    ...checked.flatMap((each) => [...checkExpressions(each, workspace), ...checkTraps(each, workspace), ...checkSecrets(each)]),
    ...checkReferences(workspace),
    ...checkEntities(workspace),
    ...checkRunning(checked, workspace),
    ...missingInOverlays(workspace),
    ...checkRecordSchemas(workspace),
  ];
  return sortProblems(withoutRepeats([...told, ...worthTelling([...lintMappings(workspace), ...lintExpressions(checked, workspace)], told)]));
}

/** What is no expression, or names what is not there, is told once; and a field is not missing where one is misspelt. */
function worthTelling(lints: readonly Problem[], told: readonly Problem[]): Problem[] {
  const errors = told.filter(({ severity }) => severity === "error");
  const wrong = new Set(errors.map(({ at, pointer }) => `${at?.file} ${pointer}`));
  const files = new Set(errors.map(({ at }) => at?.file));
  return lints.filter(({ code, at, pointer }) => (code === "LINT_REQUIRED_UNMAPPED" ? !files.has(at?.file) : !wrong.has(`${at?.file} ${pointer}`)));
}

export function everyManifest(workspace: Workspace): Manifest[] {
  return [
    ...[workspace.connectors, workspace.tests, workspace.mappings, workspace.entities, workspace.presets].flatMap((kind) => [...kind.values()].flat()),
    ...[...workspace.releases.values()].flatMap((releases) => [...releases.values()]),
    ...workspace.tenants.values(),
    ...(workspace.settings ? [workspace.settings] : []),
  ];
}

/** A workspace's file over a catalogue's of the same id is a layer: it says only what differs. */
export function isOverlay(manifest: Manifest, workspace: Workspace): boolean {
  const all = { connector: workspace.connectors, mapping: workspace.mappings, entity: workspace.entities, preset: workspace.presets }[manifest.kind as "connector"] as Workspace["connectors"] | undefined;
  return all !== undefined && (all.get(manifest.id)?.indexOf(manifest) ?? 0) > 0;
}

const shapes = { whole: new WeakMap<Manifest, ShapeResult>(), layer: new WeakMap<Manifest, ShapeResult>() };

/** Its shape alone, which depends on no other file: worked out once for a manifest that several workspaces have. */
function checkManifest(manifest: Manifest, workspace: Workspace): ShapeResult {
  const layer = manifest.kind === "tenant" || isOverlay(manifest, workspace);
  const known = shapes[layer ? "layer" : "whole"];
  const shape = known.get(manifest) ?? (manifest.kind === "tests" ? checkTestsFile(manifest) : checkShape(manifest.value, schemaAt(`${manifest.kind}.schema.json`), { layer }));
  known.set(manifest, shape);
  return shape;
}

function checkTestsFile(manifest: Manifest): ShapeResult {
  const result = checkShape(manifest.value.tests ?? [], schemaAt("tests.schema.json"));
  return { ...result, findings: result.findings.map((finding) => ({ ...finding, pointer: `/tests${finding.pointer}`, params: { ...finding.params, ...(typeof finding.params.where === "string" ? { where: finding.params.where.replace(/^(?=\[)/, "tests") } : {}) } })), sites: [], notRunning: [], secrets: [] };
}

/** What no layer says is missing: told at the topmost file. */
function missingInOverlays(workspace: Workspace): Problem[] {
  return [workspace.connectors, workspace.mappings, workspace.entities, workspace.presets].flatMap((kind) =>
    [...kind.values()].filter((layers) => layers.length > 1).flatMap((layers) => {
      const top = layers.at(-1)!;
      return checkShape(merged(layers), schemaAt(`${top.kind}.schema.json`)).findings
        .filter(({ code }) => code === "MANIFEST_MISSING_FIELD").map((finding) => problemOf(top, finding));
    }));
}

export function problemOf(manifest: Manifest, finding: Finding, severity: Problem["severity"] = "error"): Problem {
  return { code: finding.code, severity, params: finding.params, at: manifest.locate(finding.pointer, finding.part), pointer: finding.pointer };
}

function withoutRepeats(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ code, at, params }) => {
    const identity = JSON.stringify([code, at?.file, at?.line, at?.col, params]);
    return !seen.has(identity) && seen.add(identity);
  });
}
