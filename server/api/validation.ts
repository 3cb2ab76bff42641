/** Compiles the schemas of routes. What comes in a URL is text, so it is coerced to its type; a JSON body says its types itself. */
import type { FastifySchemaCompiler } from "fastify";
import { Ajv2020, type Options } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { JsonObject } from "../../engine/manifest/types.ts";

const options: Options = { useDefaults: true, removeAdditional: false, allErrors: false, strict: true, strictTypes: false, allowUnionTypes: true, keywords: ["example"] };

export function routeValidator(): FastifySchemaCompiler<JsonObject> {
  const [ofText, ofJson] = [new Ajv2020({ ...options, coerceTypes: true }), new Ajv2020(options)];
  for (const ajv of [ofText, ofJson]) (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  return ({ schema, httpPart }) => {
    const { $id: _, ...anonymous } = schema;                // a schema shared by routes is compiled for each
    return (httpPart === "body" ? ofJson : ofText).compile(anonymous);
  };
}
