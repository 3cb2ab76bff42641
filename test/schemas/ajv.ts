/** Our schemas in Ajv, as an editor or any other tool would read them: what the validator's own walk is held against. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { schemas } from "../../schemas/bundle.gen.ts";

const BASE = "https://schemas.invalid/";
export const OWN_WORDS = ["x-unit", "x-secret", "x-since", "x-source", "x-expression-variables", "x-not-running-yet", "x-example-titles"];

export function ajvOfSchemas(): (path: string) => ValidateFunction {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true, allErrors: false });
  (addFormats as unknown as (instance: Ajv2020) => void)(ajv);
  ajv.addVocabulary(OWN_WORDS);
  for (const format of ["jsonata", "template", "value"]) ajv.addFormat(format, true);
  // At most one key of each group.
  ajv.addKeyword({ keyword: "x-choice", schemaType: "array", macro: (groups: string[][]) => ({ allOf: groups.flatMap((group) => group.flatMap((a, index) => group.slice(index + 1).map((b) => ({ not: { required: [a, b] } })))) }) });
  ajv.addKeyword({ keyword: "x-one-of", schemaType: "array", macro: (groups: string[][]) => ({ allOf: groups.map((group) => ({ oneOf: group.map((key) => ({ required: [key] })) })) }) });
  for (const [path, schema] of schemas) ajv.addSchema(schema as object, BASE + path);
  return (path) => ajv.getSchema(BASE + path) as ValidateFunction;
}
