/** Ends the run; the checkpoint is kept. */
import { defineErrorRule } from "../kinds.ts";
import { sayReason } from "../shared/say.ts";

export default defineErrorRule("fail", (spec, context) => {
  const reason = sayReason(spec, context);
  return { decide: async (answer, variables) => ({ do: "fail", reason: await reason(answer, variables) }) };
});
