/** What a real browser does with our cookie: it must come back over plain http on this machine, or nobody could try the product. */
import { existsSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStage, PASSWORD, type Stage } from "../../support/callers.ts";

const EXECUTABLE = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const installed = existsSync(EXECUTABLE);

let at: Stage;
let port: number;
beforeAll(async () => {
  at = await openStage();
  await at.server.listen({ host: "127.0.0.1", port: 0 });
  port = (at.server.server.address() as AddressInfo).port;
});
afterAll(() => at.close());

test.skipIf(!installed).each(["localhost", "127.0.0.1"])("Chromium keeps the session over http://%s, and sends it with what pages of ours ask for", async (host) => {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox"] });
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`http://${host}:${port}/healthz`);
    const answer = await page.evaluate(async (password) => {
      const post = (path: string, body: unknown, headers: Record<string, string> = {}) => fetch(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
      const signedIn = await post("/api/session", { email: "tenant_admin@acme.example", password });
      const session = await fetch("/api/session");
      const { csrf_token, role } = await session.json() as { csrf_token: string; role: string };
      const invited = await post("/api/invitations", { email: "new@acme.example", role: "recruiter" }, { "x-csrf-token": csrf_token });
      return { signedIn: signedIn.status, session: session.status, role, invited: invited.status, readable: document.cookie };
    }, PASSWORD);
    const cookies = (await context.cookies()).map(({ name, secure, httpOnly, sameSite, path }) => ({ name, secure, httpOnly, sameSite, path }));
    expect({ answer, cookies }).toEqual({
      answer: { signedIn: 200, session: 200, role: "tenant_admin", invited: 201, readable: "" },
      cookies: [{ name: "__Host-sid", secure: true, httpOnly: true, sameSite: "Lax", path: "/" }],
    });
  } finally {
    await browser.close();
  }
});
