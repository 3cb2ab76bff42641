/** How verifiers end early: inside they throw `Refused`, outside there are only verdicts. */
import { ExpressionError } from "../../expression/index.ts";
import { PlugboardError } from "../../errors/plugboard-error.ts";
import type { IncomingRequest, Variables, Verdict, Verifier } from "../kinds.ts";
import { readIncoming, type Incoming } from "./incoming.ts";

/** Its message is the verdict's reason: for people who look after the feed, without secrets and expected signatures. */
export class Refused extends Error {
  override readonly name = "Refused";
}

export function refuse(reason: string): never {
  throw new Refused(reason);
}

export type Accepted = Extract<Verdict, { accepted: true }>;

/** One try with one set of variables, which hold what the request gives, too. @throws Refused, and whatever an option's expression throws. */
export type Attempt = (incoming: Incoming, variables: Record<string, unknown>, nowMilliseconds: number) => Promise<Accepted> | Accepted;

/** Tries every set, also after one was accepted, so that the time taken does not tell which; never throws. */
export function verifierOf(attempt: Attempt, options: { readonly decodeInUrl?: string } = {}): Verifier {
  return {
    async verify(request: IncomingRequest, sets: readonly Variables[], nowMilliseconds: number): Promise<Verdict> {
      const reasons = new Set<string>();
      let accepted: Accepted | undefined;
      const incoming = readIncoming(request, options.decodeInUrl);
      for (const set of sets) {
        try {
          const verdict = await attempt(incoming, incoming.over(set, nowMilliseconds), nowMilliseconds);
          accepted ??= verdict;
        } catch (thrown) {
          reasons.add(reasonOf(thrown));
        }
      }
      return accepted ?? { accepted: false, reason: [...reasons].join("; ") || "nothing is configured to verify with" };
    },
  };
}

/** Of a failure that is none of ours only the code is told: its message may quote a value. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof Refused) return thrown.message;
  const code = thrown instanceof ExpressionError ? thrown.problem.code : thrown instanceof PlugboardError ? thrown.code : thrown instanceof Error ? thrown.name : "unknown";
  return `an option of the verifier cannot be evaluated for this request (${code})`;
}
