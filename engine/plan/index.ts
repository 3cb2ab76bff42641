/** The plan: layers merged into one tenant's configuration, explained, compared and frozen. Pure. */
export { resolveAll, resolvePlan, type Resolved, type ResolvedWorkspace } from "./resolve.ts";
export { explain, type Explained } from "./explain.ts";
export { originOfPointer } from "./plan-pointers.ts";
export { diffPlans, type ChangeKind, type PlanChange } from "./diff.ts";
export { highestRisk, risks, type Risk } from "./diff-risk.ts";
export { diffTenants, textOfChanges, type RatedChange, type TenantChange } from "./diff-tenants.ts";
export { cutRelease, type Release } from "./release.ts";
export { diffPresets, listPresets, ONLY_PRESET, planOfPreset, workspaceOfPreset, type PresetSummary } from "./presets.ts";
export { effectiveValues, overrideEdits, type EffectiveValue, type OverrideChange, type OverrideEdit } from "./overrides.ts";
export { planMove, type MoveConflict, type MovePlan } from "./move.ts";
export { exportTemplate, importTemplate, type Template, type TemplateConflict } from "./template.ts";
export { notTold } from "./problems.ts";
export { describeConnector, hostFields, listAppFeeds, listCatalogue, type CatalogueConnector } from "./catalogue.ts";
export { saveAction, savesOf, type SaveActions } from "./saves.ts";
export { DURATION_FORM, parseDuration } from "./duration.ts";
export type * from "./types.ts";
