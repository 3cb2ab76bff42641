/** Erasing an organisation: its file leaves the configuration first, so nothing makes it again; then its rows go. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { assertErasureToken, confirmErasureOf, eraseTenant, findTenant, listChanges, PLATFORM, recordAudit, unfinishedErasures, type Actor, type Database, type Erased } from "../../engine/store/index.ts";
import { deleteBranch } from "../review/commit.ts";
import type { Review } from "../review/index.ts";
import { locked } from "../review/lock.ts";
import { commitToMain, headOfMain, putMainInForce, tenantFile, textAt } from "./configuration.ts";

const SYSTEM: Actor = { kind: "system", id: "plugboard", name: "plugboard" };

/** `file`: what was removed from Git's main; its history keeps what was committed, which never held a secret or a person. */
export type ErasureReport = Erased & { readonly file: string | null; readonly keys: "destroyed" };

/** @throws PlugboardError TENANT_CONFIRMATION, TENANT_OPERATOR, PLAN_UNKNOWN_TENANT; CHANGE_* when its file cannot be removed: then nothing was erased */
export async function eraseOrganisation(db: Database, review: Review | undefined, tenant: string, token: string, actor: Actor): Promise<ErasureReport> {
  if (tenant === PLATFORM) throw new PlugboardError("TENANT_OPERATOR", { verb: "erased" });
  await assertErasureToken(db, tenant, token);
  const file = await removeFile(review, tenant, actor);
  await confirmErasureOf(db, tenant, token, actor.name);
  return finish(db, tenant, file, actor);
}

/** Erasures that were confirmed and cut short come to their end. */
export async function recoverErasures(db: Database, review: Review | undefined): Promise<string[]> {
  const done: string[] = [];
  for (const tenant of await unfinishedErasures(db)) {
    const file = await removeFile(review, tenant, SYSTEM);
    try {
      await finish(db, tenant, file, SYSTEM);
      done.push(tenant);
    } catch (thrown) {
      if ((await findTenant(db, tenant))?.status === "erasing") throw thrown;           // else another process was first
    }
  }
  return done;
}

async function finish(db: Database, tenant: string, file: string | null, actor: Actor): Promise<ErasureReport> {
  const erased = await eraseTenant(db, tenant);
  await recordAudit(db, PLATFORM, { actor, action: "tenant.erased", subject: { kind: "tenant", id: tenant }, before: { title: erased.title }, after: { removed: erased.removed, file } });
  return { ...erased, file, keys: "destroyed" };
}

async function removeFile(review: Review | undefined, tenant: string, actor: Actor): Promise<string | null> {
  if (review === undefined) return null;
  const file = tenantFile(tenant);
  await dropBranches(review, tenant);
  const isThere = textAt((await headOfMain(review)).trees, file) !== undefined;
  if (isThere) await commitToMain(review, [{ file, remove: true }], `tenants: erase ${tenant}`, actor);
  await putMainInForce(review, actor);
  return isThere ? file : null;
}

/** What was proposed for this tenant alone, and is not merged. */
async function dropBranches({ db, workspace: { repository } }: Review, tenant: string): Promise<void> {
  const { items } = await listChanges(db, { tenant, reader: "", limit: 1000 });
  const branches = items.flatMap(({ branch }) => branch ?? []);
  if (branches.length > 0) await locked(repository.gitdir, async () => { for (const branch of branches) await deleteBranch(repository, branch).catch(() => undefined); });
}
