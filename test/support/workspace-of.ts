import { read } from "../../engine/manifest/index.ts";
import type { Workspace } from "../../engine/manifest/types.ts";

type Files = Readonly<Record<string, string>>;

/** A Workspace from a few texts, by their paths in the tree. Read, not validated. */
export function workspaceOf({ catalogue = {}, workspace = {} }: { readonly catalogue?: Files; readonly workspace?: Files }): Workspace {
  const tree = (layer: "catalogue" | "workspace", files: Files) => ({ layer, label: "", files: new Map(Object.entries(files)) });
  return read([tree("catalogue", catalogue), tree("workspace", workspace)]);
}
