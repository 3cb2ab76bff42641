/**
 * Creating an organisation: its name is reserved in the database, its file committed, main put in force. Each step finds out by
 * itself whether it was done, so the same request sent again goes on where the first one ended, whichever process that was.
 */
import { createHash } from "node:crypto";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { addInvitation, findTenant, listInvitations, listMembers, listTenants, PLATFORM, recordAudit, releaseOrganisation, reserveOrganisation, unfinishedOrganisations, withTenant, type Actor, type TenantInForce } from "../../engine/store/index.ts";
import { InvalidFields } from "../api/errors.ts";
import { normalEmail } from "../people/email.ts";
import { hashLinkToken, makeLinkToken } from "../people/links.ts";
import type { Review } from "../review/index.ts";
import { commitToMain, headOfMain, putMainInForce, tenantFile, textAt } from "./configuration.ts";
import { checkOrganisation, type Checked, type Organisation } from "./organisation.ts";

/** A creation that began longer ago was cut short: nobody is at it any more. */
const ABANDONED_SECONDS = 60;
const SYSTEM: Actor = { kind: "system", id: "plugboard", name: "plugboard" };

export interface Created {
  readonly tenant: TenantInForce;
  /** False: it was made by this same request before. */
  readonly created: boolean;
  /** Of the first administrator; its link is shown this once. */
  readonly invitation?: { readonly email: string; readonly token: string; readonly path: string; readonly expires_at: string };
}

export interface CreateOptions {
  readonly actor: Actor;
  /** The caller's own name of this request. */
  readonly key?: string;
  /** Kill points of the tests. */
  readonly probe?: (point: "reserved" | "committed" | "in_force") => void | Promise<void>;
}

/** What would be made, and everything that is wrong with it. Changes nothing. */
export async function reviewOrganisation(review: Review, entered: Organisation): Promise<Checked> {
  const tenants = await listTenants(review.db);
  return checkOrganisation(await headOfMain(review), entered, { ids: new Set(tenants.map(({ slug }) => slug)), subdomains: new Set(tenants.flatMap(({ subdomain }) => subdomain ?? [])) });
}

/**
 * @throws PlugboardError TENANT_INVALID with every problem; TENANT_TAKEN, TENANT_KEY_REUSED; CHANGE_* when it cannot be committed: then nothing is left of it
 */
export async function createOrganisation(review: Review, entered: Organisation, { actor, key, probe }: CreateOptions): Promise<Created> {
  const { db } = review;
  await recoverOrganisations(review);
  const checked = await reviewOrganisation(review, entered);
  const { id: slug, text, problems } = checked;
  // Of a request that is sent again, its own first try has the names: whose they are the reservation tells.
  if (problems.some(({ code }) => code !== "TENANT_TAKEN")) throw new InvalidFields("TENANT_INVALID", problems);
  const administrator = entered.administrator && { ...entered.administrator, email: normalEmail(entered.administrator.email) ?? entered.administrator.email };
  const title = entered.name.trim();
  const reserved = await reserveOrganisation(db, {
    slug, title, subdomain: entered.subdomain, by: actor.name, hash: createHash("sha256").update(canonical(entered)).digest("hex"), ...(key === undefined ? {} : { key }),
    profile: { billing: { ...entered.billing }, ...(administrator === undefined ? {} : { administrator }) },
  }, (tx) => recordAudit(tx, slug, { actor, action: "tenant.created", subject: { kind: "tenant", id: slug }, after: { title, subdomain: entered.subdomain, preset: checked.preset } }));
  let invitation: Created["invitation"];
  if (reserved.status === "creating") {
    await probe?.("reserved");
    const subdomainTaken = problems.find(({ field }) => field === "subdomain");
    await commitFile(review, { slug, title, text, actor, isNew: reserved.isNew, refused: reserved.isNew ? subdomainTaken && entered.subdomain : undefined });
    await probe?.("committed");
    await putMainInForce(review, actor);
    await probe?.("in_force");
    await recordAudit(db, PLATFORM, { actor, action: "tenant.created", subject: { kind: "tenant", id: slug }, after: { title } });
  }
  if (administrator !== undefined) invitation = await inviteFirst(review, slug, administrator.email, actor);
  const tenant = await findTenant(db, slug);
  if (!tenant) throw new PlugboardError("SERVER_NOT_FOUND", { kind: "Tenant", name: slug });
  return { tenant, created: reserved.isNew, ...(invitation === undefined ? {} : { invitation }) };
}

/** What cannot be committed gives its name back. */
async function commitFile(review: Review, { slug, title, text, actor, isNew, refused }: { slug: string; title: string; text: string; actor: Actor; isNew: boolean; /** A subdomain that only the workspace's files give to another one. */ refused: string | undefined }): Promise<void> {
  const file = tenantFile(slug);
  try {
    const there = textAt((await headOfMain(review)).trees, file);
    if (there !== undefined && !isNew) return;
    if (there !== undefined) throw new PlugboardError("TENANT_TAKEN", { field: "id", value: slug });
    if (refused !== undefined) throw new PlugboardError("TENANT_TAKEN", { field: "subdomain", value: refused });
    await commitToMain(review, [{ file, text }], `tenants: create ${slug} (${title})`, actor);
  } catch (thrown) {
    if (thrown instanceof PlugboardError && thrown.code === "CHANGE_EMPTY") return;        // the same request at the same time was first
    const isCommitted = await headOfMain(review).then(({ trees }) => textAt(trees, file) === text, () => false);
    if (!isCommitted) await releaseOrganisation(review.db, slug);
    throw thrown;
  }
}

/** Unless somebody was invited before: a try that was cut short may have come to this point, or not. */
async function inviteFirst({ db }: Review, tenant: string, email: string, actor: Actor): Promise<Created["invitation"]> {
  const token = makeLinkToken();
  const made = await withTenant(db, tenant, async (tx) => {
    if ((await listInvitations(tx)).length > 0 || (await listMembers(tx)).length > 0) return undefined;
    const one = await addInvitation(tx, { email, role: "tenant_admin", hash: hashLinkToken(token), by: actor.name });
    await recordAudit(tx, tenant, { actor, action: "invitation.made", subject: { kind: "invitation", id: one.id }, after: { email, role: "tenant_admin", expires_at: one.expires_at } });
    return one;
  });
  return made && { email, token, path: `/invitation#${token}`, expires_at: made.expires_at };
}

/** Goes on with creations that were cut short: those that are committed come into force, the others give their names back. */
export async function recoverOrganisations(review: Review, olderThanSeconds = ABANDONED_SECONDS): Promise<{ readonly finished: string[]; readonly released: string[] }> {
  const unfinished = await unfinishedOrganisations(review.db, olderThanSeconds);
  if (unfinished.length === 0) return { finished: [], released: [] };
  const { workspace } = await headOfMain(review);
  const finished = unfinished.filter((slug) => workspace.tenants.has(slug));
  if (finished.length > 0) await putMainInForce(review, SYSTEM);
  const released = unfinished.filter((slug) => !workspace.tenants.has(slug));
  for (const slug of released) await releaseOrganisation(review.db, slug);
  return { finished, released };
}

/** The same request, whatever the order of its members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => (typeof member === "object" && member !== null && !Array.isArray(member) ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1))) : member));
}
