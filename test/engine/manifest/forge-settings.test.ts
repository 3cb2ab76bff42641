/** `forge` of workspace.yaml: every mistake with its place, and no credential in a file. */
import { describe, expect, test } from "vitest";
import { messageOf, hintOf } from "../../../engine/errors/plugboard-error.ts";
import { read, validateWorkspace } from "../../../engine/manifest/index.ts";

const problemsOf = (forge: string, secrets = "secrets: { allow_env: [GITHUB_TOKEN] }\n") =>
  validateWorkspace(read([{ layer: "workspace", label: "", files: new Map([["workspace.yaml", `name: Test\n${secrets}forge:\n${forge}`]]) }]))
    .map(({ code, params, at }) => ({ code, at: `${at?.line}:${at?.col}`, text: `${messageOf(code, params)} ${hintOf(code, params) ?? ""}` }));
const GOOD = "  type: github\n  repository: acme/config\n";

test("what a workspace needs is little", () => {
  expect(problemsOf(`${GOOD}  token: env:GITHUB_TOKEN\n`)).toEqual([]);
  expect(problemsOf(`${GOOD}  app: { id: 1, installation: 2, private_key: file:github/app.pem }\n  merge: squash\n  branch: trunk\n  people: { ada@example.com: ada-l }\n`)).toEqual([]);
  expect(problemsOf(`${GOOD}  token: vault:secret/github#token\n`)).toEqual([]);
});

describe("refused, with its place and the nearest right spelling:", () => {
  test.each([
    ["a forge nobody has heard of", `  type: gitub\n  repository: acme/config\n  token: env:GITHUB_TOKEN\n`, "MANIFEST_WRONG_VALUE", "4:9", /github/],
    ["a key that is misspelt", `${GOOD}  tokn: env:GITHUB_TOKEN\n`, "MANIFEST_UNKNOWN_FIELD", "6:3", /token/],
    ["a repository without an owner", `  type: github\n  repository: config\n  token: env:GITHUB_TOKEN\n`, "MANIFEST_WRONG_VALUE", "5:15", /owner\/name/],
    ["neither token nor app", GOOD, "MANIFEST_ONE_OF", "3:1", /token, app/],
    ["both", `${GOOD}  token: env:GITHUB_TOKEN\n  app: { id: 1, installation: 2, private_key: file:a.pem }\n`, "MANIFEST_ONE_OF", "7:3", /token and app/],
    ["a variable that is not open", `${GOOD}  token: env:GITHUB_TOKE\n`, "MANIFEST_UNKNOWN_REFERENCE", "6:10", /did you mean 'env:GITHUB_TOKEN'/],
    ["an address with a sign-in", `${GOOD}  token: env:GITHUB_TOKEN\n  api: https://me:pw@api.example.com\n`, "MANIFEST_WRONG_VALUE", "7:8", /./],
  ])("%s", (_, forge, code, at, text) => {
    const problems = problemsOf(forge);
    expect(problems.map((problem) => [problem.code, problem.at])).toContainEqual([code, at]);
    expect(problems.map((problem) => problem.text).join("\n")).toMatch(text);
  });
});

test("a token or key written into the file is told, and not repeated", () => {
  const secret = "my-very-own-token-0123456789";
  const problems = problemsOf(`${GOOD}  token: ${secret}\n`);
  expect(problems.map(({ code, at }) => [code, at])).toContainEqual(["MANIFEST_SECRET", "6:10"]);
  expect(JSON.stringify(problems)).not.toContain(secret);
  expect(problemsOf(`${GOOD}  app: { id: 1, installation: 2, private_key: "-----BEGIN RSA PRIVATE KEY-----" }\n`).map(({ code }) => code)).toContain("MANIFEST_SECRET");
});
