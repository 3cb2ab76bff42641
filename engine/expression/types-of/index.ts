/**
 * What an expression gives, before there is data: its type from the schema of its source (and records that were seen), and lints,
 * with the same codes everywhere. A lint that fires on a correct mapping is a bug.
 */
export type { Alternative, ArrayType, NumberType, ObjectType, StringType, Type } from "./type.ts";
export { alternativesOf, describe, UNKNOWN } from "./type.ts";
export { typeOfSchema, type Schema } from "./from-schema.ts";
export { typeOfExcerpts, typeOfSamples, withExcerpts, withSamples } from "./from-samples.ts";
export { inferTree, inferType, neverTrue, type Inferred, type InferOptions } from "./infer.ts";
export { lintKey, lintMapping, lintRule, mappingLinter, type LintOptions, type MappingLint, type MappingLinter, type MappingText } from "./lint-mapping.ts";
export { lint, type Lint, type LintCode } from "./lint.ts";
