/** The workspace in Git and the database behind it, for a command. */
import { hostname, userInfo } from "node:os";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { read } from "../../engine/manifest/index.ts";
import { createTransport } from "../../engine/components/transport/http.ts";
import { createKeyring, openDatabase, type Actor } from "../../engine/store/index.ts";
import { databaseUrlFile, givenKey, openInstallation } from "../installation.ts";
import { settingsOf } from "../main.ts";
import { filesOf, openForges, openWorkspace, type Forges, type Review, type ReviewedWorkspace } from "../review/index.ts";
import { allowPrivate, dataFolder, ownWorkspace } from "../workspace/locate.ts";
import { say } from "./output.ts";
import { referencesOf } from "./references.ts";

export interface ReviewOptions { readonly workspace?: string; readonly data?: string; readonly databaseUrl?: string }
export interface OpenReview { readonly review: Review; close(): Promise<void> }

/** Brings the database to this version. @throws PlugboardError CHANGE_NO_REPOSITORY, STORE_* */
export async function openReview(options: ReviewOptions): Promise<OpenReview> {
  const root = ownWorkspace(options.workspace, process.cwd());
  const workspace = await openWorkspace(root);
  const settings = settingsOf(process.env);
  const { db, keyring, close } = await openInstallation({
    data: dataFolder(options.data, root, process.cwd()), databaseUrl: options.databaseUrl ?? settings.databaseUrl, migrateUrl: settings.migrateUrl, kek: settings.kek, kekOld: settings.kekOld, vault: settings.vault, works: false, log: say, onError: (cause) => say(`  ${cause.message}`),
  });
  const { forges, close: leave } = await forgesOf(workspace, settings.publicUrl);
  return { review: { db, keyring, workspace, forges }, close: async () => { await leave(); await close(); } };
}

/** What a command reaches the workspace's forge with, and may read for it: as main says, whatever is written in the folder. */
async function forgesOf(workspace: ReviewedWorkspace, publicUrl: string | undefined): Promise<{ readonly forges: Forges; close(): Promise<void> }> {
  const text = filesOf(await workspace.readTrees().catch(() => [])).get("workspace.yaml");
  const settings = read([{ layer: "workspace", label: "", files: new Map(text === undefined ? [] : [["workspace.yaml", text]]) }]);
  const transport = createTransport({ allowPrivate: allowPrivate(settings) });
  return { forges: openForges({ transport, references: referencesOf(settings, process.env), publicUrl }), close: () => transport.close() };
}

/** A database that is there already: named, or that of a running `plugboard start`. None is started for a look. */
export async function openRunning(options: ReviewOptions, root: string): Promise<Pick<Review, "db" | "keyring"> & { close(): Promise<void> } | undefined> {
  const settings = settingsOf(process.env);
  const data = dataFolder(options.data, root, process.cwd());
  const url = options.databaseUrl ?? settings.databaseUrl ?? (await readFile(databaseUrlFile(data), "utf8").then((text) => text.trim(), () => undefined));
  if (url === undefined) return undefined;
  try {
    const keyring = await createKeyring(settings.kek === undefined ? { file: path.join(data, "kek") } : givenKey(settings.kek, "PLUGBOARD_KEK", settings.vault));
    const db = await openDatabase({ url, max: 2, applicationName: "plugboard plan" });
    return { db, keyring, close: async () => { keyring.close(); await db.close(); } };
  } catch (thrown) {
    if (options.databaseUrl !== undefined || settings.databaseUrl !== undefined) throw thrown;
    return undefined;                                        // what a stopped `start` left behind
  }
}

/** Whoever typed the command. */
export const commandActor = (): Actor => {
  const { username } = userInfo();
  return { kind: "command", id: `${username}@${hostname()}`, name: `${username}@${hostname()}` };
};
