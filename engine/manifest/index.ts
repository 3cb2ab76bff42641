/** The one door to manifests: read trees of files, and say everything that is wrong with them. */
export { read } from "./read.ts";
export { validateWorkspace } from "./validate.ts";
export { runMappingTests, withTests, type MappingTestResult } from "./mapping-tests.ts";
export type { Json, JsonObject, Layer, Manifest, ManifestKind, SourceTree, Workspace } from "./types.ts";
