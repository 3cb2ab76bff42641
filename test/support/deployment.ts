/**
 * A deployment as an operator runs one: a workspace in Git, an empty database, `plugboard serve` and `plugboard worker` as
 * processes of their own. Whoever uses it does what people do: over HTTP, with the cookie of their session.
 */
import { spawn, type ChildProcess } from "node:child_process";
import fs from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import git from "isomorphic-git";
import { projectRoot } from "./command.ts";
import { createDatabase, dropDatabase } from "./postgres.ts";

const MAIN = path.join(projectRoot, "server", "cli", "main.ts");
const AUTHOR = { name: "Operator", email: "operator@platform.example" };
/** Milliseconds. Long: what is waited for is told at once, and a machine may be busy. */
const STARTED_WITHIN = 90_000;
const DONE_WITHIN = 60_000;

export interface Answer { readonly status: number; readonly body: any; readonly text: string }

/** Somebody at their browser, or a program with a bearer token. */
export interface Someone {
  get(url: string): Promise<Answer>;
  post(url: string, body?: unknown): Promise<Answer>;
  put(url: string, body?: unknown): Promise<Answer>;
  patch(url: string, body?: unknown): Promise<Answer>;
  delete(url: string, body?: unknown): Promise<Answer>;
}

export interface Deployment {
  readonly address: string;
  readonly workspace: string;
  /** Who made the deployment: the first super admin, made on the command line. */
  readonly operator: Someone;
  /** Who has an invitation chooses a password, and is signed in. */
  accept(invitation: { readonly token: string }): Promise<Someone>;
  signIn(email: string, password: string): Promise<Someone>;
  bearer(token: string): Someone;
  /** What a sync began is over. @returns its runs by flow. */
  runs(someone: Someone, tenant: string, started: Answer): Promise<Record<string, any>>;
  /** First lines of main's commits, newest first. */
  history(): Promise<string[]>;
  /** Everything the processes printed. */
  output(): string;
  close(): Promise<void>;
}

/** @param files of the workspace's first commit, beside the catalogue. */
export async function startDeployment(files: Readonly<Record<string, string>>): Promise<Deployment> {
  const folder = await mkdtemp(path.join(tmpdir(), "plugboard-deployment-"));
  const workspace = path.join(folder, "workspace");
  const repository = { fs, dir: workspace };
  await mkdir(workspace);
  await git.init({ ...repository, defaultBranch: "main" });
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(workspace, file)), { recursive: true });
    await writeFile(path.join(workspace, file), text);
    await git.add({ ...repository, filepath: file });
  }
  await git.commit({ ...repository, message: "Begin", author: AUTHOR });
  const url = await createDatabase();

  const children: ChildProcess[] = [];
  let printed = "";
  const { DATABASE_URL: _, PORT: __, PLUGBOARD_KEK: ___, ...environment } = process.env;
  const plugboard = (args: readonly string[], env: Readonly<Record<string, string>> = {}): { child: ChildProcess; says(pattern: RegExp): Promise<RegExpExecArray> } => {
    const child = spawn(process.execPath, [MAIN, ...args, "--workspace", workspace, "--data", path.join(folder, "data"), "--database-url", url], { cwd: folder, env: { ...environment, NO_COLOR: "1", ...env }, stdio: ["ignore", "pipe", "pipe"] });
    children.push(child);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => { text += chunk.toString(); printed += chunk.toString(); });
    return { child, says: (pattern) => until(`'plugboard ${args[0]}' to say ${pattern}`, STARTED_WITHIN, async () => {
      const found = pattern.exec(text);
      if (found === null && child.exitCode !== null) throw new Error(`plugboard ${args.join(" ")} ended with ${child.exitCode}:\n${text}`);
      return found ?? undefined;
    }) };
  };
  const close = async (): Promise<void> => {
    await Promise.all(children.filter(({ exitCode }) => exitCode === null).map((child) => new Promise((resolve) => { child.on("exit", resolve); child.kill("SIGTERM"); })));
    await dropDatabase(url);
    await rm(folder, { recursive: true, force: true });
  };

  try {
    const password = newPassword();
    const [, address] = await plugboard(["serve", "--port", "0"]).says(/Listening on (\S+);/) as unknown as [string, string];
    const worker = plugboard(["worker"]);
    await plugboard(["user", "create", "--email", AUTHOR.email, "--role", "super_admin"], { PLUGBOARD_PASSWORD: password }).says(/can sign in/);
    await worker.says(/is ready/);

    const send = async (method: string, target: string, headers: Record<string, string>, body: unknown): Promise<Answer & { readonly cookie: string | undefined }> => {
      const response = await fetch(`${address}${target}`, { method, redirect: "manual", headers: { "sec-fetch-site": "same-origin", ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      const text = await response.text();
      const json = response.headers.get("content-type")?.startsWith("application/json") === true && text !== "" ? JSON.parse(text) as unknown : undefined;
      return { status: response.status, body: json, text, cookie: response.headers.getSetCookie().map((line) => line.split(";")[0]!)[0] };
    };
    const someone = (headers: Record<string, string>): Someone => ({
      get: (target) => send("GET", target, headers, undefined), post: (target, body) => send("POST", target, headers, body), put: (target, body) => send("PUT", target, headers, body),
      patch: (target, body) => send("PATCH", target, headers, body), delete: (target, body) => send("DELETE", target, headers, body),
    });
    const enter = async (target: string, body: object): Promise<Someone> => {
      const { status, text, body: { csrf_token } = {}, cookie } = await send("POST", target, {}, body);
      if (status !== 200 || cookie === undefined) throw new Error(`POST ${target}: ${status} ${text}`);
      return someone({ cookie, "x-csrf-token": csrf_token });
    };
    const signIn = (email: string, word: string): Promise<Someone> => enter("/api/session", { email, password: word });
    return {
      address, workspace, signIn, bearer: (token) => someone({ authorization: `Bearer ${token}` }), output: () => printed, close,
      operator: await signIn(AUTHOR.email, password),
      accept: ({ token }) => enter("/api/invitations/accept", { token, password: newPassword() }),
      history: async () => (await git.log({ ...repository, ref: "main" })).map(({ commit }) => commit.message.split("\n")[0]!),
      async runs(reader, tenant, started) {
        if (started.status !== 202) throw new Error(`the sync was not started: ${started.status} ${started.text}`);
        const ended = (started.body.runs as { id: string; flow: string }[]).map(async ({ id, flow }) => [flow, await until(`run ${id} of ${tenant}/${flow}`, DONE_WITHIN, async () => {
          const { body } = await reader.get(`/api/runs/${id}?tenant=${tenant}`);
          return ["queued", "running"].includes(body.status) ? undefined : body;
        })] as const);
        return Object.fromEntries(await Promise.all(ended));
      },
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Asks again and again until there is an answer. */
export async function until<T>(what: string, milliseconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + milliseconds; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const found = await ask();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited ${milliseconds / 1000} s for ${what}`);
  }
}

/** Long, and nobody's name. */
const newPassword = (): string => `${crypto.randomUUID()}-word`;
