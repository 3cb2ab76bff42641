/**
 * GitHub, on github.com or a server of one's own. Sources: docs.github.com/en/rest/pulls/pulls, …/pulls/reviews,
 * …/commits/statuses, …/commits/commits, …/collaborators/collaborators, …/issues/comments (read 2026-11).
 */
import { PlugboardError } from "../../../engine/errors/plugboard-error.ts";
import { STATUS_CONTEXT, type Forge, type ForgeAccess, type ForgeReview, type PullRequest } from "./forge.ts";
import { gitHubApi, reasonOf, type Signed } from "./github-api.ts";
import { signInOf } from "./github-sign-in.ts";
import type { ForgeSettings } from "./settings.ts";

/** Of a status; longer ones are refused. */
const MAX_DESCRIPTION = 140;

interface RawPull { readonly number: number; readonly html_url: string; readonly state: string; readonly merged?: boolean; readonly merged_at: string | null; readonly merge_commit_sha: string | null; readonly merged_by?: { readonly login: string } | null; readonly head: { readonly sha: string; readonly ref: string }; readonly user: { readonly login: string } | null }
interface RawReview { readonly user: { readonly login: string; readonly type?: string } | null; readonly state: string; readonly commit_id: string | null }

export function createGitHub(settings: ForgeSettings, { transport, references, publicUrl }: ForgeAccess, now: () => number = Date.now): Forge {
  const { repository, branch, remote, people } = settings;
  const [owner = ""] = repository.split("/");
  const name = `${new URL(remote).host}/${repository}`;
  const at = `/repos/${repository}`;
  const api = gitHubApi({ api: settings.api, name, transport, now, signIn: () => signIn });
  const signIn: Signed = signInOf(settings, references, async (path, bearer) => (await api.ask("POST", path, { bearer, body: {}, what: "such installation of the app" })).body as { token: string; expires_at: string }, now);
  const pulls = (path: string): string => `${at}/pulls${path}`;

  const findOpen = async (head: string): Promise<PullRequest | undefined> => {
    // `head` without its owner is ignored, and everything open comes back: hence the second look.
    const found = (await api.all(pulls(`?state=open&head=${encodeURIComponent(`${owner}:${head}`)}`), "repository")) as RawPull[];
    const pull = found.find(({ head: { ref } }) => ref === head);
    return pull && pullOf(pull);
  };
  const write = async (number: number, asked: object): Promise<PullRequest> => pullOf((await api.ask("PATCH", pulls(`/${number}`), { body: asked, what: "such pull request" })).body as RawPull);

  return {
    name, repository, branch, remote, people, findOpen,
    pageOf: (change) => (publicUrl === undefined ? undefined : `${publicUrl}/changes/${change}`),
    // Any user name does, with a token as the password; this is the one that apps are told to use.
    gitHeaders: async () => ({ authorization: `Basic ${Buffer.from(`x-access-token:${await signIn.token()}`).toString("base64")}` }),

    async openPullRequest({ branch: head, title, body }) {
      const open = await findOpen(head);
      if (open !== undefined) return write(open.number, { title, body, base: branch });
      const made = await api.ask("POST", pulls(""), { body: { title, body, head, base: branch }, takes: [422] });
      if (made.status !== 422) return pullOf(made.body as RawPull);
      // Somebody, or a try of ours whose answer was lost, was quicker.
      const quicker = await findOpen(head);
      if (quicker !== undefined) return write(quicker.number, { title, body, base: branch });
      const detail = reasonOf(made.body);
      throw new PlugboardError("CHANGE_FORGE_REFUSED", { forge: name, request: "a pull request", detail, suggestion: /\bbase\b/.test(detail) ? `Check forge.branch of workspace.yaml: ${repository} has no branch ${branch}.` : "Correct what it names, and try again." });
    },
    pullRequest: async (number) => pullOf((await api.ask("GET", pulls(`/${number}`), { what: "such pull request" })).body as RawPull),
    reviews: async (number) => ((await api.all(pulls(`/${number}/reviews`), "such pull request")) as RawReview[]).flatMap(reviewOf),
    async authorOf(commit) {
      const { body } = await api.ask("GET", `${at}/commits/${commit}`, { what: "such commit" });
      return (body as { author?: { login?: string } | null }).author?.login;
    },
    async mayDecide(login) {
      const { status, body } = await api.ask("GET", `${at}/collaborators/${encodeURIComponent(login)}/permission`, { takes: [404] });
      // `maintain` counts as write there, `triage` as read.
      return status === 200 && ["admin", "write"].includes((body as { permission?: string }).permission ?? "");
    },
    async merge(number, { head, title, message }) {
      const { status, body } = await api.ask("PUT", pulls(`/${number}/merge`), { body: { sha: head, merge_method: settings.merge, commit_title: title, commit_message: message }, takes: [405, 409], what: "such pull request" });
      const detail = reasonOf(body);
      if (status === 409) throw new PlugboardError("CHANGE_STALE", { detail: `${name} does not merge it: ${detail || "its branch has moved"}` });
      const { merged, sha } = body as { merged?: boolean; sha?: string };
      if (status === 200 && merged !== false && typeof sha === "string") return sha;
      throw new PlugboardError("CHANGE_FORGE_MERGE", { forge: name, pull: `pull request ${number}`, detail: detail || `status ${status}`, suggestion: cureOf(detail, settings.merge) });
    },
    async close(number) { await write(number, { state: "closed" }); },
    async comment(number, text) { await api.ask("POST", `${at}/issues/${number}/comments`, { body: { body: text }, what: "such pull request" }); },
    async setStatus(commit, { state, description, url }) {
      const short = description.length > MAX_DESCRIPTION ? `${description.slice(0, MAX_DESCRIPTION - 1)}…` : description;
      await api.ask("POST", `${at}/statuses/${commit}`, { body: { state, description: short, context: STATUS_CONTEXT, ...(url === undefined ? {} : { target_url: url }) }, what: "such commit" });
    },
  };
}

/** A list leaves `merged` out; `merge_commit_sha` of an open one is a trial, and means nothing. */
function pullOf(raw: RawPull): PullRequest {
  const isMerged = raw.merged === true || raw.merged_at !== null;
  return {
    number: raw.number, url: /^https?:\/\//.test(raw.html_url) ? raw.html_url : "", state: isMerged ? "merged" : raw.state === "open" ? "open" : "closed", head: raw.head.sha,
    ...(raw.user === null ? {} : { opener: raw.user.login }), ...(isMerged && raw.merged_by ? { merger: raw.merged_by.login } : {}), ...(isMerged && raw.merge_commit_sha !== null ? { merged: raw.merge_commit_sha } : {}),
  };
}

const SAYS: Readonly<Record<string, ForgeReview["says"]>> = { APPROVED: "approved", CHANGES_REQUESTED: "changes_requested", DISMISSED: "dismissed", COMMENTED: "commented" };

/** One that is still being written (PENDING) is nobody's business. */
function reviewOf({ user, state, commit_id }: RawReview): ForgeReview[] {
  const says = SAYS[state];
  return says === undefined ? [] : [{ ...(user === null ? {} : { by: user.login }), isPerson: user !== null && user.type !== "Bot", says, commit: commit_id ?? "" }];
}

function cureOf(detail: string, method: string): string {
  if (/base branch was modified/i.test(detail)) return "Try again in a moment.";
  if (/(merge commits|squash merges|rebase merges) are not allowed/i.test(detail)) return `forge.merge of workspace.yaml says ${method}: choose one that the repository allows.`;
  if (/draft/i.test(detail)) return "Mark it as ready for review there.";
  if (/conflict|not mergeable/i.test(detail)) return "Bring the change up to date (rebase), look at its new plan, and have it approved again; or try again, where the forge was still at it.";
  return "Do there what it asks for (reviews, checks), then apply again; or merge it there: that is taken in by itself.";
}
