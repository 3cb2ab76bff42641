/** A server over a workspace that is a real Git repository, with the operator's key and keys of tenants. */
import fs from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { FastifyInstance } from "fastify";
import git from "isomorphic-git";
import { openJobs, type Jobs } from "../../../engine/jobs/index.ts";
import { addMembership, addSession, addUser, createKeyring, generateKey, PLATFORM, setAssignments, withTenant, type Actor, type Keyring } from "../../../engine/store/index.ts";
import { issueKey } from "../../../server/api/first-key.ts";
import type { Role } from "../../../server/api/permissions.ts";
import { createServer } from "../../../server/api/server.ts";
import { csrfTokenOf, hashSession, makeSessionToken, SESSION_COOKIE } from "../../../server/people/session-cookie.ts";
import { applyChange, approve, openWorkspace, syncMain, type Review } from "../../../server/review/index.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

export interface OrgRig {
  readonly at: TestDatabase;
  readonly keyring: Keyring;
  readonly jobs: Jobs;
  readonly review: Review;
  readonly root: string;
  readonly server: FastifyInstance;
  readonly operator: string;
  key(tenant: string, scopes?: readonly string[]): Promise<string>;
  call(method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE", url: string, body?: unknown, options?: { key?: string; headers?: Record<string, string>; as?: Record<string, string> }): Promise<{ status: number; body: any; text: string }>;
  /** Somebody with a session; what their browser sends. Staff belong to `platform`; an engineer works for `assigned`. */
  person(role: Role, tenant?: string, assigned?: readonly string[]): Promise<Record<string, string>>;
  /** What a colleague does with a proposed change. */
  accept(change: { id: string; plan: { hash: string } }): Promise<void>;
  /** Committed to main by hand, and put in force. */
  commit(files: Record<string, string | null>): Promise<void>;
  log(): Promise<string[]>;
  close(): Promise<void>;
}

const AUTHOR = { name: "test", email: "test@example.com" };
const COLLEAGUE: Actor = { kind: "user", id: "colleague", name: "colleague@example.com" };

export async function orgRig(files: Record<string, string> = {}): Promise<OrgRig> {
  const root = await mkdtemp(path.join(tmpdir(), "plugboard-org-"));
  const repository = { fs, dir: root };
  await git.init({ ...repository, defaultBranch: "main" });
  const write = async (changed: Record<string, string | null>, message: string): Promise<void> => {
    for (const [file, text] of Object.entries(changed)) {
      await mkdir(path.dirname(path.join(root, file)), { recursive: true });
      if (text === null) { await rm(path.join(root, file)); await git.remove({ ...repository, filepath: file }); continue; }
      await writeFile(path.join(root, file), text);
      await git.add({ ...repository, filepath: file });
    }
    await git.commit({ ...repository, message, author: AUTHOR });
  };
  await write({ "workspace.yaml": "name: Test\ncatalogue: builtin\nreview: self\n", ...files }, "begin");
  const at = await testDatabase();
  const keyring = await createKeyring({ value: generateKey() });
  const jobs = await openJobs({ db: at.db, works: false, onError: () => undefined });
  const workspace = await openWorkspace(root);
  const review: Review = { db: at.db, workspace, keyring };
  await syncMain(review);
  const server = await createServer({ db: at.db, jobs, keyring, workspace, domain: "example.com", logLevel: "silent" });
  const operator = await issueKey(at.db, { name: "operator", scopes: ["*"] });
  return {
    at, keyring, jobs, review, root, server, operator,
    key: (tenant, scopes = ["*"]) => issueKey(at.db, { name: tenant, scopes: [...scopes], tenant }),
    async person(role, tenant = PLATFORM, assigned = []) {
      const token = makeSessionToken();
      await withTenant(at.db, tenant, async (tx) => {
        const user = (await addUser(tx, { email: `${role}-${token.slice(0, 8).toLowerCase()}@example.org`, name: role }))!;
        await addMembership(tx, user, role);
        if (assigned.length > 0) await setAssignments(tx, user, assigned);
        await addSession(tx, { hash: hashSession(token), user });
      });
      return { cookie: `${SESSION_COOKIE}=${token}`, "x-csrf-token": csrfTokenOf(token), "sec-fetch-site": "same-origin" };
    },
    async call(method, url, body, { key = operator, headers = {}, as } = {}) {
      const answer = await server.inject({ method, url, headers: { ...(as ?? { authorization: `Bearer ${key}` }), ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }) });
      const parsed: unknown = answer.headers["content-type"]?.toString().startsWith("application/json") ? answer.json() : undefined;
      return { status: answer.statusCode, body: parsed as any, text: answer.body };
    },
    async accept({ id, plan }) {
      await approve(review, id, COLLEAGUE, plan.hash);
      await applyChange(review, id, COLLEAGUE);
    },
    async commit(changed) {
      await write(changed, "by hand");
      const synced = await syncMain(review);
      if (synced.status === "refused") throw new Error(synced.alarm.message);
    },
    log: async () => (await git.log({ ...repository, ref: "main" })).map(({ commit }) => commit.message.trim()),
    async close() {
      await server.close();
      await jobs.close();
      keyring.close();
      await at.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
