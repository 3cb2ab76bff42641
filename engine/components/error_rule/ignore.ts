/** The answer counts as a page without records; a sweep of which it is part deletes nothing. */
import { defineErrorRule } from "../kinds.ts";
import { sayReason } from "../shared/say.ts";

export default defineErrorRule("ignore", (spec, context) => {
  const reason = sayReason(spec, context);
  return { decide: async (answer, variables) => ({ do: "ignore", reason: await reason(answer, variables) }) };
});
