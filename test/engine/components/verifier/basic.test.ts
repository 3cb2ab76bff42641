import { expect, test } from "vitest";
import { incoming, verifierOf, NOW } from "./built.ts";

const verify = verifierOf({ type: "basic", username: "{{config.user}}", password: "{{config.word}}" });
const sent = (header?: string) => incoming({ headers: header === undefined ? {} : { authorization: header } });
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

test("name and password, as UTF-8, of any set that is current", async () => {
  expect(await verify.verify(sent(basic("anna:pä:ss")), [{ config: { user: "anna", word: "old" } }, { config: { user: "anna", word: "pä:ss" } }], NOW)).toEqual({ accepted: true });
  expect(await verify.verify(sent(basic("anna:pass").replace("Basic", "basic")), [{ config: { user: "anna", word: "pass" } }], NOW)).toEqual({ accepted: true });
});

test("refuses another credential, another scheme, none, and everything while none is configured", async () => {
  const sets = [{ config: { user: "anna", word: "pass" } }];
  for (const header of [basic("anna:pas"), basic("ann:apass"), basic("anna"), "Bearer x", "Basic", "Basic ?", `${basic("anna:pass")}, ${basic("anna:pass")}`, undefined]) expect(await verify.verify(sent(header), sets, NOW), header).toMatchObject({ accepted: false });
  expect(await verify.verify(sent(basic("anna:")), [{ config: { user: "anna", word: "" } }], NOW)).toMatchObject({ accepted: false, reason: "the option 'password' is not set" });
  expect(await verify.verify(sent(basic(":")), [{ config: {} }], NOW)).toMatchObject({ accepted: false });
});
