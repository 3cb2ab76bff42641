/** A connector's config as a JSON Schema that a form can be rendered from: standard words where there is one, `x-` beside them. */
import type { JsonObject } from "../../engine/manifest/types.ts";
import type { CatalogueConnector, ConfigField } from "../../engine/plan/index.ts";

const TYPES: Readonly<Record<string, { readonly type: string; readonly format?: string }>> = {
  string: { type: "string" }, integer: { type: "integer" }, number: { type: "number" }, boolean: { type: "boolean" },
  date: { type: "string", format: "date" }, "date-time": { type: "string", format: "date-time" },
};

/** @param auth as in the catalogue; absent where the form is shown by somebody who knows how to sign in. */
export function connectorForm({ id, title, config, auth = [], by }: Pick<CatalogueConnector, "id" | "title" | "config"> & Partial<Pick<CatalogueConnector, "auth" | "by">>): JsonObject {
  const fields = Object.entries(config);
  const signedIn = auth.filter(({ type }) => type === "oauth2_authorization_code").map(({ name }) => name);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema", title, "x-connector": id, type: "object", additionalProperties: false,
    ...(signedIn.length === 0 ? {} : { "x-sign-in": { when: by === undefined ? null : `(${by.replace(/\bconfig\./g, "")}) in [${signedIn.map((name) => JSON.stringify(name)).join(", ")}]`, button: `Sign in with ${title}` } }),
    // A field with a condition is required when the condition holds: `x-when` says it.
    required: fields.filter(([, field]) => isRequired(field) && field.when === undefined).map(([name]) => name),
    properties: Object.fromEntries(fields.map(([name, field], order) => [name, fieldForm(field, order)])),
  };
}

export const isRequired = ({ optional, default: preset, scope }: ConfigField): boolean => optional !== true && preset === undefined && scope !== "app";

function fieldForm(field: ConfigField, order: number): JsonObject {
  const { title, type, enum: choices, default: preset, secret, scope, format, pattern, help, description, example, when } = field;
  return {
    title, ...(choices === undefined ? TYPES[type ?? "string"] : { enum: choices }),
    ...(description === undefined ? {} : { description }), ...(pattern === undefined ? {} : { pattern }), ...(preset === undefined || secret === true ? {} : { default: preset }),
    ...(example === undefined ? {} : { examples: [example] }), ...(secret === true ? { writeOnly: true } : {}),
    "x-secret": secret === true, "x-required": isRequired(field), "x-order": order,
    ...(help === undefined ? {} : { "x-help": help }), ...(format === undefined ? {} : { "x-format": format }), ...(when === undefined ? {} : { "x-when": when }), ...(scope === undefined ? {} : { "x-scope": scope }),
  };
}
