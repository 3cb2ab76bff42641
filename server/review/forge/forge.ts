/**
 * What a review asks of a forge, whichever it is: a pull request of a branch, what its reviewers say, its merge. Git itself
 * (push, fetch) is the same everywhere and stands in remote.ts. One implementation per kind: github.ts.
 */
import type { Transport } from "../../../engine/components/kinds.ts";
import type { ReferenceResolver } from "../../../engine/store/index.ts";

export interface Forge {
  /** For people: `github.com/acme/config`. */
  readonly name: string;
  /** `acme/config` */
  readonly repository: string;
  /** The branch that is in force: `main`. */
  readonly branch: string;
  /** Where Git pushes to and fetches from. */
  readonly remote: string;
  /** Who signs in as whom, for people whose address the forge does not know: name here → login there. */
  readonly people: Readonly<Record<string, string>>;
  /** The page of a change in Studio; undefined where nobody said under which address it is reached. */
  pageOf(change: string): string | undefined;
  /** Lets Git in, at `remote` only. */
  gitHeaders(): Promise<Readonly<Record<string, string>>>;

  /** Opens the pull request of a branch, or writes the open one anew: a branch never has two. */
  openPullRequest(asked: { readonly branch: string; readonly title: string; readonly body: string }): Promise<PullRequest>;
  findOpen(branch: string): Promise<PullRequest | undefined>;
  pullRequest(number: number): Promise<PullRequest>;
  /** Oldest first. */
  reviews(number: number): Promise<readonly ForgeReview[]>;
  /** The login that the author of a commit has at the forge; undefined: it does not know the address. */
  authorOf(commit: string): Promise<string | undefined>;
  /** Whether a person's review decides: only of those who may write to the repository. */
  mayDecide(login: string): Promise<boolean>;
  /**
   * @param head what was reviewed: nothing else is merged.
   * @returns the commit on `branch`. @throws PlugboardError CHANGE_FORGE_MERGE, CHANGE_STALE
   */
  merge(number: number, asked: { readonly head: string; readonly title: string; readonly message: string }): Promise<string>;
  close(number: number): Promise<void>;
  comment(number: number, text: string): Promise<void>;
  setStatus(commit: string, status: CommitStatus): Promise<void>;
}

export interface PullRequest {
  readonly number: number;
  /** For people. */
  readonly url: string;
  readonly state: "open" | "closed" | "merged";
  /** The commit that its branch is at. */
  readonly head: string;
  /** Who opened it. */
  readonly opener?: string;
  /** What it was merged as, and by whom. */
  readonly merged?: string;
  readonly merger?: string;
}

export interface ForgeReview {
  /** A login; absent: the account is gone. */
  readonly by?: string;
  /** A person's, not a program's. */
  readonly isPerson: boolean;
  readonly says: "approved" | "changes_requested" | "dismissed" | "commented";
  /** What was looked at. */
  readonly commit: string;
}

export interface CommitStatus { readonly state: "success" | "failure"; readonly description: string; readonly url?: string }

/** The name of our status at a forge; a branch's rules may ask for it. */
export const STATUS_CONTEXT = "plugboard/plan";

/** How this process reaches a forge. */
export interface ForgeAccess {
  /** With the egress guard: every request, Git's too, goes through it. */
  readonly transport: Transport;
  readonly references: ReferenceResolver;
  /** Under which address people reach this server. */
  readonly publicUrl?: string | undefined;
}
