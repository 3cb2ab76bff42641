/** The stream cannot be read with this credential: the run ends well, with nothing more stored and the checkpoint where it was. */
import { defineErrorRule } from "../kinds.ts";
import { sayReason } from "../shared/say.ts";

export default defineErrorRule("skip_stream", (spec, context) => {
  const reason = sayReason(spec, context);
  return { decide: async (answer, variables) => ({ do: "skip_stream", reason: await reason(answer, variables) }) };
});
