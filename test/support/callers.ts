/**
 * A server with two tenants and somebody for every role: a session with its cookie and its token against forged requests, as a
 * browser has them. Staff belong to the operator; the engineer works for `acme` only.
 */
import { randomBytes } from "node:crypto";
import type { FastifyInstance, InjectOptions } from "fastify";
import type { LightMyRequestResponse } from "fastify";
import { addMembership, addSession, addUser, currentRevision, PLATFORM, readPlan, saveRevision, setAssignments, withTenant } from "../../engine/store/index.ts";
import type { JsonObject } from "../../engine/manifest/types.ts";
import { issueKey } from "../../server/api/first-key.ts";
import { isStaff, roles, type Role } from "../../server/api/permissions.ts";
import { createServer, type ServerOptions } from "../../server/api/server.ts";
import { hashPassword } from "../../server/people/passwords.ts";
import { csrfTokenOf, hashSession, makeSessionToken, SESSION_COOKIE } from "../../server/people/session-cookie.ts";
import { rig, type Rig } from "../engine/jobs/rig.ts";

export const TENANTS = ["acme", "bolt"] as const;
export type TenantName = (typeof TENANTS)[number];
/** Of everybody here. */
export const PASSWORD = "three blue herons on a kite";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface PersonCaller {
  readonly id: string;
  readonly email: string;
  readonly role: Role;
  /** Where they are a member. */
  readonly tenant: string;
  /** What their browser sends: with `headers` of an inject of your own. */
  readonly headers: Readonly<Record<string, string>>;
  call(method: Method, url: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<LightMyRequestResponse>;
  get(url: string): Promise<LightMyRequestResponse>;
}

export interface Stage {
  readonly rig: Rig;
  readonly server: FastifyInstance;
  /** The operator's key, with every scope; and one of each tenant. */
  readonly operatorKey: string;
  readonly keys: Readonly<Record<TenantName, string>>;
  /** Of staff the tenant does not count. */
  as(role: Role, tenant?: TenantName): PersonCaller;
  /** With a bearer, or without anything. */
  bearer(token: string | undefined, method: Method, url: string, body?: unknown): Promise<LightMyRequestResponse>;
  /** One more person with a session. */
  person(role: Role, tenant: string, email?: string): Promise<PersonCaller>;
  /** A new session of somebody who is here. */
  session(person: PersonCaller): Promise<PersonCaller>;
  /** Puts another policy of a tenant's plan in force. */
  setPolicy(tenant: TenantName, policy: JsonObject): Promise<void>;
  close(): Promise<void>;
}

export async function openStage(options: Partial<ServerOptions> = {}): Promise<Stage> {
  const it = await rig();
  const { db } = it.database;
  await it.apply(TENANTS, { people: { title: "People" } });
  const server = await createServer({ db, jobs: it.jobs, keyring: it.keyring, allowPrivate: true, logLevel: "silent", ...options });
  const password = await hashPassword(PASSWORD);
  const operatorKey = await issueKey(db, { name: "operator", scopes: ["*"] });
  const keys = { acme: await issueKey(db, { name: "acme", scopes: ["*"], tenant: "acme" }), bolt: await issueKey(db, { name: "bolt", scopes: ["*"], tenant: "bolt" }) };

  const send = (method: Method, url: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<LightMyRequestResponse> => server.inject({
    method, url, headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  } as InjectOptions);

  const signedIn = async (known: Pick<PersonCaller, "id" | "email" | "role" | "tenant">): Promise<PersonCaller> => {
    const token = makeSessionToken();
    await withTenant(db, PLATFORM, (tx) => addSession(tx, { hash: hashSession(token), user: known.id }));
    const headers = { cookie: `${SESSION_COOKIE}=${token}`, "x-csrf-token": csrfTokenOf(token), "sec-fetch-site": "same-origin" };
    return { ...known, headers, call: (method, url, body, more = {}) => send(method, url, body, { ...headers, ...more }), get: (url) => send("GET", url, undefined, headers) };
  };

  const person = async (role: Role, tenant: string, email = `${role}.${randomBytes(3).toString("hex")}@${tenant}.example`): Promise<PersonCaller> => {
    const id = await withTenant(db, tenant, async (tx) => {
      const made = await addUser(tx, { email, name: `${role} of ${tenant}`, password });
      await addMembership(tx, made!, role);
      return made!;
    });
    return signedIn({ id, email, role, tenant });
  };

  const people = new Map<string, PersonCaller>();
  for (const role of roles) for (const tenant of isStaff(role) ? [PLATFORM] : TENANTS) people.set(`${role}@${tenant}`, await person(role, tenant, `${role}@${tenant}.example`));
  await withTenant(db, PLATFORM, (tx) => setAssignments(tx, people.get(`integration_engineer@${PLATFORM}`)!.id, ["acme"]));

  return {
    rig: it, server, operatorKey, keys, person, session: signedIn,
    as: (role, tenant = "acme") => people.get(`${role}@${isStaff(role) ? PLATFORM : tenant}`)!,
    bearer: (token, method, url, body) => send(method, url, body, token === undefined ? {} : { authorization: `Bearer ${token}` }),
    async setPolicy(tenant, policy) {
      const plans = await Promise.all(TENANTS.map(async (each) => readPlan(db, each, (await currentRevision(db, each))!)));
      await saveRevision(db, { id: randomBytes(8).toString("hex"), commit: "c0ffee", plans: plans.map((plan) => plan.tenant.id === tenant ? { ...plan, policy } : plan) });
    },
    async close() {
      await server.close();
      await it.close();
    },
  };
}
