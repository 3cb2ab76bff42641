import type { ErrorRulePlan } from "../../plan/types.ts";
import type { Answer, BuildContext, Variables } from "../kinds.ts";
import { overAnswer } from "./answer-variables.ts";

/** Compiles `say`: text over the answer and the variables. Without one, or when it gives nothing, the status speaks. */
export function sayReason(spec: ErrorRulePlan, { value }: BuildContext): (answer: Answer, variables: Variables) => Promise<string> {
  const say = spec.say === undefined ? () => undefined : value(spec.say, "text", "say");
  return async (answer, variables) => {
    const text = await say(overAnswer(answer, variables));
    return text === undefined || text === null || text === "" ? `the provider answered ${answer.status}` : typeof text === "string" ? text : JSON.stringify(text);
  };
}
