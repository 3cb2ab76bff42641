/** What a server needs to change the configuration: the workspace in Git, looked at now and then. */
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { createTransport } from "../../engine/components/transport/http.ts";
import { readConfiguration, type Database, type Keyring, type ReferenceResolver } from "../../engine/store/index.ts";
import { openForges, openWorkspace, syncMain, watchMain, type Forges, type ReviewedWorkspace } from "../review/index.ts";
import { PRODUCT_ROOT } from "../workspace/read-tree.ts";
import { fail, say } from "./output.ts";

export interface ServedWorkspace { readonly workspace?: ReviewedWorkspace; readonly forges?: Forges; close(): Promise<void> }

/** What this process may reach, and read by reference. */
export interface ServedAccess { readonly allowPrivate: boolean | readonly string[]; readonly references: ReferenceResolver; readonly publicUrl?: string | undefined }

/** Undefined workspace: the folder is no repository, so the server shows what is in force and changes nothing of it. */
export async function serveWorkspace(root: string, { db, keyring }: { readonly db: Database; readonly keyring: Keyring }, { allowPrivate, references, publicUrl }: ServedAccess): Promise<ServedWorkspace> {
  const none = { close: async () => undefined };
  if (root === PRODUCT_ROOT.replace(/[/\\]$/, "")) return none;
  let workspace: ReviewedWorkspace;
  try {
    workspace = await openWorkspace(root);
  } catch (thrown) {
    if (!(thrown instanceof PlugboardError)) throw thrown;
    say(`Changes cannot be reviewed here. ${thrown.message}`);
    return none;
  }
  const transport = createTransport({ allowPrivate });
  const forges = openForges({ transport, references, publicUrl });
  const stop = watchMain({ db, keyring, workspace, forges }, (what) => {
    if (what instanceof Error) fail(what);
    else if (what.status === "applied") say(`Took in commit ${what.commit.slice(0, 7)} of ${workspace.repository.main}: ${what.changed.length === 0 ? "no tenant changes" : what.changed.join(", ")}.`);
    else if (what.status === "refused") say(`${what.alarm.code}  ${what.alarm.message}`);
  });
  return { workspace, forges, close: async () => { await stop(); await transport.close(); } };
}

/**
 * Puts main in force before the server answers.
 * @returns false: the workspace is no repository. @throws PlugboardError when main is broken and nothing else is in force.
 */
export async function takeIn({ workspace }: ServedWorkspace, { db, keyring }: { readonly db: Database; readonly keyring: Keyring }): Promise<boolean> {
  if (workspace === undefined) return false;
  const synced = await syncMain({ db, keyring, workspace }, { again: true });
  if (synced.status === "applied" && synced.changed.length > 0) say(`Applied commit ${synced.commit.slice(0, 7)} of ${workspace.repository.main}.`);
  if (synced.status !== "refused") return true;
  if ((await readConfiguration(db)).revision === undefined) throw new PlugboardError("CHANGE_BROKEN_COMMIT", { commit: synced.commit.slice(0, 7), detail: synced.alarm.message });
  say(`${synced.alarm.code}  ${synced.alarm.message}`);
  return true;
}
