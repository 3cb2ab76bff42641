/** What a change of a plan can cost, so that a reviewer looks there first. */
import type { PlanChange } from "./diff.ts";

/**
 * `destructive`: rows or connections end or are joined anew. `new_scope`: a credential goes elsewhere, may do more, or has to
 * be entered again; somebody may do more. `resync`: what is stored is complete only after everything was read again.
 */
export const risks = ["safe", "resync", "new_scope", "destructive"] as const;
export type Risk = (typeof risks)[number];

export interface Rated { readonly risk: Risk; /** In a sentence; absent where it is safe. */ readonly why?: string }

type Rule = readonly [when: (change: PlanChange) => boolean, risk: Risk, why: string];

const at = (pattern: RegExp) => ({ path }: PlanChange): boolean => pattern.test(path);
const is = (kind: PlanChange["kind"], ...changes: readonly PlanChange["change"][]) => (change: PlanChange): boolean =>
  change.kind === kind && (changes.length === 0 || changes.includes(change.change));
const both = (a: Rule[0], b: Rule[0]): Rule[0] => (change) => a(change) && b(change);
const turnedOff: Rule[0] = ({ path, after }) => path.endsWith(".enabled") && after === false;

/** In order: the first that fits counts. */
const RULES: readonly Rule[] = [
  [both(is("connection", "removed"), at(/^connections\.[^.]+$/)), "destructive", "the connection ends: its flows stop, its credential is not used any more"],
  [both(is("flow", "removed"), at(/^(change_)?flows\.[^.]+$/)), "destructive", "the flow ends: what it stored stays as it is and is not kept up to date"],
  [both(is("flow"), turnedOff), "destructive", "the flow stops"],
  [both(is("connection"), turnedOff), "destructive", "the connection's flows stop"],
  [is("field", "removed"), "destructive", "the field is emptied in every record that is read from now on"],
  [both(is("entity", "removed"), at(/^entities\.[^.]+$/)), "destructive", "nothing fills the entity any more"],
  [both(is("entity"), at(/\.match$/)), "destructive", "records are joined by other fields: rows are merged or split when they are read"],
  [both(is("entity", "removed"), at(/\.schema\.properties\.[^.]+$|\.custom(\.|$)/)), "destructive", "the entity loses the field"],
  [both(is("flow"), at(/\.to(\.|$)/)), "destructive", "the flow writes to another place"],

  [both(is("connection"), at(/^connections\.[^.]+\.connector$/)), "new_scope", "another provider: the connection has to be connected again"],
  [both(is("connector"), at(/\.http\.(auth|hosts|base_url)(\.|$)|\.config\.[^.]+(\.(secret|scope|when))?$|\.scopes?(\.|$)/)), "new_scope", "a credential is asked for, or sent, in another way or to another place"],
  [both(is("connection"), at(/\.(config|locks)(\.|$)/)), "new_scope", "where or as what the connection reaches the provider may change"],
  [is("policy"), "new_scope", "roles may do more or less"],

  [is("select"), "resync", "other fields are asked for: records read before lack them until everything is read again"],
  [is("filter"), "resync", "other records are kept: those read before are looked at again only when everything is"],
  [both(is("flow"), at(/^flows\.[^.]+\.stream$/)), "resync", "another stream is read, from its beginning"],
  [both(is("connector"), at(/\.streams\.[^.]+(\.(key|version|cursor|list|changes|one|select|types|with)(\.|$)|$)/)), "resync", "records are read in another way: what is stored is right only after everything was read again"],
  [is("inputs"), "resync", "mappings read it: records stored before keep what it said then until they are read again"],
  [is("labels", "removed"), "resync", "records stored before keep the label until they are read again"],
];

export function riskOf(change: PlanChange): Rated {
  for (const [when, risk, why] of RULES) if (when(change)) return { risk, why };
  return { risk: "safe" };
}

export const highestRisk = (found: Iterable<Risk>): Risk => [...found].reduce<Risk>((high, each) => (risks.indexOf(each) > risks.indexOf(high) ? each : high), "safe");
