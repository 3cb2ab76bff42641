import { expect, test } from "vitest";
import type { ForgeReview } from "../../../../server/review/forge/forge.ts";
import { verdictOf } from "../../../../server/review/forge/verdict.ts";

const HEAD = "b".repeat(40);
const review = (by: string | undefined, says: ForgeReview["says"], commit = HEAD, isPerson = true): ForgeReview => ({ ...(by === undefined ? {} : { by }), isPerson, says, commit });
const judge = (reviews: readonly ForgeReview[], authors: readonly string[] | undefined = ["ada"]) => verdictOf({ reviews, head: HEAD, authors, mayDecide: async (login) => login !== "reader" });

test.each([
  ["nobody", [], "waiting"],
  ["somebody who may", [review("ben", "approved")], "approved"],
  ["its author", [review("Ada", "approved")], "waiting"],
  ["somebody who may only read", [review("reader", "approved")], "waiting"],
  ["a program", [review("robot", "approved", HEAD, false)], "waiting"],
  ["an account that is gone", [review(undefined, "approved")], "waiting"],
  ["somebody, of an earlier commit", [review("ben", "approved", "a".repeat(40))], "waiting"],
  ["somebody whose approval was dismissed", [review("ben", "dismissed")], "waiting"],
  ["somebody who then asks for changes", [review("ben", "approved"), review("ben", "changes_requested")], "changes_requested"],
  ["somebody who asked for changes before", [review("ben", "changes_requested"), review("BEN", "approved")], "approved"],
  ["somebody who only talks afterwards", [review("ben", "approved"), review("ben", "commented")], "approved"],
  ["one, while another asks for changes", [review("ben", "approved"), review("cleo", "changes_requested", "a".repeat(40))], "changes_requested"],
  ["one, while its author asks for changes", [review("ben", "approved"), review("ada", "changes_requested")], "approved"],
  ["one, while a reader asks for changes", [review("ben", "approved"), review("reader", "changes_requested")], "approved"],
] as const)("approved by %s: %j", async (_, reviews, expected) => expect((await judge(reviews)).review).toBe(expected));

test("whoever may be its author approves nothing, and the cure is named", async () => {
  expect(await verdictOf({ reviews: [review("ben", "approved")], head: HEAD, authors: undefined, mayDecide: async () => true })).toMatchObject({ review: "waiting", note: expect.stringContaining("forge.people") });
  expect(await judge([review("ada", "approved")], [])).toEqual({ review: "approved", reviewers: ["ada"] });          // review: self
});
