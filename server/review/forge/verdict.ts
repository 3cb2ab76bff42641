/**
 * What the reviews of a pull request come to: the latest of every person counts, of the commit it is at now, and only of those
 * who may write to the repository; a comment decides nothing; the author's own is nobody's approval.
 */
import type { ForgeReview } from "./forge.ts";

export interface Verdict {
  readonly review: "approved" | "changes_requested" | "waiting";
  /** Logins of those who approve, or ask for changes. */
  readonly reviewers: readonly string[];
  /** Why approvals do not count, while none does. */
  readonly note?: string;
}

export interface Judged {
  readonly reviews: readonly ForgeReview[];
  /** The commit that the branch is at. */
  readonly head: string;
  /** Logins of the change's author; empty: nobody is ruled out (`review: self`). Undefined: who they are there is not known. */
  readonly authors: readonly string[] | undefined;
  mayDecide(login: string): Promise<boolean>;
}

export async function verdictOf({ reviews, head, authors, mayDecide }: Judged): Promise<Verdict> {
  const latest = new Map<string, ForgeReview>();
  for (const review of reviews) if (review.by !== undefined && review.isPerson && review.says !== "commented") latest.set(review.by.toLowerCase(), review);
  const own = new Set(authors?.map((login) => login.toLowerCase()));
  const [asking, approving, notes]: [string[], string[], Set<string>] = [[], [], new Set()];
  for (const [login, { by, says, commit }] of latest) {
    if (says !== "approved" && says !== "changes_requested") continue;
    if (own.has(login)) { if (says === "approved") notes.add(`${by} is its author`); continue; }
    if (says === "approved" && commit !== head) { notes.add(`${by} approved an earlier commit`); continue; }
    if (says === "approved" && authors === undefined) { notes.add("the forge does not know who its author is: say it in forge.people of workspace.yaml"); continue; }
    if (!(await mayDecide(by!))) { notes.add(`${by} may not write to the repository`); continue; }
    (says === "approved" ? approving : asking).push(by!);
  }
  const note = notes.size === 0 ? {} : { note: [...notes].join("; ") };
  if (asking.length > 0) return { review: "changes_requested", reviewers: asking, ...note };
  return approving.length > 0 ? { review: "approved", reviewers: approving } : { review: "waiting", reviewers: [], ...note };
}
