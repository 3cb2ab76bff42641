/** The forge that main's workspace.yaml names, as this process reaches it: its transport, and what its references may read. */
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import type { Trees } from "../plan.ts";
import type { Forge, ForgeAccess } from "./forge.ts";
import { createGitHub } from "./github.ts";
import { forgeSettings } from "./settings.ts";

/** What finds a forge, and what reaches it. */
export interface Forges extends ForgeAccess {
  /** @returns undefined: none is configured. @throws PlugboardError CHANGE_FORGE_SETTINGS */
  of(trees: Trees): Forge | undefined;
  /** Why the last look at it brought nothing; this process's own. */
  trouble: PlugboardError | undefined;
}

export function openForges(access: ForgeAccess): Forges {
  // As long as the settings say the same, so do its short-lived token and what it answered.
  let last: { readonly key: string; readonly forge: Forge } | undefined;
  return {
    ...access, trouble: undefined,
    of(trees) {
      const settings = forgeSettings(trees);
      if (settings === undefined) return undefined;
      const key = JSON.stringify(settings);
      if (last?.key !== key) last = { key, forge: createGitHub(settings, access) };
      return last.forge;
    },
  };
}

/** For whoever looks at a workspace and reaches nothing: with a forge, that is not enough. */
export const noForges = (trees: Trees): undefined => {
  if (forgeSettings(trees) !== undefined) throw new PlugboardError("CHANGE_FORGE_SETTINGS", { detail: "this process reaches none", suggestion: "Use a command or server of this version." });
  return undefined;
};
