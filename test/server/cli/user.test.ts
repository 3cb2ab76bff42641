import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { isPassword } from "../../../server/people/passwords.ts";
import { runCommand } from "../../support/command.ts";
import { asAdmin, createDatabase, dropDatabase } from "../../support/postgres.ts";

const PASSWORD = "seven small boats at dawn";
let folder: string;
let url: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "plugboard-user-"));
  url = await createDatabase(new URL(inject("templateUrl")).pathname.slice(1));
});
afterAll(async () => {
  await dropDatabase(url);
  await rm(folder, { recursive: true, force: true });
});

const user = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => runCommand(["user", ...args, "--database-url", url, "--data", folder], { cwd: folder, env });

test("the first super admin is made on the command line, once, and the password is nowhere but in its hash", async () => {
  const made = await user(["create", "--email", "Ann@Example.COM", "--role", "super_admin", "--json"], { PLUGBOARD_PASSWORD: PASSWORD });
  expect(made.code, made.stderr).toBe(0);
  expect(JSON.parse(made.stdout)).toMatchObject({ email: "ann@example.com", role: "super_admin", tenant: "platform" });
  const [row] = await asAdmin<{ password: string }>(url, "select password from users where email = 'ann@example.com'");
  expect(row!.password).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect([await isPassword(PASSWORD, row!.password), await isPassword(`${PASSWORD} `, row!.password)]).toEqual([true, false]);
  expect(JSON.stringify(await asAdmin(url, "select a.*, u.* from audit_log a, users u")) + made.stdout + made.stderr).not.toContain(PASSWORD);
  expect((await asAdmin<{ action: string; actor_kind: string }>(url, "select action, actor_kind from audit_log"))).toEqual([{ action: "membership.made", actor_kind: "command" }]);
  expect((await user(["create", "--email", "ann@example.com", "--role", "super_admin"], { PLUGBOARD_PASSWORD: PASSWORD })).stderr).toContain("SERVER_EXISTS");
  expect(JSON.parse((await user(["list", "--json"])).stdout)).toMatchObject({ tenant: "platform", people: [{ email: "ann@example.com", role: "super_admin" }] });
});

test.each([
  ["a role that there is not", ["create", "--email", "b@example.com", "--role", "boss"], 2, "super_admin"], ["no address", ["create", "--email", "b", "--role", "super_admin"], 2, "CLI_USAGE"], ["a tenant's role without a tenant", ["create", "--email", "b@example.com", "--role", "recruiter"], 2, "--tenant"],
  ["a staff role in a tenant", ["create", "--email", "b@example.com", "--role", "super_admin", "--tenant", "acme"], 2, "CLI_USAGE"], ["a tenant that there is not", ["create", "--email", "b@example.com", "--role", "recruiter", "--tenant", "acme"], 1, "PLAN_UNKNOWN_TENANT"],
] as const)("%s is refused", async (_, args, code, says) => {
  const ended = await user(args, { PLUGBOARD_PASSWORD: PASSWORD });
  expect([ended.code, ended.stderr.includes(says)]).toEqual([code, true]);
});

test("without a password, or with one that is tried first, nobody is made", async () => {
  expect((await user(["create", "--email", "c@example.com", "--role", "super_admin"])).stderr).toContain("CLI_USAGE");
  expect((await user(["create", "--email", "c@example.com", "--role", "super_admin"], { PLUGBOARD_PASSWORD: "password1234" })).stderr).toContain("SERVER_WEAK_PASSWORD");
  expect(await asAdmin(url, "select 1 from users where email = 'c@example.com'")).toEqual([]);
});
