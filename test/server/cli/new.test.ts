import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { read, validateWorkspace } from "../../../engine/manifest/index.ts";
import { connectorText } from "../../../server/cli/commands/new.ts";
import { runCommand } from "../../support/command.ts";

const AUTHS = ["api_key", "bearer", "basic", "oauth2_client_credentials"];
const PAGINATIONS = ["offset", "page", "token", "next_url", "link_header", "keyset", "odata"];

test.each(AUTHS.flatMap((auth) => PAGINATIONS.map((pagination) => [auth, pagination] as const)))("a new connector with %s and %s is valid as it is written", (auth, pagination) => {
  const text = connectorText("desk", { title: "Help & Desk: \"quoted\"", category: "support", baseUrl: "https://desk.example.com/api/", auth, pagination, stream: "tickets" });
  const workspace = read([{ layer: "workspace", label: "", files: new Map([["workspace.yaml", "name: test\n"], ["connectors/desk/connector.yaml", text]]) }]);
  expect(validateWorkspace(workspace)).toEqual([]);
});

test("plugboard new connector writes once, says where, and refuses to overwrite", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "plugboard-new-"));
  try {
    await runCommand(["init", "ws"], { cwd: folder });
    const cwd = path.join(folder, "ws");
    const first = await runCommand(["new", "connector", "desk", "--auth", "bearer", "--pagination", "page", "--stream", "tickets"], { cwd });
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining("connectors/desk/connector.yaml") });
    expect(await readFile(path.join(cwd, "connectors", "desk", "connector.yaml"), "utf8")).toContain("type: bearer");
    expect((await runCommand(["validate"], { cwd })).code).toBe(0);
    const again = await runCommand(["new", "connector", "desk"], { cwd });
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("exists already");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
