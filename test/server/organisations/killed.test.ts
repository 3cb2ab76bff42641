import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findTenant, generateKey } from "../../../engine/store/index.ts";
import { recoverOrganisations } from "../../../server/organisations/create.ts";
import { asAdmin } from "../../support/postgres.ts";
import { orgRig, type OrgRig } from "./rig.ts";

let it: OrgRig;
beforeAll(async () => { it = await orgRig(); });
afterAll(() => it.close());

const kill = (point: string): Promise<NodeJS.Signals | null> => new Promise((resolve) => {
  spawn(process.execPath, [fileURLToPath(new URL("./killed.ts", import.meta.url)), it.root, it.at.url, generateKey(), point], { stdio: "ignore" }).on("close", (_, signal) => resolve(signal));
});

test.each([
  ["reserved", { status: "creating" }, "released"],
  ["committed", { status: "creating" }, "finished"],
  ["in_force", { status: "active" }, "there"],
] as const)("kill -9 when it is %s: nothing half-made stays, and the same request makes it once", async (point, left, then) => {
  const slug = `killed-${point.replaceAll("_", "-")}`;
  expect(await kill(point)).toBe("SIGKILL");
  expect(await findTenant(it.at.db, slug)).toMatchObject(left);
  const recovered = await recoverOrganisations(it.review, 0);
  expect(recovered).toEqual({ finished: then === "finished" ? [slug] : [], released: then === "released" ? [slug] : [] });
  expect((await findTenant(it.at.db, slug))?.status).toBe(then === "released" ? undefined : "active");
  const again = await it.call("POST", "/api/tenants", { name: `Killed ${point}`, subdomain: point.replaceAll("_", "-"), preset: "aptem" });
  expect([again.status, again.body.tenant?.status, again.body.created]).toEqual([201, "active", then === "released"]);
  expect((await it.log()).filter((line) => line.includes(slug))).toHaveLength(1);
  expect(await asAdmin(it.at.url, "select 1 from tenants where slug = $1 and deleted_at is null", [slug])).toHaveLength(1);
});
