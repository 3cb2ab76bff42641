/** Products with one wall taken down each. A rig that lets one through proves nothing about the real one. */
import { probeBehind } from "./behind.ts";
import { probeRoutes, type Leak } from "./probes.ts";
import { asAdmin } from "../support/postgres.ts";
import { openWorld, type Mutation, type Route, type World } from "./world.ts";

interface Mutant extends Mutation {
  readonly what: string;
  /** Routes that are probed: the others say nothing about it. */
  readonly only?: (route: Route) => boolean;
  readonly behind?: boolean;
  /** The rule that must have caught it. */
  readonly rule: RegExp;
}

export const MUTANTS: Readonly<Record<string, Mutant>> = {
  "no-role-check": {
    what: "a route asks for a permission that every role has",
    permission: ({ method, url, permission }) => (method === "GET" && url === "/api/audit" ? "records:read" : permission),
    only: ({ path }) => path === "/api/audit", rule: /matrix|a role gets in/,
  },
  "no-tenant-filter": {
    what: "one query is not asked for one tenant, on a table without row-level security",
    sql: "alter table plugboard.runs disable row level security",
    rewrite: (text) => (/\bfrom runs\b/.test(text) ? text.replace(/\b(\w+\.)?tenant_id = \$1/, () => "$1::uuid is not null") : text),
    only: ({ path, method }) => path.startsWith("/api/runs") && method === "GET", rule: /B's words|an id of B/,
  },
  "no-security-invoker": {
    what: "a view is read with the rights of a superuser who made it",
    sql: "alter view entities.learner reset (security_invoker); alter view entities.learner owner to postgres",
    only: () => false, behind: true, rule: /B's rows in SQL/,
  },
};

export interface Verdict { readonly caught: boolean; readonly by: readonly string[]; readonly leaks: readonly Leak[] }

/** @param spoil an open world that nobody needs afterwards; only a mutant whose server is another one needs its own. */
export async function runMutant(name: string, seed: number, spoil?: World): Promise<Verdict> {
  const mutant = MUTANTS[name]!;
  const world = spoil ?? await openWorld(mutant);
  try {
    if (spoil !== undefined) {
      if (mutant.sql !== undefined) await asAdmin(spoil.adminUrl, mutant.sql);
      spoil.tap.rewrite = mutant.rewrite;
    }
    const leaks = [...(await probeRoutes(world, { seed, share: 0.3, keys: 0, only: mutant.only ?? (() => true) })).leaks];
    if (mutant.behind === true) leaks.push(...(await probeBehind(world)).leaks);
    const by = [...new Set(leaks.map(({ rule }) => rule))].filter((rule) => mutant.rule.test(rule));
    return { caught: by.length > 0, by, leaks };
  } finally {
    if (spoil === undefined) await world.close();
  }
}
