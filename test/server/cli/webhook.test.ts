import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { parseRequest } from "../../../server/cli/read-request.ts";
import { signedRequests, type SignedRequest } from "../../engine/components/verifier/signed-requests.ts";

const main = new URL("../../../server/cli/main.ts", import.meta.url).pathname;
let folder = "";
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), "plugboard-webhook-")); });
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });
let files = 0;
const fileOf = (content: string | Buffer, ending = "yaml"): string => { const file = join(folder, `${++files}.${ending}`); writeFileSync(file, content); return file; };

interface Ended { readonly status: number | null; readonly stdout: string; readonly stderr: string }
const plugboard = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> => new Promise((resolve) => {
  const child = spawn(process.execPath, [main, "webhook", "verify", ...args], { env: { ...process.env, NO_COLOR: "1", ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => { stdout += String(chunk); });
  child.stderr.on("data", (chunk) => { stderr += String(chunk); });
  child.on("close", (status) => resolve({ status, stdout, stderr }));
});

/** As a sender writes it; `lineEnd` of the head only. */
const rawOf = ({ method = "POST", url, headers, body }: SignedRequest, lineEnd = "\r\n", full = false): Buffer => {
  const { host, pathname, search } = new URL(url);
  const lines = [`${method} ${full ? url : pathname + search} HTTP/1.1`, ...(full ? [] : [`Host: ${host}`]), ...Object.entries(headers).map(([name, value]) => `${name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())}: ${value}`)];
  return Buffer.concat([Buffer.from(`${lines.join(lineEnd)}${lineEnd}${lineEnd}`), Buffer.from(body)]);
};
const atOf = ({ at }: SignedRequest): string[] => (at === undefined ? [] : ["--at", new Date(at).toISOString()]);

describe("plugboard webhook verify", () => {
  test("accepts every published request, and refuses it with one byte more of body, by exit code", async () => {
    const tries = signedRequests.flatMap((signed) => {
      const verify = fileOf(stringify(signed.verify));
      const raw = rawOf(signed);
      return [{ signed, verify, raw, status: 0 }, { signed, verify, raw: Buffer.concat([raw, Buffer.from("\n")]), status: 1 }];
    });
    for (let at = 0; at < tries.length; at += 4) {
      await Promise.all(tries.slice(at, at + 4).map(async ({ signed, verify, raw, status }) => {
        const ended = await plugboard(["--verify", verify, "--request", fileOf(raw, "http"), "--secret", `key=${signed.key}`, ...atOf(signed)]);
        expect(ended.status, `${signed.name} ${ended.stdout} ${ended.stderr}`).toBe(status);
        expect(ended.stdout).toMatch(status === 0 ? /^accepted/ : /^refused {2}\S/);
        expect(ended.stdout + ended.stderr).not.toContain(signed.key);
      }));
    }
  });

  const slack = signedRequests.find(({ name }) => name === "slack")!;
  const verify = () => fileOf(`verify:\n${stringify(slack.verify).replace(/^/gm, "  ")}`);

  test("takes secrets from files and the environment, two of one name while it is rotated, and the time as seconds", async () => {
    const request = fileOf(rawOf(slack, "\n", true), "http");
    const [byFile, byEnv, rotated, late] = await Promise.all([
      plugboard(["--verify", verify(), "--request", request, "--secret", `key=@${fileOf(`${slack.key}\n`, "txt")}`, "--at", String(slack.at! / 1000), "--json"]),
      plugboard(["--verify", verify(), "--request", request, "--secret", "key=env:SLACK_KEY", "--at", String(slack.at!)], { SLACK_KEY: slack.key }),
      plugboard(["--verify", verify(), "--request", request, "--secret", "key=old", "--secret", `key=${slack.key}`, ...atOf(slack)]),
      plugboard(["--verify", verify(), "--request", request, "--secret", `key=${slack.key}`, "--json"]),
    ]);
    expect([byFile, byEnv, rotated, late].map(({ status }) => status)).toEqual([0, 0, 0, 1]);
    expect(JSON.parse(byFile.stdout)).toEqual({ ok: true, accepted: true, timestamp: new Date(slack.at!).toISOString() });
    expect(JSON.parse(late.stdout)).toEqual({ ok: false, accepted: false, reason: expect.stringMatching(/s old, more than 5m/) });
  });

  test("a wrong block is told with its places, all at once; wrong usage, too: exit code 2", async () => {
    const request = fileOf(rawOf(slack), "http");
    const wrong = fileOf('type: hmac\nalgoritm: sha256\nsecret: "{{config.key}}"\nsigned: "{{requst.body}}"\nsignature: { header: x, encoding: bas64 }\n');
    const unsigned = fileOf('type: hmac\nsecret: "{{config.key}}"\nsigned: "{{request.body}}"\nsignature: { header: x }\ntimestamp: { header: t }\n');
    const [told, built, missing, none, at] = await Promise.all([
      plugboard(["--verify", wrong, "--request", request, "--secret", "key=x", "--json"]),
      plugboard(["--verify", unsigned, "--request", request, "--secret", "key=x", "--json"]),
      plugboard(["--verify", verify(), "--request", request]),
      plugboard(["--verify", join(folder, "none.yaml"), "--request", request]),
      plugboard(["--verify", verify(), "--request", request, "--secret", "key=x", "--at", "soon"]),
    ]);
    expect([told, built, missing, none, at].map(({ status }) => status)).toEqual([2, 2, 2, 2, 2]);
    expect((JSON.parse(told.stdout) as { problems: { code: string; line: number; col: number }[] }).problems.map(({ code, line, col }) => `${code} ${line}:${col}`)).toEqual(["MANIFEST_UNKNOWN_FIELD 2:1", "MANIFEST_WRONG_VALUE 5:35", "MANIFEST_UNKNOWN_VARIABLE 4:12"]);
    expect((JSON.parse(built.stdout) as { problems: { code: string; line: number; col: number }[] }).problems).toMatchObject([{ code: "MANIFEST_WRONG_VALUE", line: 3, col: 9 }]);
    expect(missing.stderr).toContain("--secret key=…");
  });

  test("`by` and several verifiers, everything entered when connecting", async () => {
    const block = fileOf('by: config.signing\nnone: { type: secret_url }\nhmac: { type: hmac, algorithm: "{{config.algorithm}}", secret: "{{config.secret}}", signed: "{{config.signed}}", signature: { header: "{{config.header}}", encoding: "{{config.encoding}}", prefix: "{{config.prefix}}" } }\n');
    const secrets = { signing: "hmac", algorithm: "sha256", secret: slack.key, signed: "v0:{{request.headers.x-slack-request-timestamp}}:{{request.body}}", header: "X-Slack-Signature", encoding: "hex", prefix: "v0=" };
    const given = (of: object) => Object.entries(of).flatMap(([name, value]) => ["--secret", `${name}=${String(value)}`]);
    const request = fileOf(rawOf(slack), "http");
    const [accepted, refused] = await Promise.all([plugboard(["--verify", block, "--request", request, ...given(secrets)]), plugboard(["--verify", block, "--request", request, ...given({ ...secrets, algorithm: "md4" })])]);
    expect([accepted.status, refused.status]).toEqual([0, 1]);
    expect(refused.stdout).toContain("'algorithm' must be one of");
  });
});

describe("a request in a file", () => {
  test("is head and exact bytes: line ends of the head, headers sent twice, a body that is no text", () => {
    const body = Buffer.from([0xff, 0x0d, 0x0a, 0x0d, 0x0a, 0x00]);
    for (const end of ["\n", "\r\n"]) {
      expect(parseRequest(Buffer.concat([Buffer.from(`post /in?a=%20b HTTP/1.1${end}Host:h.example.com${end}X-A: 1${end}x-a:\t2 ${end}${end}`), body]), "f.http"))
        .toEqual({ method: "POST", url: "https://h.example.com/in?a=%20b", headers: { host: "h.example.com", "x-a": "1, 2" }, body });
    }
    expect(parseRequest(Buffer.from("GET http://h.example.com:8080/in\n"), "f.http")).toMatchObject({ method: "GET", url: "http://h.example.com:8080/in", headers: {}, body: Buffer.alloc(0) });
  });

  test("that is none is told with its line", () => {
    for (const [text, place] of [["", "f.http:1"], ["POST\n\n", "f.http:1"], ["POST /in\nHost: h\nno header\n\n", "f.http:3"], ["POST /in\n\n", "address"]] as const) {
      expect(() => parseRequest(Buffer.from(text), "f.http")).toThrow(expect.objectContaining({ code: "CLI_USAGE", message: expect.stringContaining(place) }));
    }
  });
});
