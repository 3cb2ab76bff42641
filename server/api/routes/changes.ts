/** Changes of the configuration: drafted, proposed, approved, applied, rolled back; and what is in force. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { getChange, listApplications, listChanges, readConfiguration, type ChangeStatus, type StoredChange, type StoredPullRequest } from "../../../engine/store/index.ts";
import {
  applyChange, approve, changedFiles, createDraft, discardDraft, driftOf, editsOf, effectOfChange, filesOf, isAuthor, lookAtForge, neededFor, planOf, problemsFor, propose, proposeChange, reject, remoteOf, reviewRule, rollBack, saveDraft, syncMain,
  type ChangePlan, type FileEdit, type Review,
} from "../../review/index.ts";
import { actorOf } from "../access.ts";
import { may } from "../may.ts";
import { knownPlan, mayKnow, mayKnowChange, mayRead } from "../reach.ts";
import { closed, count, fileEdits as edits, id, instant, nullable, pagingQuery, tenantQuery } from "../schemas.ts";
import { reviewOf, type Services } from "../services.ts";
import { afterOf, pageView } from "../views.ts";

const tags = ["changes"];
/** Applications shown of what was in force before. */
const HISTORY = 50;
/** Bytes of all edits of one change. */
const MAX_BODY = 8 * 1024 * 1024;

const free = (description: string) => ({ type: "object", additionalProperties: true, description }) as const;
const title = { type: "string", minLength: 1, maxLength: 200, description: "One line; the commit's.", examples: ["Sync Acme's learners more often"] } as const;
const description = { type: "string", maxLength: 5000, description: "Why." } as const;
const reason = { type: "string", maxLength: 1000, description: "For the log and the people who read it." } as const;

const changeProperties = {
  id: id("The change.", "0199f6a2-7b1e-7c1d-9d55-0f2f6f1c3a10"), title, description,
  status: { type: "string", enum: ["draft", "proposed", "approved", "applied", "rejected", "rolled_back"], description: "How far it has come." },
  tenant: nullable({ type: "string", description: "The one tenant whose file it changes alone." }),
  author: closed({ kind: { type: "string" }, id: { type: "string" }, name: { type: "string" } }),
  own: { type: "boolean", description: "Whether the caller is its author." },
  version: count("Counts what was saved: send it along when you save."),
  base: { type: "string", description: "Main's commit it begins at." }, branch: nullable({ type: "string", description: "Its branch." }), commit: nullable({ type: "string", description: "What was proposed." }),
  plan_hash: nullable({ type: "string", description: "Of its plan; an approval names it." }), approved: { type: "boolean", description: "Whether the plan as it is was approved." },
  decided_by: nullable({ type: "string", description: "Who approved or rejected it." }), decided_at: nullable(instant("When.")), reason: nullable({ type: "string", description: "Why." }),
  merged_commit: nullable({ type: "string", description: "Main, once it was merged." }), revision: nullable({ type: "string", description: "What it put in force." }), before: nullable({ type: "string", description: "What was in force before." }),
  pull_request: {
    description: "Where it is reviewed at a forge, as that was seen last.",
    anyOf: [{ type: "null" }, closed({
      number: count("Its number."), url: { type: "string", description: "Its page." }, state: { type: "string", enum: ["open", "closed", "merged"] },
      review: nullable({ type: "string", enum: ["approved", "changes_requested", "waiting"], description: "What its reviewers say of the commit it is at." }),
      reviewers: { type: "array", items: { type: "string" }, description: "Who approves it, or asks for changes." }, note: nullable({ type: "string", description: "Why a review does not count, or what is in the way." }),
    })],
  },
  applied_by: nullable({ type: "string", description: "Who put it in force." }), applied_at: nullable(instant("When.")), created_at: instant("When it was begun."), updated_at: instant("When it last changed."),
} as const;
const changeSchema = { $id: "Change", title: "Change", ...closed(changeProperties) } as const;
const whole = closed({
  ...changeProperties,
  edits: { type: "array", items: { type: "object", additionalProperties: true }, description: "As they were entered." },
  plan: { anyOf: [{ type: "null" }, free("What it does, tenant by tenant: `tenants`, `risk` (safe, resync, new_scope, destructive), `files`, `warnings`.")] },
  problems: { type: "array", items: free("What is wrong with the configuration after a draft."), description: "A draft with problems cannot be proposed." },
  data: { anyOf: [{ type: "null" }, free("What it does to the records read last, flow by flow; samples as far as the caller may see raw records.")] },
});
const ofChange = closed({ id: { type: "string", format: "uuid", description: "The change." } }, ["id"]);
const anyTenant = closed(tenantQuery);

export function registerChanges(server: FastifyInstance, services: Services): void {
  const { db } = services;
  server.addSchema(changeSchema);

  server.get<{ Querystring: { status?: ChangeStatus; author?: "me"; limit: number; cursor?: string } }>("/api/changes", {
    config: { permission: "changes:read" },
    schema: {
      tags, summary: "Changes of the configuration, newest first", description: "Drafts are shown to their authors only.",
      querystring: closed({ ...tenantQuery, status: changeProperties.status, author: { const: "me", description: "Only the caller's own." }, ...pagingQuery }),
      response: { 200: closed({ data: { type: "array", items: { $ref: "Change#" } }, next_cursor: nullable({ type: "string" }) }) },
    },
  }, async (request) => {
    const { status, author, limit, cursor } = request.query;
    const reader = request.caller!.id;
    const list = ["changes", request.tenant, status, author, reader];
    const found = await listChanges(db, { reader, limit, ...(status === undefined ? {} : { status }), ...(request.tenant === "" ? {} : { tenant: request.tenant }), ...(author === undefined ? {} : { author: reader }), ...afterOf(list, cursor, 2) });
    return pageView(list, { ...found, items: found.items.filter((change) => mayKnowChange(request, change)) }, (change) => view(change, request));
  });

  server.post<{ Body: { title: string; description?: string; edits: FileEdit[]; propose: boolean } }>("/api/changes", {
    bodyLimit: MAX_BODY, config: { permission: "changes:propose" },
    schema: {
      tags, summary: "Begin a change", description: "A draft; with `propose` it goes to review at once. What is touched decides what the caller must be allowed to propose.",
      querystring: anyTenant, body: closed({ title, description, edits, propose: { type: "boolean", default: false, description: "Propose it at once." } }, ["title", "edits"]), response: { 201: whole },
    },
  }, async (request, reply) => {
    const review = reviewOf(services);
    const { propose: atOnce, ...draft } = request.body;
    await refuseUnlessAllowed(request, draft.edits);
    const change = await (atOnce ? proposeChange : createDraft)(review, { ...draft, author: actorOf(request) });
    return reply.code(201).send(await wholeView(change, request));
  });

  server.get<{ Params: { id: string }; Querystring: { data: boolean } }>("/api/changes/:id", {
    config: { permission: "changes:read" },
    schema: {
      tags, summary: "One change, with its plan", description: "With `data=true`, also what it does to the records read last.",
      params: ofChange, querystring: closed({ ...tenantQuery, data: { type: "boolean", default: false, description: "Run the records read last through the old and the new mapping." } }), response: { 200: whole },
    },
  }, async (request) => wholeView(await visible(request), request, request.query.data));

  server.put<{ Params: { id: string }; Body: { version: number; title?: string; description?: string; edits?: FileEdit[] } }>("/api/changes/:id", {
    bodyLimit: MAX_BODY, config: { permission: "changes:propose" },
    schema: { tags, summary: "Save a draft", params: ofChange, querystring: anyTenant, body: closed({ version: count("Of the draft as it was loaded."), title, description, edits }, ["version"]), response: { 200: whole } },
  }, async (request) => {
    const change = await ownOrProposed(request);
    const { version, ...set } = request.body;
    if (set.edits) await refuseUnlessAllowed(request, set.edits);
    return wholeView(await saveDraft(reviewOf(services), change.id, version, set), request);
  });

  server.delete<{ Params: { id: string } }>("/api/changes/:id", {
    config: { permission: "changes:propose" }, schema: { tags, summary: "Discard a draft", params: ofChange, querystring: anyTenant, response: { 204: { type: "null", description: "It is gone." } } },
  }, async (request, reply) => {
    await discardDraft(reviewOf(services), (await ownOrProposed(request)).id, actorOf(request));
    return reply.code(204).send();
  });

  server.post<{ Params: { id: string } }>("/api/changes/:id/propose", {
    config: { permission: "changes:propose" },
    schema: { tags, summary: "Propose a change, or bring it up to date", description: "Made anew on top of main: a branch and a commit under the author's name, and where a forge is configured its pull request. An approval it had is over.", params: ofChange, querystring: anyTenant, response: { 200: whole } },
  }, async (request) => {
    const change = await ownOrProposed(request);
    await refuseUnlessAllowed(request, editsOf(change));
    return wholeView(await propose(reviewOf(services), change.id, actorOf(request)), request);
  });

  server.post<{ Params: { id: string }; Body: { plan_hash: string } }>("/api/changes/:id/approve", {
    config: { permission: "changes:approve" },
    schema: { tags, summary: "Approve a change", description: "Another person than its author, unless the workspace says `review: self`. The plan that was looked at is named. A review at the forge does the same by itself.", params: ofChange, querystring: anyTenant, body: closed({ plan_hash: { type: "string", minLength: 1, maxLength: 100, description: "Of the plan that was looked at." } }, ["plan_hash"]), response: { 200: whole } },
  }, async (request) => {
    const change = await forReviewer(request);
    return wholeView(await approve(reviewOf(services), change.id, actorOf(request), request.body.plan_hash), request);
  });

  server.post<{ Params: { id: string }; Body: { reason?: string } | null }>("/api/changes/:id/reject", {
    config: { permission: "changes:propose" },
    schema: { tags, summary: "Reject a change, or take one's own back", params: ofChange, querystring: anyTenant, body: { ...closed({ reason }), type: ["object", "null"] }, response: { 200: whole } },
  }, async (request) => {
    const change = await visible(request);
    if (!isAuthor(change, actorOf(request))) await refuseUnlessReviewer(request, change);
    return wholeView(await reject(reviewOf(services), change.id, actorOf(request), request.body?.reason), request);
  });

  server.post<{ Params: { id: string } }>("/api/changes/:id/apply", {
    config: { permission: "changes:approve" },
    schema: { tags, summary: "Put an approved change in force", description: "Exactly what was reviewed, or nothing (CHANGE_STALE). Where it has a pull request, that is merged. Runs under way keep their revision.", params: ofChange, querystring: anyTenant, response: { 200: closed({ change: whole, revision: id("Now in force.", "4f1c…"), commit: { type: "string" }, changed: { type: "array", items: { type: "string" }, description: "Tenants." } }) } },
  }, async (request) => {
    const { change, ...applied } = await applyChange(reviewOf(services), (await forReviewer(request)).id, actorOf(request));
    return { ...applied, change: await wholeView(change, request) };
  });

  const rolledBack = closed({ revision: id("Now in force.", "4f1c…"), changed: { type: "array", items: { type: "string" }, description: "Tenants." }, commit: nullable({ type: "string", description: "The revert on main." }), unreverted: { anyOf: [{ type: "null" }, closed({ code: { type: "string" }, message: { type: "string" }, hint: { type: "string" } })], description: "Why main could not be reverted too." } });
  const rollback = async (request: FastifyRequest, asked: { readonly revision?: string; readonly reason?: string }) => {
    const done = await rollBack(reviewOf(services), actorOf(request), asked);
    return { revision: done.revision, changed: done.changed, commit: done.commit ?? null, unreverted: done.unreverted?.toJSON() ?? null };
  };

  server.post<{ Params: { id: string }; Body: { reason?: string } | null }>("/api/changes/:id/rollback", {
    config: { permission: "changes:approve" },
    schema: { tags, summary: "Roll a change back", description: "What was in force before it is in force again, and later changes with it: the answer names the tenants. A revert is committed to main.", params: ofChange, querystring: anyTenant, body: { ...closed({ reason }), type: ["object", "null"] }, response: { 200: rolledBack } },
  }, async (request) => {
    const change = await forReviewer(request);
    if (change.status !== "applied" || change.before === undefined) throw new PlugboardError("CHANGE_STATUS", { id: change.id, status: change.status.replace("_", " "), verb: "rolled back" });
    const { revision } = await readConfiguration(db);
    if (revision !== change.revision) throw new PlugboardError("CHANGE_STATUS", { id: change.id, status: "not the newest any more", verb: "rolled back by itself", suggestion: "Roll back to a revision (POST /api/configuration/rollback), or propose a change that undoes it." });
    return rollback(request, { revision: change.before, ...(request.body?.reason === undefined ? {} : { reason: request.body.reason }) });
  });

  server.get("/api/changes/drift", {
    config: { permission: "changes:read" },
    schema: { tags, summary: "What main says and is not in force", querystring: anyTenant, response: { 200: closed({ main: { type: "string", description: "Main's commit." }, live: nullable({ type: "string", description: "The commit in force." }), tenants: { type: "array", items: free("What putting main in force would change.") } }) } },
  }, async (request) => {
    const { main, live, tenants } = await driftOf(reviewOf(services));
    return { main, live: live ?? null, tenants: tenants.filter(({ tenant }) => (request.tenant === "" ? mayKnow(request, tenant) : tenant === request.tenant)) };
  });

  server.get("/api/configuration", {
    config: { permission: "changes:read" },
    schema: {
      tags, summary: "What is in force, and whether Git says the same", querystring: anyTenant,
      response: {
        200: closed({
          revision: nullable({ type: "string", description: "In force." }), commit: nullable({ type: "string", description: "Its commit." }), main: nullable({ type: "string", description: "Main's commit; null where the server works without a workspace." }),
          review: nullable({ type: "string", description: "Who approves: other (than the author) or self." }),
          forge: { description: "Where changes are pull requests; null: they are reviewed here alone.", anyOf: [{ type: "null" }, closed({ name: { type: "string", description: "Host and repository." }, trouble: { anyOf: [{ type: "null" }, free("Why the last look at it brought nothing.")] } })] },
          alarm: { anyOf: [{ type: "null" }, free("Why what main says is not in force: the last good revision stays.")] },
          drift: nullable({ type: "boolean", description: "Whether what is in force differs from what main says." }),
          revisions: { type: "array", description: "What was put in force, newest first.", items: closed({ revision: { type: "string" }, commit: nullable({ type: "string" }), change: nullable({ type: "string" }), how: { type: "string" }, by: { type: "string" }, changed: { type: "array", items: { type: "string" } }, at: instant("When.") }) },
        }),
      },
    },
  }, async (request) => {
    const { revision, commit, alarm } = await readConfiguration(db);
    const workspace = services.review?.workspace;
    const drift = workspace === undefined ? undefined : await driftOf(reviewOf(services)).catch((thrown: unknown) => { if (thrown instanceof PlugboardError) return undefined; throw thrown; });
    const isOperator = request.tenant === "";
    const revisions = (await listApplications(db, HISTORY)).filter(({ changed }) => isOperator || changed.includes(request.tenant));
    return {
      revision: revision ?? null, commit: commit ?? null, main: drift?.main ?? null, alarm: isOperator ? alarm ?? null : null,
      review: workspace === undefined ? null : await workspace.readTrees().then(reviewRule, () => null), forge: isOperator && services.review ? await forgeView(services.review) : null,
      drift: drift === undefined ? null : drift.tenants.some(({ tenant }) => isOperator || tenant === request.tenant),
      revisions: revisions.map((each) => ({ revision: each.revision, how: each.how, at: each.at, by: isOperator ? each.by : "", commit: each.commit ?? null, change: each.change ?? null, changed: isOperator ? each.changed.filter((tenant) => mayKnow(request, tenant)) : [request.tenant] })),
    };
  });

  server.post<{ Body: { accept_history?: boolean } | null }>("/api/configuration/sync", {
    config: { permission: "changes:approve" },
    schema: {
      tags, summary: "Put in force what came to main from outside", description: "Commits pushed, or merged at a forge, count as reviewed there; its pull requests are looked at, too. The server also looks by itself.",
      querystring: anyTenant, body: { ...closed({ accept_history: { type: "boolean", default: false, description: "Also a history that was rewritten." } }), type: ["object", "null"] },
      response: { 200: closed({ status: { type: "string", enum: ["current", "applied", "refused"] }, commit: { type: "string" }, revision: nullable({ type: "string" }), changed: { type: "array", items: { type: "string" } }, alarm: { anyOf: [{ type: "null" }, free("Why it was refused.")] } }) },
    },
  }, async (request) => {
    await refuseUnlessAll(request);
    await lookAtForge(reviewOf(services));
    const synced = await syncMain(reviewOf(services), { actor: actorOf(request), acceptHistory: request.body?.accept_history === true });
    return { status: synced.status, commit: synced.commit, revision: "revision" in synced ? synced.revision : null, changed: "changed" in synced ? synced.changed : [], alarm: "alarm" in synced ? synced.alarm : null };
  });

  server.post<{ Body: { revision?: string; reason?: string } | null }>("/api/configuration/rollback", {
    config: { permission: "changes:approve" },
    schema: { tags, summary: "Put an earlier revision in force again", description: "Without one: the one before. A revert is committed to main.", querystring: anyTenant, body: { ...closed({ revision: { type: "string", pattern: "^[0-9a-f]{6,64}$", description: "Or the beginning of it." }, reason }), type: ["object", "null"] }, response: { 200: rolledBack } },
  }, async (request) => {
    await refuseUnlessAll(request);
    return rollback(request, request.body ?? {});
  });

  // ── who may ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A change that the caller may know of; any other one answers like one that does not exist. */
  async function visible(request: FastifyRequest): Promise<StoredChange> {
    const { id: asked } = request.params as { id: string };
    const change = await getChange(db, asked);
    const hidden = !change || (change.status === "draft" && !isAuthor(change, actorOf(request))) || (request.tenant !== "" && change.tenant !== request.tenant) || !mayKnowChange(request, change);
    if (hidden) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Change", name: asked });
    return change;
  }

  const ownOrProposed = visible;

  async function refuseUnlessAllowed(request: FastifyRequest, wanted: readonly FileEdit[]): Promise<void> {
    const files = filesOf(await reviewOf(services).workspace.readTrees());
    for (const { permission, tenant, what } of neededFor(files, changedFiles(files, wanted))) {
      // A customer learns nothing about files of others, not even whether they could be changed.
      if (!(await may(request, services, permission, tenant))) throw new PlugboardError("CHANGE_NOT_ALLOWED", { what, permission });
    }
  }

  async function forReviewer(request: FastifyRequest): Promise<StoredChange> {
    const change = await visible(request);
    await refuseUnlessReviewer(request, change);
    return change;
  }

  /** Of every tenant that the change does something to: an engineer reviews for those they are assigned to. */
  async function refuseUnlessReviewer(request: FastifyRequest, change: StoredChange): Promise<void> {
    const touched = new Set([...((change.plan as unknown as ChangePlan | undefined)?.tenants.map(({ tenant }) => tenant) ?? []), ...(change.tenant === undefined ? [] : [change.tenant])]);
    const { assigned } = request.caller!;
    const foreign = assigned === undefined ? undefined : [...touched].find((tenant) => !assigned.includes(tenant));
    if (foreign !== undefined || !(await may(request, services, "changes:approve", change.tenant))) throw new PlugboardError("CHANGE_NOT_ALLOWED", { what: foreign === undefined ? "a decision on this change" : "a decision on what other tenants have of it", permission: "changes:approve" });
  }

  /** What reaches every tenant is not for who works for some of them. */
  async function refuseUnlessAll(request: FastifyRequest): Promise<void> {
    if (request.caller!.assigned !== undefined || !(await may(request, services, "changes:approve"))) throw new PlugboardError("CHANGE_NOT_ALLOWED", { what: "what is in force for all tenants", permission: "changes:approve" });
  }

  // ── how it looks ────────────────────────────────────────────────────────────────────────────────────────────────────

  async function wholeView(change: StoredChange, request: FastifyRequest, withData = false): Promise<object> {
    const { plan, problems } = await planNow(change);
    const shown = plan === undefined ? null : knownPlan(request, { ...plan, warnings: problemsFor(request.tenant, plan.warnings) });
    const told = problemsFor(request.tenant, problems).filter(({ file }) => file === undefined || mayRead(request, file));
    return { ...view(change, request), edits: editsOf(change).filter(({ file }) => mayRead(request, file)), plan: shown, problems: told, data: withData && problems.length === 0 ? await dataOf(change, request) : null };
  }

  /** A draft's plan follows main; a proposal's is what was proposed. */
  async function planNow(change: StoredChange): ReturnType<typeof planOf> {
    if (change.plan !== undefined || services.review === undefined) return { ...(change.plan === undefined ? {} : { plan: change.plan as unknown as ChangePlan }), problems: [] };
    return planOf(reviewOf(services), change);
  }

  async function dataOf(change: StoredChange, request: FastifyRequest): Promise<unknown> {
    const effect = await effectOfChange(reviewOf(services), change);
    const flows = [];
    for (const flow of effect.flows) {
      if ((request.tenant !== "" && flow.tenant !== request.tenant) || !mayKnow(request, flow.tenant)) continue;
      flows.push((await may(request, services, "raw:read", flow.tenant)) ? flow : { ...flow, samples: [], reasons: flow.reasons.map(({ records }) => ({ reason: "", records })) });
    }
    return { flows, left_out: effect.left_out };
  }
}

function view(change: StoredChange, request: FastifyRequest): object {
  const { id: changeId, title: named, description: why, status, author, version, base, created_at, updated_at } = change;
  return {
    id: changeId, title: named, description: why, status, author, version, base, created_at, updated_at, own: isAuthor(change, actorOf(request)), tenant: change.tenant ?? null, branch: change.branch ?? null, commit: change.commit ?? null,
    plan_hash: change.plan_hash ?? null, approved: change.approved_hash !== undefined && change.approved_hash === change.plan_hash, decided_by: change.decided_by ?? null, decided_at: change.decided_at ?? null, reason: change.reason ?? null,
    merged_commit: change.merged_commit ?? null, revision: change.revision ?? null, before: change.before ?? null, applied_by: change.applied_by ?? null, applied_at: change.applied_at ?? null,
    // The repository holds what all customers have: a customer's own people are not led there.
    pull_request: request.tenant !== "" || change.pull_request === undefined ? null : pullRequestView(change.pull_request),
  };
}

const pullRequestView = ({ number, url, state, review, reviewers, note }: StoredPullRequest): object => ({ number, url, state, review: review ?? null, reviewers: reviewers ?? [], note: note ?? null });

async function forgeView(review: Review): Promise<object | null> {
  const trouble = (thrown: PlugboardError | undefined): object | null => thrown?.toJSON() ?? null;
  try {
    const remote = await remoteOf(review);
    return remote === undefined ? null : { name: remote.forge.name, trouble: trouble(review.forges?.trouble) };
  } catch (thrown) {
    if (!(thrown instanceof PlugboardError)) throw thrown;
    return { name: "", trouble: trouble(thrown) };
  }
}
