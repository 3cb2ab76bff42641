/** Asks again: after `Retry-After` where the answer has one, else after our own backoff. */
import { defineErrorRule } from "../kinds.ts";
import { retryAfterSeconds } from "../shared/retry-after.ts";
import { sayReason } from "../shared/say.ts";

export default defineErrorRule("retry", (spec, context) => {
  const reason = sayReason(spec, context);
  return {
    async decide(answer, variables, now) {
      const seconds = retryAfterSeconds(answer.headers["retry-after"], now);
      return { do: "retry", reason: await reason(answer, variables), ...(seconds === undefined ? {} : { after_seconds: seconds }) };
    },
  };
});
