/** The plan: layers merged into one tenant's configuration, explained, compared and frozen. Pure. */
export { resolveAll, resolvePlan, type Resolved } from "./resolve.ts";
export { DURATION_FORM, parseDuration } from "./duration.ts";
export type * from "./types.ts";
