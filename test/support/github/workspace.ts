/** A workspace whose forge is the stand-in: a clone that is in force here, and the repository it came from. */
import fs from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import git from "isomorphic-git";
import { createTransport } from "../../../engine/components/transport/http.ts";
import { openForges, openWorkspace, type Forges, type ReviewedWorkspace } from "../../../server/review/index.ts";
import { createReferences } from "../../../server/references.ts";
import type { ReferenceResolver } from "../../../engine/store/index.ts";
import { startGitHub, type GitHub, type GitHubOptions } from "./stand-in.ts";

export const TOKEN = "github_pat_canary_22BBBBBB0zyxwvuts";

export interface ForgeWorkspace {
  readonly hub: GitHub;
  readonly folder: string;
  readonly workspace: ReviewedWorkspace;
  readonly references: ReferenceResolver;
  readonly forges: Forges;
  close(): Promise<void>;
}

/** @param files of the workspace besides workspace.yaml. @param settings keys of `forge`, beside those that lead to the stand-in */
export async function openForgeWorkspace(files: Readonly<Record<string, string>>, { settings = "", ...options }: Omit<GitHubOptions, "folder"> & { readonly settings?: string } = {}): Promise<ForgeWorkspace> {
  const at = await mkdtemp(path.join(tmpdir(), "plugboard-forge-"));
  const hub = await startGitHub({ folder: path.join(at, "hub"), tokens: { [TOKEN]: "plugboard-app" }, ...options });
  const folder = path.join(at, "workspace");
  const host = new URL(hub.origin).host;
  const all = {
    "workspace.yaml": `name: Test\nreview: other\nsecrets: { allow_env: [GITHUB_TOKEN] }\negress: { allow_private: ["${host}"] }\nforge:\n  type: github\n  repository: ${hub.repository}\n  api: ${hub.api}\n  token: env:GITHUB_TOKEN\n${settings}`,
    ...files,
  };
  await git.init({ fs, dir: folder, defaultBranch: "main" });
  for (const [file, text] of Object.entries(all)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
    await git.add({ fs, dir: folder, filepath: file });
  }
  await git.commit({ fs, dir: folder, message: "Begin", author: { name: "Ada", email: "ada@example.com" } });
  await hub.bare.git("fetch", "-q", folder, "main:main");
  const transport = createTransport({ allowPrivate: [host] });
  const references = createReferences({ environment: { GITHUB_TOKEN: TOKEN }, allowEnv: ["GITHUB_TOKEN"] });
  return {
    hub, folder, references, workspace: await openWorkspace(folder), forges: openForges({ transport, references, publicUrl: "https://plugboard.example.com" }),
    async close() {
      await transport.close();
      await hub.close();
      await rm(at, { recursive: true, force: true });
    },
  };
}
