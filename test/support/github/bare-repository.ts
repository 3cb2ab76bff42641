/** A bare repository with Git's own commands: what stands behind the stand-in, and what other people do to it. */
import { execFile } from "node:child_process";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";

export interface BareRepository {
  readonly dir: string;
  git(...words: string[]): Promise<string>;
  headOf(branch: string): Promise<string | undefined>;
  has(commit: string): Promise<boolean>;
  isAncestor(older: string, newer: string): Promise<boolean>;
  authorOf(commit: string): Promise<{ readonly name: string; readonly email: string }>;
  /** As the button does it. @returns undefined: they conflict. */
  merge(base: string, head: string, how: "merge" | "squash" | "rebase", message: string, by: string): Promise<string | undefined>;
  /** Somebody's commit with an editor. */
  commit(branch: string, files: Readonly<Record<string, string>>, message: string, email?: string): Promise<string>;
  /** From now on nobody pushes to a branch. */
  protect(branch: string, isProtected: boolean): Promise<void>;
}

const UPDATE_HOOK = `#!/bin/sh
if [ -e "$GIT_DIR/protected/$(basename "$1")" ]; then
  echo "error: GH006: Protected branch update failed for $1." >&2
  echo "error: Changes must be made through a pull request." >&2
  exit 1
fi
`;

export async function makeBareRepository(dir: string): Promise<BareRepository> {
  await mkdir(dir, { recursive: true });
  const run = (words: readonly string[], input?: string, env: Readonly<Record<string, string>> = {}): Promise<{ readonly out: string; readonly code: number }> => new Promise((resolve, reject) => {
    const child = execFile("git", ["--git-dir", dir, ...words], { env: { PATH: process.env["PATH"] ?? "", HOME: dir, GIT_CONFIG_NOSYSTEM: "1", GIT_AUTHOR_NAME: "Somebody", GIT_AUTHOR_EMAIL: "somebody@example.com", GIT_COMMITTER_NAME: "GitHub", GIT_COMMITTER_EMAIL: "noreply@github.com", ...env } }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      if (code < 0 || code > 1) reject(new Error(`git ${words.join(" ")}: ${err || error?.message}`));
      else resolve({ out: out.trim(), code });
    });
    child.stdin?.end(input);
  });
  const git = async (...words: string[]): Promise<string> => {
    const { out, code } = await run(words);
    if (code !== 0) throw new Error(`git ${words.join(" ")} ended with ${code}`);
    return out;
  };
  await git("init", "-q", "--bare", "--initial-branch=main");
  await git("config", "http.receivepack", "true");
  await mkdir(path.join(dir, "hooks"), { recursive: true });
  await writeFile(path.join(dir, "hooks/update"), UPDATE_HOOK);
  await chmod(path.join(dir, "hooks/update"), 0o755);

  const headOf = async (branch: string): Promise<string | undefined> => { const { out, code } = await run(["rev-parse", "-q", "--verify", `refs/heads/${branch}^{commit}`]); return code === 0 ? out : undefined; };
  return {
    dir, git, headOf,
    has: async (commit) => /^[0-9a-f]{40}$/.test(commit) && (await run(["cat-file", "-e", `${commit}^{commit}`]).then(({ code }) => code === 0, () => false)),
    isAncestor: async (older, newer) => (await run(["merge-base", "--is-ancestor", older, newer])).code === 0,
    async authorOf(commit) {
      const [name = "", email = ""] = (await git("log", "-1", "--format=%an%n%ae", commit)).split("\n");
      return { name, email };
    },
    async merge(base, head, how, message, by) {
      const { out, code } = await run(["merge-tree", "--write-tree", base, head]);
      if (code !== 0) return undefined;
      const tree = out.split("\n")[0]!;
      const author = how === "merge" ? { GIT_AUTHOR_NAME: by, GIT_AUTHOR_EMAIL: `${by}@users.noreply.github.com` } : {};
      return (await run(["commit-tree", tree, "-p", base, ...(how === "merge" ? ["-p", head] : []), "-m", message], undefined, author)).out;
    },
    async commit(branch, files, message, email = "somebody@example.com") {
      const index = { GIT_INDEX_FILE: path.join(dir, `index-${Math.random().toString(36).slice(2)}`) };
      const parent = (await headOf(branch))!;
      await run(["read-tree", parent], undefined, index);
      for (const [file, text] of Object.entries(files)) await run(["update-index", "--add", "--cacheinfo", `100644,${(await run(["hash-object", "-w", "--stdin"], text)).out},${file}`], undefined, index);
      const tree = (await run(["write-tree"], undefined, index)).out;
      await rm(index.GIT_INDEX_FILE, { force: true });
      const commit = (await run(["commit-tree", tree, "-p", parent, "-m", message], undefined, { GIT_AUTHOR_EMAIL: email })).out;
      await git("update-ref", `refs/heads/${branch}`, commit);
      return commit;
    },
    async protect(branch, isProtected) {
      const flag = path.join(dir, "protected", branch);
      await mkdir(path.dirname(flag), { recursive: true });
      await (isProtected ? writeFile(flag, "") : rm(flag, { force: true }));
    },
  };
}
