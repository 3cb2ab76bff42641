/** Names of branches and commits that people give us, before Git sees them. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";

const NAME = /^[A-Za-z0-9][\w./-]{0,200}$/;
/** Commits back from a name: `main~2`. */
const STEPS_BACK = /~(\d{1,3})$/;

/** As `git check-ref-format` says (git 2.50 manual), and nothing that a command line or shell could take for something else. */
export const isRefName = (name: string): boolean =>
  NAME.test(name) && !/\.\.|\/\/|@\{|\.lock(\/|$)|\/\.|\.\/|[./]$/.test(name);

/** @throws PlugboardError CHANGE_BAD_REF */
export function refName(name: string): string {
  if (isRefName(name)) return name;
  throw new PlugboardError("CHANGE_BAD_REF", { ref: shown(name), suggestion: "Letters, digits, `.`, `_`, `-` and `/`; it begins with a letter or digit." });
}

/** `main~2` → main, two commits back. @throws PlugboardError CHANGE_BAD_REF */
export function parseRevision(text: string): { readonly ref: string; readonly back: number } {
  const back = STEPS_BACK.exec(text);
  return { ref: refName(back ? text.slice(0, back.index) : text), back: Number(back?.[1] ?? 0) };
}

/** `studio/<user>/<slug>`, whatever the user and the title are called. */
export const branchOf = (user: string, title: string, id: string): string => refName(`studio/${slug(user, "someone")}/${slug(title, "change")}-${id}`);

const slug = (text: string, otherwise: string): string =>
  text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/@.*$/, "").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40).replace(/-+$/, "") || otherwise;

/** A commit, for people. */
export const short = (commit: string): string => commit.slice(0, 7);

const shown = (text: string): string => JSON.stringify(text.slice(0, 80)).slice(1, -1);
