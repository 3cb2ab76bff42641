/** The verifier of a webhook: the one it names, or with `by` the one that an expression picks for each set of config values. */
import type { Variables, Verdict, Verifier } from "../components/kinds.ts";
import { readIncoming } from "../components/shared/incoming.ts";
import { suggest } from "../errors/nearest.ts";
import type { WebhookPlan } from "../plan/types.ts";
import { buildComponent, compileAt } from "./build-context.ts";

/**
 * Built once per plan. `where`: for messages, `webhooks.app.verify`. `by` sees the variables and the request that came in, which is
 * not proven yet: it can only choose among verifiers that each prove enough.
 * @throws PlugboardError MANIFEST_ for an option that is wrong as written
 */
export function buildVerifier(verify: WebhookPlan["verify"], where: string): Verifier {
  const names = Object.keys(verify.named);
  const named = new Map(names.map((name) => [name, buildComponent("verifier", verify.named[name]!, verify.by === undefined ? where : `${where}.${name}`)]));
  if (verify.by === undefined && names.length === 1) return named.get(names[0]!)!;
  const by = compileAt(verify.by ?? "", `${where}.by`);

  return {
    async verify(request, sets, nowMilliseconds) {
      const incoming = readIncoming(request);
      const chosen = new Map<string, Variables[]>();
      const reasons = new Set<string>();
      for (const set of sets) {
        const variables = incoming.over(set, nowMilliseconds);
        const name = await Promise.resolve().then(() => by.evaluate(variables, variables)).catch(() => undefined);
        if (typeof name === "string" && named.has(name)) chosen.set(name, [...(chosen.get(name) ?? []), set]);
        else reasons.add(name === undefined ? "'by' picks no verifier" : `'by' picks a verifier that is not there; ${suggest(String(name).slice(0, 60), names)}`);
      }
      let accepted: Verdict | undefined;
      for (const [name, ofName] of chosen) {
        const verdict = await named.get(name)!.verify(request, ofName, nowMilliseconds);
        if (verdict.accepted) accepted ??= verdict;
        else reasons.add(verdict.reason);
      }
      return accepted ?? { accepted: false, reason: [...reasons].join("; ") || "nothing is configured to verify with" };
    },
  };
}
