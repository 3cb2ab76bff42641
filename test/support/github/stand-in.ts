/**
 * GitHub for tests: the part of its REST API that a review uses, with its statuses, headers and validation errors, and the
 * repository itself over Git's smart HTTP. It listens on loopback as a server of one's own does: the API below /api/v3.
 * Sources (read 2026-11): docs.github.com/en/rest/pulls/pulls, …/pulls/reviews, …/commits/statuses, …/commits/commits,
 * …/collaborators/collaborators, …/issues/comments, …/apps/apps, …/using-the-rest-api/{rate-limits-for-the-rest-api,
 * troubleshooting-the-rest-api,using-pagination-in-the-rest-api,best-practices-for-using-the-rest-api}.
 */
import { createHash, createPublicKey } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { jwtVerify } from "jose";
import { makeBareRepository, type BareRepository } from "./bare-repository.ts";
import { serveGit } from "./git-backend.ts";

export type Permission = "contents" | "pull_requests" | "statuses" | "metadata";

export interface Pull {
  readonly number: number; title: string; body: string; readonly head: string; base: string; readonly opener: string;
  /** Of its branch, while that is there. */
  sha: string;
  state: "open" | "closed"; draft: boolean; mergedAs?: string; mergedBy?: string;
  readonly reviews: { readonly id: number; readonly login: string | null; readonly type: "User" | "Bot"; state: string; readonly commit: string }[];
  readonly comments: string[];
}

export interface SeenRequest { readonly method: string; readonly path: string; readonly query: string; readonly headers: IncomingMessage["headers"]; readonly body: unknown; status: number }

/** What it does to the next requests that fit instead of, or after, what it would. */
export interface Fault {
  readonly on: (request: { readonly method: string; readonly path: string }) => boolean;
  readonly times?: number;
  readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly json?: unknown;
  /** It does what it was asked, and the connection breaks before it says so. */
  readonly losesAnswer?: boolean;
}

export interface GitHubOptions {
  /** Where the repositories lie. */
  readonly folder: string;
  readonly repository?: string;
  /** Token → whose. */
  readonly tokens?: Readonly<Record<string, string>>;
  /** Login → what they may, and which address they have given. */
  readonly people?: Readonly<Record<string, { readonly permission: "admin" | "write" | "read"; readonly email?: string }>>;
  readonly app?: { readonly id: number; readonly installation: number; readonly publicKey: string };
  /** Its clock: milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface GitHub {
  readonly origin: string;
  readonly api: string;
  readonly repository: string;
  readonly remote: string;
  readonly bare: BareRepository;
  readonly pulls: readonly Pull[];
  readonly statuses: readonly { readonly sha: string; readonly state: string; readonly description: string; readonly context: string; readonly target_url?: string }[];
  readonly requests: SeenRequest[];
  /** Tokens that installations were given. */
  readonly issued: readonly string[];
  /** Merge methods the repository allows, what a review must be there for, and which permissions tokens lack. */
  readonly rules: { allowed: ("merge" | "squash" | "rebase")[]; requiredReviews: number; lacks: Permission[]; tokenSeconds: number };
  fault(fault: Fault): void;
  review(number: number, login: string, state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED", more?: { readonly commit?: string; readonly type?: "User" | "Bot" }): Promise<void>;
  /** The button in the browser. */
  mergeAs(number: number, login: string, how?: "merge" | "squash" | "rebase"): Promise<string>;
  closeAs(number: number): void;
  close(): Promise<void>;
}

const DOCS = "https://docs.github.com/rest";
const MAX_BODY = 65_536;

class Refusal extends Error {
  readonly status: number;
  readonly json: object;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, message: string, more: object = {}, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.json = { message, ...more, documentation_url: DOCS, status: String(status) };
    this.headers = headers;
  }
}

const invalid = (...errors: readonly object[]): Refusal => new Refusal(422, "Validation Failed", { errors });

export async function startGitHub({ folder, repository = "acme/plugboard-config", tokens = {}, people = {}, app, now = Date.now }: GitHubOptions): Promise<GitHub> {
  const [owner = "", name = ""] = repository.split("/");
  const bare = await makeBareRepository(path.join(folder, owner, `${name}.git`));
  const [pulls, statuses, requests, faults]: [Pull[], GitHub["statuses"][number][], SeenRequest[], { fault: Fault; left: number }[]] = [[], [], [], []];
  const issued = new Map<string, number>();
  const rules: GitHub["rules"] = { allowed: ["merge", "squash", "rebase"], requiredReviews: 0, lacks: [], tokenSeconds: 3600 };
  let [used, reviews] = [0, 0];

  const userOf = (token: string | undefined): string | undefined => {
    if (token === undefined) return undefined;
    const until = issued.get(token);
    return until === undefined ? tokens[token] : until > now() ? "plugboard[bot]" : undefined;
  };

  /** A pull request follows its branch; without it, it is closed; once its commits are in the base, it is merged. */
  const brought = async (pull: Pull): Promise<Pull> => {
    if (pull.state !== "open") return pull;
    const head = await bare.headOf(pull.head);
    if (head === undefined) { pull.state = "closed"; return pull; }
    pull.sha = head;
    if (await bare.isAncestor(head, (await bare.headOf(pull.base))!)) Object.assign(pull, { state: "closed", mergedAs: head });
    return pull;
  };
  const view = (pull: Pull, isWhole: boolean): object => ({
    url: `${api}/repos/${repository}/pulls/${pull.number}`, id: 1000 + pull.number, number: pull.number, html_url: `${origin}/${repository}/pull/${pull.number}`, state: pull.state, locked: false, title: pull.title, body: pull.body, draft: pull.draft,
    user: { login: pull.opener, type: pull.opener.endsWith("[bot]") ? "Bot" : "User" }, created_at: "2026-11-21T10:00:00Z", updated_at: "2026-11-21T10:00:00Z", closed_at: pull.state === "open" ? null : "2026-11-21T11:00:00Z",
    merged_at: pull.mergedAs === undefined ? null : "2026-11-21T11:00:00Z", merge_commit_sha: pull.mergedAs ?? "f".repeat(40), head: { label: `${owner}:${pull.head}`, ref: pull.head, sha: pull.sha }, base: { label: `${owner}:${pull.base}`, ref: pull.base },
    ...(isWhole ? { merged: pull.mergedAs !== undefined, merged_by: pull.mergedBy === undefined ? null : { login: pull.mergedBy }, mergeable: true } : {}),
  });
  const needs = (permission: Permission, level: "read" | "write" = "write"): void => {
    if (rules.lacks.includes(permission)) throw new Refusal(403, "Resource not accessible by personal access token", {}, { "x-accepted-github-permissions": `${permission}=${level}` });
  };
  const find = async (number: string): Promise<Pull> => {
    const pull = pulls.find((each) => each.number === Number(number));
    if (pull === undefined) throw new Refusal(404, "Not Found");
    return brought(pull);
  };

  async function create(asked: Record<string, unknown>, opener: string): Promise<Pull> {
    needs("pull_requests");
    const [title, head, base, body] = [asked["title"], String(asked["head"] ?? "").replace(`${owner}:`, ""), String(asked["base"] ?? ""), String(asked["body"] ?? "")];
    if (typeof title !== "string" || title.trim() === "") throw invalid({ resource: "Issue", field: "title", code: "missing_field" });
    if (title.length > 256) throw invalid({ resource: "Issue", field: "title", code: "custom", message: "title is too long (maximum is 256 characters)" });
    checkBody(body);
    const [from, to] = [await bare.headOf(head), await bare.headOf(base)];
    if (to === undefined) throw invalid({ resource: "PullRequest", field: "base", code: "invalid" });
    if (from === undefined) throw invalid({ resource: "PullRequest", field: "head", code: "invalid" });
    for (const pull of pulls) if (pull.head === head && (await brought(pull)).state === "open") throw invalid({ resource: "PullRequest", code: "custom", message: `A pull request already exists for ${owner}:${head}.` });
    if (await bare.isAncestor(from, to)) throw invalid({ resource: "PullRequest", code: "custom", message: `No commits between ${base} and ${head}` });
    const pull: Pull = { number: pulls.length + 1, title, body, head, base, opener, sha: from, state: "open", draft: asked["draft"] === true, reviews: [], comments: [] };
    pulls.push(pull);
    return pull;
  }

  async function merge(pull: Pull, { sha, how, title, message, by }: { readonly sha?: string | undefined; readonly how: "merge" | "squash" | "rebase"; readonly title: string; readonly message: string; readonly by: string }): Promise<string> {
    if (pull.draft) throw new Refusal(405, "Pull Request is still a draft");
    if (pull.state !== "open") throw new Refusal(405, "Pull Request is not mergeable");
    if (!rules.allowed.includes(how)) throw new Refusal(405, { merge: "Merge commits are not allowed on this repository.", squash: "Squash merges are not allowed on this repository.", rebase: "Rebase merges are not allowed on this repository." }[how]);
    if (sha !== undefined && sha !== pull.sha) throw new Refusal(409, "Head branch was modified. Review and try the merge again.");
    const approving = pull.reviews.filter(({ state, commit }) => state === "APPROVED" && commit === pull.sha).length;
    if (approving < rules.requiredReviews) throw new Refusal(405, `At least ${rules.requiredReviews} approving review is required by reviewers with write access.`);
    const base = (await bare.headOf(pull.base))!;
    const commit = await bare.merge(base, pull.sha, how, message === "" ? title : `${title}\n\n${message}`, by);
    if (commit === undefined) throw new Refusal(405, "Pull Request is not mergeable");
    await bare.git("update-ref", `refs/heads/${pull.base}`, commit, base);
    Object.assign(pull, { state: "closed", mergedAs: commit, mergedBy: by });
    return commit;
  }

  async function answer(request: { readonly method: string; readonly path: string; readonly query: URLSearchParams; readonly body: Record<string, unknown>; readonly user: string }): Promise<{ readonly status: number; readonly json: unknown; readonly list?: boolean }> {
    const { method, query, body, user } = request;
    const prefix = `/repos/${repository}`;
    if (!request.path.startsWith(`${prefix}/`)) throw new Refusal(404, "Not Found");
    const [room = "", id = "", what = "", more = ""] = request.path.slice(prefix.length + 1).split("/").map(decodeURIComponent);
    const called = `${method} ${room}${id === "" ? "" : "/:id"}${what === "" ? "" : `/${what}`}`;
    if (called === "GET pulls") {
      needs("pull_requests", "read");
      const [state, head, base] = [query.get("state") ?? "open", query.get("head"), query.get("base")];
      const all = await Promise.all(pulls.map(brought));
      // A filter that is not `owner:branch` is ignored.
      return { status: 200, list: true, json: all.filter((pull) => (state === "all" || pull.state === state) && (!head?.includes(":") || head === `${owner}:${pull.head}`) && (base === null || base === pull.base)).toReversed().map((pull) => view(pull, false)) };
    }
    if (called === "POST pulls") return { status: 201, json: view(await create(body, user), true) };
    if (called === "GET pulls/:id") { needs("pull_requests", "read"); return { status: 200, json: view(await find(id), true) }; }
    if (called === "PATCH pulls/:id") {
      needs("pull_requests");
      const pull = await find(id);
      if (typeof body["body"] === "string") { checkBody(body["body"]); pull.body = body["body"]; }
      if (typeof body["title"] === "string") pull.title = body["title"];
      if (typeof body["base"] === "string") pull.base = body["base"];
      if (body["state"] === "closed" && pull.mergedAs === undefined) pull.state = "closed";
      return { status: 200, json: view(pull, true) };
    }
    if (called === "GET pulls/:id/reviews") {
      needs("pull_requests", "read");
      return { status: 200, list: true, json: (await find(id)).reviews.map(({ id: of, login, type, state, commit }) => ({ id: of, user: login === null ? null : { login, type }, body: "", state, commit_id: commit, submitted_at: "2026-11-21T10:30:00Z", author_association: "MEMBER" })) };
    }
    if (called === "PUT pulls/:id/merge") {
      needs("contents");
      const pull = await find(id);
      const sha = await merge(pull, { sha: body["sha"] as string | undefined, how: (body["merge_method"] as "merge" | undefined) ?? "merge", title: String(body["commit_title"] ?? pull.title), message: String(body["commit_message"] ?? ""), by: user });
      return { status: 200, json: { sha, merged: true, message: "Pull Request successfully merged" } };
    }
    if (called === "POST issues/:id/comments") {
      needs("pull_requests");
      (await find(id)).comments.push(String(body["body"]));
      return { status: 201, json: { id: 1, body: body["body"], user: { login: user } } };
    }
    if (called === "POST statuses/:id") {
      needs("statuses");
      if (!(await bare.has(id))) throw new Refusal(422, `No commit found for SHA: ${id}`);
      const [state, description, context] = [String(body["state"]), String(body["description"] ?? ""), String(body["context"] ?? "default")];
      if (!["error", "failure", "pending", "success"].includes(state)) throw invalid({ resource: "Status", field: "state", code: "custom", message: "state is not included in the list" });
      if (description.length > 140) throw invalid({ resource: "Status", field: "description", code: "custom", message: "description is too long (maximum is 140 characters)" });
      const made = { sha: id, state, description, context, ...(typeof body["target_url"] === "string" ? { target_url: body["target_url"] } : {}) };
      statuses.push(made);
      return { status: 201, json: { ...made, id: statuses.length } };
    }
    if (called === "GET commits/:id") {
      needs("contents", "read");
      if (!(await bare.has(id))) throw new Refusal(422, `No commit found for SHA: ${id}`);
      const author = await bare.authorOf(id);
      const [login] = Object.entries(people).find(([, { email }]) => email === author.email) ?? [];
      return { status: 200, json: { sha: id, commit: { author }, author: login === undefined ? null : { login, type: "User" }, committer: null } };
    }
    if (called === "GET collaborators/:id/permission") {
      needs("metadata", "read");
      const person = people[id];
      if (person === undefined) throw new Refusal(404, "Not Found");
      return { status: 200, json: { permission: person.permission, role_name: person.permission, user: { login: id } } };
    }
    throw new Refusal(404, "Not Found", { called, more });
  }

  /** Bearer: a statement that the app signed. */
  async function installationToken(installation: string, bearer: string): Promise<object> {
    const failed = (message: string): Refusal => new Refusal(401, message);
    if (app === undefined || Number(installation) !== app.installation) throw new Refusal(404, "Not Found");
    const { payload } = await jwtVerify(bearer, createPublicKey(app.publicKey), { algorithms: ["RS256"], currentDate: new Date(now()) }).catch(() => { throw failed("A JSON web token could not be decoded"); });
    if (payload.iss !== String(app.id)) throw failed("'Issuer' claim ('iss') must be the app's id");
    if ((payload.exp ?? Infinity) - now() / 1000 > 600) throw failed("'Expiration time' claim ('exp') is too far in the future");
    if ((payload.iat ?? Infinity) > now() / 1000) throw failed("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
    const until = now() + rules.tokenSeconds * 1000;
    const token = `ghs_${createHash("sha256").update(`${issued.size} ${bearer}`).digest("hex").slice(0, 36)}`;
    issued.set(token, until);
    return { token, expires_at: new Date(until).toISOString().replace(/\.\d+Z$/, "Z"), permissions: { contents: "write", pull_requests: "write", statuses: "write", metadata: "read" }, repository_selection: "selected" };
  }

  async function rest(request: IncomingMessage, response: ServerResponse, url: URL, raw: Buffer): Promise<void> {
    const where = { method: request.method ?? "GET", path: url.pathname.slice("/api/v3".length) };
    const body = (raw.length === 0 ? {} : JSON.parse(raw.toString("utf8"))) as Record<string, unknown>;
    const seen: SeenRequest = { ...where, query: url.search, headers: request.headers, body, status: 0 };
    requests.push(seen);
    const limits = { "x-ratelimit-limit": "5000", "x-ratelimit-remaining": String(5000 - used), "x-ratelimit-used": String(used), "x-ratelimit-reset": String(Math.floor(Date.now() / 1000) + 1800), "x-ratelimit-resource": "core", "x-github-api-version-selected": String(request.headers["x-github-api-version"] ?? "2022-11-28") };
    const say = (status: number, json: unknown, headers: Readonly<Record<string, string>> = {}): void => {
      seen.status = status;
      const text = status === 304 ? "" : JSON.stringify(json);
      response.writeHead(status, { ...(status === 304 ? {} : { "content-type": "application/json; charset=utf-8" }), ...limits, ...headers }).end(text);
    };
    const fault = faultFor(where);
    if (fault?.status !== undefined) return say(fault.status, fault.json ?? { message: "Server Error" }, fault.headers);
    try {
      if (request.headers["user-agent"] === undefined) throw new Refusal(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header");
      const bearer = /^(?:Bearer|token) (.+)$/.exec(request.headers.authorization ?? "")?.[1];
      const installation = /^\/app\/installations\/(\d+)\/access_tokens$/.exec(where.path)?.[1];
      if (installation !== undefined && where.method === "POST") return say(201, await installationToken(installation, bearer ?? ""));
      const user = userOf(bearer);
      if (user === undefined) throw new Refusal(401, "Bad credentials");
      const made = await answer({ ...where, query: url.searchParams, body, user });
      if (fault?.losesAnswer) return void response.destroy();
      const { json, link } = made.list ? paged(made.json as unknown[], url) : { json: made.json, link: {} };
      const etag = `W/"${createHash("sha256").update(JSON.stringify(json)).digest("hex")}"`;
      if (where.method === "GET" && request.headers["if-none-match"] === etag) return say(304, undefined, { etag });
      used += 1;
      say(made.status, json, { ...link, ...(where.method === "GET" ? { etag } : {}) });
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown;
      say(thrown.status, thrown.json, thrown.headers);
    }
  }

  const faultFor = (where: { readonly method: string; readonly path: string }): Fault | undefined => {
    const found = faults.find(({ fault, left }) => left > 0 && fault.on(where));
    if (found) found.left -= 1;
    return found?.fault;
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const url = new URL(request.url ?? "/", origin);
      const body = Buffer.concat(chunks);
      if (url.pathname.startsWith("/api/v3/")) return void rest(request, response, url, body).catch((thrown: unknown) => response.writeHead(500).end(String((thrown as Error).stack)));
      const seen: SeenRequest = { method: request.method ?? "GET", path: url.pathname, query: url.search, headers: request.headers, body: undefined, status: 0 };
      requests.push(seen);
      const fault = faultFor(seen);
      if (fault?.status !== undefined) return void response.writeHead(fault.status, fault.headers).end("fault");
      const token = Buffer.from(/^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "", "base64").toString("utf8").split(":")[1];
      const user = userOf(token);
      if (user === undefined) return void response.writeHead(401, { "www-authenticate": 'Basic realm="GitHub"' }).end("Bad credentials");
      if (!url.pathname.startsWith(`/${repository}.git/`)) return void response.writeHead(404).end("Repository not found.");
      if (rules.lacks.includes("contents") && url.href.includes("git-receive-pack")) return void response.writeHead(403).end(`remote: Permission to ${repository}.git denied to ${user}.`);
      serveGit(request, response, { root: folder, user, body });
    });
  });
  let origin = "";
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api = `${origin}/api/v3`;
  const one = (number: number): Pull => pulls.find((pull) => pull.number === number)!;

  return {
    origin, api, repository, remote: `${origin}/${repository}.git`, bare, pulls, statuses, requests, rules,
    get issued() { return [...issued.keys()]; },
    fault(fault) { faults.push({ fault, left: fault.times ?? 1 }); },
    async review(number, login, state, { commit, type = "User" } = {}) {
      const pull = await brought(one(number));
      if (state === "DISMISSED") { for (const review of pull.reviews) if (review.login === login) review.state = "DISMISSED"; return; }
      if (login === pull.opener) throw new Error("Can not approve your own pull request");
      pull.reviews.push({ id: ++reviews, login, type, state, commit: commit ?? pull.sha });
    },
    mergeAs: async (number, login, how = "merge") => merge(await brought(one(number)), { how, title: `Merge pull request #${number}`, message: "", by: login }),
    closeAs(number) { one(number).state = "closed"; },
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(() => { resolve(); }); }),
  };
}

function checkBody(body: string): void {
  if ([...body].length > MAX_BODY) throw invalid({ resource: "Issue", field: "body", code: "custom", message: `body is too long (maximum is ${MAX_BODY} characters)` });
}

/** `per_page` (30 at first, at most 100), `page`, and where the others are. */
function paged(all: readonly unknown[], url: URL): { readonly json: readonly unknown[]; readonly link: Readonly<Record<string, string>> } {
  const [size, page] = [Math.min(100, Number(url.searchParams.get("per_page") ?? 30)), Number(url.searchParams.get("page") ?? 1)];
  const last = Math.max(1, Math.ceil(all.length / size));
  const at = (number: number): string => { const other = new URL(url); other.searchParams.set("page", String(number)); return `<${other.href}>`; };
  const links = [...(page > 1 ? [`${at(1)}; rel="first"`, `${at(page - 1)}; rel="prev"`] : []), ...(page < last ? [`${at(page + 1)}; rel="next"`, `${at(last)}; rel="last"`] : [])];
  return { json: all.slice((page - 1) * size, page * size), link: links.length === 0 ? {} : { link: links.join(", ") } };
}
