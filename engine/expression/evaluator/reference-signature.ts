import jsonata from "jsonata";
import type { Signature } from "./values.ts";

/** A signature as the reference parses it, for functions that are not its own. */
export function compileSignature(definition: string): Signature {
  const parameters = definition.replace(/\([^)]*\)/g, "x").slice(1, definition.replace(/\([^)]*\)/g, "x").lastIndexOf(":")).replace(/<[^>]*>|[-?+]/g, "");
  const names = [...parameters].map((_type, index) => `$p${index}`).join(", ");
  const lambda = jsonata(`function(${names})${definition}{ null }`).ast() as unknown as { signature: Signature };
  return lambda.signature;
}
