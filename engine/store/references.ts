/** Secrets that are only named: `env:NAME`, `file:PATH`, `vault:…`. This room stores the name; whoever runs the process reads it. */
import { PlugboardError } from "../errors/plugboard-error.ts";

/** Whose field it is. */
export interface ReferenceUse { readonly tenant: string; readonly connection: string; readonly field: string }

export interface ReferenceResolver {
  /** Whether it may be used here, without reading it. @throws PlugboardError STORE_REFERENCE_REFUSED */
  check(reference: string, use: ReferenceUse): void;
  /**
   * Its value now; asked for every time it is used. A vault behind it keeps its answers no longer than 60 s.
   * @throws PlugboardError STORE_REFERENCE_REFUSED, or STORE_REFERENCE when there is no value at the moment
   */
  resolve(reference: string, use: ReferenceUse): Promise<string>;
}

/** Of a process that was given none. */
export const noReferences: ReferenceResolver = {
  check: (reference, use) => { throw refusedReference(reference, use, "this process reads no references"); },
  resolve: async (reference, use) => { throw refusedReference(reference, use, "this process reads no references"); },
};

export const refusedReference = (reference: string, { connection, field }: ReferenceUse, detail: string, suggestion?: string): PlugboardError =>
  new PlugboardError("STORE_REFERENCE_REFUSED", { reference, connection, field, detail, suggestion });
