/** Options of verifiers that are templates: checked when built where they are written out, and when rendered where they are not. */
import { PlugboardError } from "../../errors/plugboard-error.ts";
import { suggest } from "../../errors/nearest.ts";
import type { BuildContext, Variables } from "../kinds.ts";
import { refuse } from "./refused.ts";

/**
 * One of `allowed`; `standard` where the manifest says nothing, or its template gives nothing.
 * @throws PlugboardError MANIFEST_WRONG_VALUE when a value that is written out is none of them
 */
export function choiceOption<T extends string>(text: string | undefined, standard: T, allowed: readonly T[], { template, where }: BuildContext, field: string): (variables: Variables) => T {
  if (text === undefined) return () => standard;
  const is = (value: string): value is T => (allowed as readonly string[]).includes(value);
  if (!text.includes("{{")) {
    if (is(text)) return () => text;
    throw new PlugboardError("MANIFEST_WRONG_VALUE", { field: `${where}.${field}`, expected: `one of ${allowed.join(", ")}`, actual: JSON.stringify(text), suggestion: suggest(text, allowed) });
  }
  const option = template(text, "text", field);
  return (variables) => {
    const value = option.render(variables);
    if (value === undefined || value === "") return standard;
    return is(value) ? value : refuse(`the option '${field}' must be one of ${allowed.join(", ")}`);
  };
}

/** The secret as text; an empty one would let anybody sign. */
export function secretOption(text: string, { value }: BuildContext, field: string): (variables: Variables) => Promise<string> {
  const option = value(text, "text", field);
  return async (variables) => {
    const secret = await option(variables);
    if (typeof secret === "number" && Number.isFinite(secret)) return String(secret);
    return typeof secret === "string" && secret !== "" ? secret : refuse(`the option '${field}' is not set`);
  };
}
