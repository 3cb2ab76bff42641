/**
 * The whole product in this process, for tests in a browser: PostgreSQL, worker, the demo's stand-ins and its workspace as a
 * real Git repository that wants another's approval (`review: other`), somebody of every role, Studio as it is built, and
 * one Chromium. `chromiumPath` is undefined where there is none: tests then say that they skip.
 */
import fs from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import git from "isomorphic-git";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { createTransport } from "../../engine/components/transport/http.ts";
import { openJobs, startWorker, triggerRun } from "../../engine/jobs/index.ts";
import type { Jobs } from "../../engine/jobs/index.ts";
import { addSession, createKeyring, generateKey, getRun, PLATFORM, setConnection, withTenant, type Database, type Keyring, type Run } from "../../engine/store/index.ts";
import { roles, isStaff, type Role } from "../../server/api/permissions.ts";
import { createServer } from "../../server/api/server.ts";
import { applyLocated } from "../../server/cli/apply.ts";
import { referencesOf } from "../../server/cli/references.ts";
import { startDemo, type Demo } from "../../server/demo/index.ts";
import { createUser } from "../../server/people/create-user.ts";
import { csrfTokenOf, hashSession, makeSessionToken, SESSION_COOKIE } from "../../server/people/session-cookie.ts";
import { openWorkspace, syncMain, watchMain, type ReviewedWorkspace } from "../../server/review/index.ts";
import { allowPrivate, readWorkspace, returnOrigins } from "../../server/workspace/locate.ts";
import { openBrowser } from "./browser.ts";
import { studioForTests } from "./built-studio.ts";
import { testDatabase } from "./postgres.ts";

export { chromiumPath, restingMiddle, signIn } from "./browser.ts";

/** Of everybody here. */
export const PASSWORD = "three blue herons on a kite";

export interface StudioPerson { readonly id: string; readonly email: string; readonly password: string; readonly role: Role; readonly tenant: string }

export interface StudioOptions {
  /** Files of the workspace that are written otherwise; null: taken away. Committed before anything is applied. */
  readonly files?: Readonly<Record<string, string | null>>;
  /** Private addresses beside the stand-ins' that may be reached: `127.0.0.1:4321`. */
  readonly mayReach?: readonly string[];
  /** Flows that have run before the test begins: `acme/learners`. They are connected as the demo connects them. @default none */
  readonly ran?: readonly string[];
  /** Connections as the demo has them, without running anything. @default false, unless something `ran` */
  readonly connected?: boolean;
}

export interface OpenOptions { readonly width?: number; readonly height?: number; readonly dark?: boolean }

export interface Studio {
  readonly url: string;
  readonly db: Database;
  /** Of the database, as the server's own user. */
  readonly databaseUrl: string;
  readonly keyring: Keyring;
  readonly jobs: Jobs;
  readonly demo: Demo;
  readonly workspace: ReviewedWorkspace;
  readonly workspaceDir: string;
  readonly browser: Browser;
  /** Somebody of a role: staff of the operator, others of the first tenant. `second` is another super admin. */
  person(role: Role | "second"): StudioPerson;
  /** A page of somebody who is signed in; everything that went wrong in it is in `errorsOf(page)`. Without a person: signed out. */
  open(person: StudioPerson | undefined, at: string, options?: OpenOptions): Promise<Page>;
  /** What a page said in red: console errors, exceptions, answers of 500 and above. */
  errorsOf(page: Page): readonly string[];
  /** The API as somebody. @returns the answer's JSON. @throws when it is not a success */
  api<Answer = unknown>(person: StudioPerson, method: string, path: string, body?: unknown): Promise<Answer>;
  /** The run, once it is over. */
  ended(tenant: string, run: string): Promise<Run>;
  /** A file of a commit of the workspace. */
  fileAt(ref: string, file: string): Promise<string>;
  close(): Promise<void>;
}

const AUTHOR = { name: "Test", email: "test@plugboard.example" };

export async function openStudio({ files = {}, mayReach = [], ran = [], connected = ran.length > 0 }: StudioOptions = {}): Promise<Studio> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => { for (const step of closing.splice(0).reverse()) await step(); };
  try {
    const studio = await studioForTests();
    const folder = await mkdtemp(path.join(tmpdir(), "plugboard-studio-"));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const database = await testDatabase();
    closing.push(() => database.close());
    const { db } = database;
    const keyring = await createKeyring({ value: generateKey() });
    closing.push(async () => { keyring.close(); });
    const demo = await startDemo({ folder, log: () => undefined });
    closing.push(() => demo.close());
    const { workspaceDir } = demo;
    await commitFiles(workspaceDir, { "workspace.yaml": (await readFile(path.join(workspaceDir, "workspace.yaml"), "utf8")).replace("review: self ", "review: other").replace(/allow_private:.*\n/, (line) => [line.trimEnd(), ...mayReach.map((host) => `    - ${host}`), ""].join("\n")), ...files });

    const located = readWorkspace(workspaceDir, workspaceDir);
    const plans = await applyLocated(db, located);
    if (connected) {
      for (const { tenant, connection, config, secrets } of demo.connections) {
        const plan = plans.get(tenant);
        const connector = plan && plan.connectors[plan.connections[connection]?.connector ?? ""]?.id;
        if (connector !== undefined) await setConnection(db, keyring, tenant, connection, { connector, config, secrets });
      }
    }
    const jobs = await openJobs({ db, works: true, onError: () => undefined });
    closing.push(() => jobs.close());
    const allowed = allowPrivate(located.workspace);
    const references = referencesOf(located.workspace, {});
    const transport = createTransport({ allowPrivate: allowed });
    const worker = startWorker({ jobs, keyring, transport, references, schedules: true, onError: () => undefined });
    closing.push(async () => { await worker.stop(2000); await transport.close(); });
    const workspace = await openWorkspace(workspaceDir);
    await syncMain({ db, keyring, workspace }, { acceptHistory: true });
    closing.push(watchMain({ db, keyring, workspace }, () => undefined));
    const server = await createServer({ db, jobs, keyring, workspace, studio, allowPrivate: allowed, references, returnOrigins: returnOrigins(located.workspace), logLevel: "silent" });
    closing.push(() => server.close());
    await server.listen({ host: "127.0.0.1", port: 0 });
    const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;

    const tenants = [...plans.keys()];
    const people = await makePeople(db, tenants);
    const browser = await openBrowser();
    closing.push(() => browser.close());
    const errors = new Map<Page, string[]>();
    const contextOf = contexts(browser);
    const sessionOf = sessions(db);

    const ended = async (tenant: string, run: string): Promise<Run> => {
      for (const end = Date.now() + 30_000; ; await new Promise((resolve) => setTimeout(resolve, 25))) {
        const found = await getRun(db, tenant, run);
        if (found?.finished_at !== undefined) return found;
        if (Date.now() > end) throw new Error(`run ${run} is still ${found?.status}`);
      }
    };
    const runs = await Promise.all(ran.map(async (each) => {
      const [tenant = "", flow = ""] = each.split("/");
      const created = await triggerRun(jobs.queue, db, tenant, { flow, connection: plans.get(tenant)!.flows[flow]!.connection, trigger: "api", requestedBy: "test" });
      return { tenant, id: created!.run!.id };
    }));
    for (const { tenant, id } of runs) await ended(tenant, id);

    return {
      url, db, databaseUrl: database.url, keyring, jobs, demo, workspace, workspaceDir, browser, ended, close,
      person: (role) => people.get(role)!,
      async open(person, at, { width = 1440, height = 900, dark = false } = {}) {
        const context = await contextOf(person?.id, { width, height, dark });
        if (person !== undefined) await context.addCookies([{ name: SESSION_COOKIE, value: await sessionOf(person), url: url.replace("http:", "https:"), secure: true, httpOnly: true, sameSite: "Lax" }]);
        const page = await context.newPage();
        closeAfterTest(page);
        page.setDefaultTimeout(20_000);
        const said: string[] = [];
        errors.set(page, said);
        page.on("console", (message) => { if (message.type() === "error" && !/Failed to load resource/.test(message.text())) said.push(message.text()); });
        page.on("pageerror", (error) => said.push(`${error.name}: ${error.message}`));
        page.on("response", (response) => { if (response.status() >= 500) said.push(`${response.status()} ${response.url()}`); });
        await page.goto(`${url}${at}`);
        return page;
      },
      errorsOf: (page) => errors.get(page) ?? [],
      async api<Answer>(person: StudioPerson, method: string, route: string, body?: unknown) {
        const token = await sessionOf(person);
        const response = await fetch(`${url}${route}`, { method, headers: { cookie: `${SESSION_COOKIE}=${token}`, "x-csrf-token": csrfTokenOf(token), "sec-fetch-site": "same-origin", ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
        const text = await response.text();
        if (!response.ok) throw new Error(`${method} ${route} answered ${response.status}: ${text}`);
        return (text === "" ? undefined : JSON.parse(text)) as Answer;
      },
      async fileAt(ref, file) {
        const oid = await git.resolveRef({ fs, dir: workspaceDir, ref }).catch(() => ref);
        const { blob } = await git.readBlob({ fs, dir: workspaceDir, oid, filepath: file });
        return Buffer.from(blob).toString("utf8");
      },
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Commits files of a workspace as somebody with an editor would. @returns the commit. */
export async function commitFiles(dir: string, files: Readonly<Record<string, string | null>>): Promise<string> {
  for (const [file, text] of Object.entries(files)) {
    const at = path.join(dir, file);
    if (text === null) {
      await rm(at, { force: true });
      await git.remove({ fs, dir, filepath: file });
      continue;
    }
    await mkdir(path.dirname(at), { recursive: true });
    await writeFile(at, text);
    await git.add({ fs, dir, filepath: file });
  }
  return git.commit({ fs, dir, message: "Prepare the test", author: AUTHOR });
}

/** Tenant roles are of the first tenant; engineers work for all of them. Without tenants there is only staff. */
async function makePeople(db: Database, tenants: readonly string[]): Promise<Map<string, StudioPerson>> {
  const people = new Map<string, StudioPerson>();
  for (const key of ["second", ...roles] as const) {
    const role: Role = key === "second" ? "super_admin" : key;
    const tenant = isStaff(role) ? PLATFORM : tenants[0];
    if (tenant === undefined) continue;
    const email = `${key.replaceAll("_", ".")}@plugboard.example`;
    const id = await createUser(db, { email, name: `${key.replaceAll("_", " ")}`, role, tenant, password: PASSWORD, ...(role === "integration_engineer" ? { assigned: tenants } : {}) }, { kind: "command", id: "test", name: "test" });
    people.set(key, { id, email, password: PASSWORD, role, tenant });
  }
  return people;
}

/** Whose pages look alike share what a browser keeps: the files are fetched once. Who is signed out is somebody new each time. */
function contexts(browser: Browser): (person: string | undefined, look: Required<OpenOptions>) => Promise<BrowserContext> {
  const known = new Map<string, Promise<BrowserContext>>();
  return (person, { width, height, dark }) => {
    const key = `${person} ${width} ${height} ${dark}`;
    const context = (person === undefined ? undefined : known.get(key))
      ?? browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", reducedMotion: "reduce", timezoneId: "Europe/London", locale: "en-GB" });
    known.set(key, context);
    return context;
  };
}

/** A page that is left open goes on asking and drawing beside the tests that follow. What it kept for its person goes with it. */
function closeAfterTest(page: Page): void {
  try {
    onTestFinished(async () => {
      await page.evaluate(() => { localStorage.clear(); sessionStorage.clear(); }).catch(() => undefined);
      await page.close();
    });
  } catch {
    // Opened outside of a test, or by a script: it stays as long as its browser.
  }
}

/** One session a person, made when it is first needed. */
function sessions(db: Database): (person: StudioPerson) => Promise<string> {
  const tokens = new Map<string, Promise<string>>();
  return (person) => {
    const known = tokens.get(person.id);
    if (known !== undefined) return known;
    const made = (async () => {
      const token = makeSessionToken();
      await withTenant(db, PLATFORM, (tx) => addSession(tx, { hash: hashSession(token), user: person.id }));
      return token;
    })();
    tokens.set(person.id, made);
    return made;
  };
}
