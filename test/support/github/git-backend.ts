/**
 * Git's own smart HTTP for a folder of bare repositories: `git http-backend`, as a web server runs it (CGI; git-http-backend(1)).
 * Where there is none, or Git is older than 2.38, `hasGitBackend` is false and tests say that they skip.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";

const backend = ((): string | undefined => {
  try {
    // Merging without a working copy, as the stand-in does it, came with 2.38.
    const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(execFileSync("git", ["--version"], { encoding: "utf8" })) ?? [];
    if (Number(major) * 100 + Number(minor) < 238) return undefined;
    const program = path.join(execFileSync("git", ["--exec-path"], { encoding: "utf8" }).trim(), "git-http-backend");
    return existsSync(program) ? program : undefined;
  } catch {
    return undefined;
  }
})();
export const hasGitBackend = backend !== undefined;

/** @param user whose sign-in was checked already */
export function serveGit(request: IncomingMessage, response: ServerResponse, { root, user, body }: { readonly root: string; readonly user: string; readonly body: Buffer }): void {
  const url = new URL(request.url ?? "/", "http://127.0.0.1");
  const child = spawn(backend!, [], {
    env: {
      PATH: process.env["PATH"] ?? "", GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: "1", REMOTE_USER: user, REMOTE_ADDR: "127.0.0.1", PATH_INFO: decodeURIComponent(url.pathname), QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? "GET", CONTENT_TYPE: request.headers["content-type"] ?? "", CONTENT_LENGTH: String(body.length), GIT_CONFIG_NOSYSTEM: "1", HOME: root,
      ...(request.headers["git-protocol"] === undefined ? {} : { GIT_PROTOCOL: String(request.headers["git-protocol"]) }),
    },
  });
  let head: Buffer | undefined = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (head === undefined) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) return;
    const headers = head.subarray(0, end).toString("latin1").split("\r\n").map((line) => line.split(/:\s*/, 2) as [string, string]);
    const status = headers.find(([name]) => name.toLowerCase() === "status")?.[1];
    response.writeHead(Number(status?.split(" ")[0] ?? 200), Object.fromEntries(headers.filter(([name]) => name.toLowerCase() !== "status")));
    response.write(head.subarray(end + 4));
    head = undefined;
  });
  child.stderr.resume();
  child.on("close", () => {
    if (head !== undefined && !response.headersSent) response.writeHead(500);
    response.end();
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(body);
}
