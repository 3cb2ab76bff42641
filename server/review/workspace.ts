/** The workspace as a server works with it: its repository, what is in force, and the trees of its commits. */
import type { SourceTree } from "../../engine/manifest/index.ts";
import type { Actor, Database, Keyring } from "../../engine/store/index.ts";
import type { Author } from "./commit.ts";
import type { Forges } from "./forge/open.ts";
import { settingsOf, type Trees } from "./plan.ts";
import { readCatalogue } from "../workspace/read-tree.ts";
import { headOf, openRepository, readTreeAt, type Repository } from "./repository.ts";

/** Trees kept; a review looks at the same few commits again and again. */
const KEPT_TREES = 8;

export interface ReviewedWorkspace {
  /** Absolute. */
  readonly root: string;
  readonly repository: Repository;
  /** Main's commit, and the catalogue with the workspace as it is there. @throws PlugboardError CHANGE_GIT */
  main(): Promise<{ readonly commit: string; readonly trees: Trees }>;
  treesOf(commit: string): Promise<Trees>;
  /** The trees of a commit that was just made of them: they are not read and planned again. */
  adopt(commit: string, trees: Trees): void;
  /** Main's trees. */
  readTrees(): Promise<Trees>;
}

/** What a review works with. */
export interface Review {
  readonly db: Database;
  readonly workspace: ReviewedWorkspace;
  /** Opens the raw records that a plan looks at. */
  readonly keyring: Keyring;
  /** What reaches the forge that workspace.yaml names. A review without it refuses where one is named. */
  readonly forges?: Forges;
}

/** @throws PlugboardError CHANGE_NO_REPOSITORY */
export async function openWorkspace(root: string): Promise<ReviewedWorkspace> {
  const repository = await openRepository(root);
  const kept = new Map<string, Promise<Trees>>();
  const keep = (commit: string, trees: Promise<Trees>): void => {
    kept.set(commit, trees);
    trees.catch(() => kept.delete(commit));
    if (kept.size > KEPT_TREES) kept.delete(kept.keys().next().value!);
  };
  const treesOf = (commit: string): Promise<Trees> => {
    const known = kept.get(commit);
    if (known) return known;
    const trees = readTreeAt(repository, commit).then((tree) => [readCatalogue(), tree]);
    keep(commit, trees);
    return trees;
  };
  const main = async () => { const commit = await headOf(repository); return { commit, trees: await treesOf(commit) }; };
  return { root: repository.root, repository, main, treesOf, adopt: (commit, trees) => keep(commit, Promise.resolve(trees)), readTrees: async () => (await main()).trees };
}

/** The workspace's own tree with some of its files changed. */
export function withFiles(trees: Trees, files: ReadonlyMap<string, string | null>): Trees {
  return trees.map((tree): SourceTree => {
    if (tree.layer !== "workspace") return tree;
    const all = new Map(tree.files);
    for (const [file, text] of files) if (text === null) all.delete(file); else all.set(file, text);
    return { ...tree, files: all };
  });
}

export const filesOf = (trees: Trees): ReadonlyMap<string, string> => trees.find(({ layer }) => layer === "workspace")?.files ?? new Map<string, string>();

/** Who approves a change: `review` of main's workspace.yaml, never the change's own. @default other */
export const reviewRule = (trees: Trees): "other" | "self" => (settingsOf(trees)["review"] === "self" ? "self" : "other");

/** The person in Git's history; a key or command has no address. */
export const authorOf = ({ kind, id, name }: Actor): Author =>
  ({ name, email: /^[^@\s<>]+@[^@\s<>]+$/.test(name) ? name : `${kind}-${id.replace(/[^\w.-]/g, "-")}@localhost` });

