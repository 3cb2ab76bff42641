/** What to do about a request whose answer never came. Pure: time is an argument. */
import { isHarmless } from "../run/perform-action.ts";
import type { OncePlan } from "../plan/types.ts";

export type Settling =
  /** With the same key, or because a second time is harmless, or because it must arrive and may arrive twice. */
  | { readonly by: "sending_again" }
  | { readonly by: "looking_it_up" }
  | { readonly by: "a_person"; readonly why: string };

/** @param firstSentAt ISO instant: how long an idempotency key has been known. */
export function settleUnknown(once: OncePlan, irreversible: boolean, firstSentAt: string, now: number): Settling {
  if (isHarmless(once, { first_sent_at: firstSentAt }, now)) return { by: "sending_again" };
  if (once.is === "guarded" && once.find !== undefined) return { by: "looking_it_up" };
  if (!irreversible) return { by: "sending_again" };
  const why = once.is === "guarded" ? "its idempotency key is no longer valid" : "nothing makes a second try harmless";
  return { by: "a_person", why: `The action cannot be undone, and ${why}: say whether it arrived.` };
}
