/** Asks again at a time that the rule or the answer names: a day's allowance, a planned outage. */
import { PlugboardError } from "../../errors/plugboard-error.ts";
import { defineErrorRule } from "../kinds.ts";
import { overAnswer } from "../shared/answer-variables.ts";
import { parseInstant, toMilliseconds } from "../shared/instant.ts";
import { LONGEST_WAIT_SECONDS, retryAfterSeconds } from "../shared/retry-after.ts";
import { sayReason } from "../shared/say.ts";

/** When neither `until` nor `Retry-After` says how long. */
const DEFAULT_SECONDS = 60;

export default defineErrorRule("wait", (spec, context) => {
  const reason = sayReason(spec, context);
  const until = spec.until === undefined ? undefined : context.compile(spec.until, "until");
  return {
    async decide(answer, variables, now) {
      const value = await until?.evaluate(overAnswer(answer, variables), variables);
      const named = value === undefined || value === null ? undefined : parseInstant(value);
      if (value !== undefined && value !== null && named === undefined) {
        throw new PlugboardError("RUN_REQUEST", { where: context.where, detail: `'until: ${spec.until}' gave ${JSON.stringify(value)}, which is no time` });
      }
      const seconds = named === undefined ? (retryAfterSeconds(answer.headers["retry-after"], now) ?? DEFAULT_SECONDS) : (toMilliseconds(named) - now) / 1000;
      return { do: "wait", until: now + Math.max(0, Math.min(seconds, LONGEST_WAIT_SECONDS)) * 1000, reason: await reason(answer, variables) };
    },
  };
});
