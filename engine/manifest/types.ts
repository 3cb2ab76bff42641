import type { Location, Problem } from "../errors/plugboard-error.ts";

/** JSON as it is read from YAML, from a provider, or from the database. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Which layer a file belongs to; later wins (DESIGN §4). */
export type Layer = "catalogue" | "workspace" | "preset" | "tenant";

/** The text files of one configuration tree. The product's own root and a deployment's workspace have the same shape. */
export interface SourceTree {
  readonly layer: "catalogue" | "workspace";
  /** Put before paths in messages; "" shows them relative to the tree's root. */
  readonly label: string;
  /** Path relative to the root, with `/` → text. Only the rooms of configuration: connectors, mappings, presets, tenants, schemas/entities, workspace.yaml. */
  readonly files: ReadonlyMap<string, string>;
}

export type ManifestKind = "connector" | "mapping" | "entity" | "preset" | "release" | "tenant" | "workspace" | "tests";

/** One file, read: its plain value, and where each part of it stands. */
export interface Manifest {
  readonly kind: ManifestKind;
  /** `crm`, `crm/employer`, `lms-crm`, `lms-crm@3`, `acme`. */
  readonly id: string;
  readonly layer: "catalogue" | "workspace";
  readonly file: string;
  readonly text: string;
  /** `tests.yaml` is a list in its file: here it is `{ tests: […] }`, and pointers begin with `/tests`. */
  readonly value: JsonObject;
  /**
   * Where a JSON pointer stands in the file: its value, or with `part: "key"` its key. A pointer that does not exist gives
   * the nearest parent. With `offset`, a position inside a scalar (of a JSONata error, say); for folded or quoted scalars,
   * whose text differs from their source, that is the scalar's start.
   */
  locate(pointer: string, part?: "key" | "value", offset?: number): Location;
  /** How the scalar at a pointer is written, for checks of what YAML made of a text. */
  written(pointer: string): { readonly style: "plain" | "quoted" | "other"; /** The comment that directly follows it, without `#`. */ readonly comment?: string };
}

/** Every manifest of catalogue and workspace, and every problem found while reading them. Pure function of the trees. */
export interface Workspace {
  /** By id, catalogue first: a workspace's file of the same id is laid over it. */
  readonly connectors: ReadonlyMap<string, readonly Manifest[]>;
  readonly mappings: ReadonlyMap<string, readonly Manifest[]>;
  /** Entities by id; a workspace's file of the same id extends the catalogue's. */
  readonly entities: ReadonlyMap<string, readonly Manifest[]>;
  readonly presets: ReadonlyMap<string, readonly Manifest[]>;
  /** Preset id → release number → its frozen file. */
  readonly releases: ReadonlyMap<string, ReadonlyMap<number, Manifest>>;
  readonly tenants: ReadonlyMap<string, Manifest>;
  /** connectors/<id>/tests.yaml by connector id. */
  readonly tests: ReadonlyMap<string, readonly Manifest[]>;
  readonly settings: Manifest | undefined;
  readonly problems: readonly Problem[];
  /** `connector crm`: manifests whose files cannot be read as YAML. Their absence is told once, not at every reference. */
  readonly unreadable: ReadonlySet<string>;
  /** Every file that was read, by its name in messages → its text. */
  readonly files: ReadonlyMap<string, string>;
  /** Every other text file beside the manifests (exchanges/…, templates), by its path in the tree. */
  readonly attachments: ReadonlyMap<string, string>;
}
