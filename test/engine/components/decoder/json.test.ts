import { expect, test } from "vitest";
import json from "../../../../engine/components/decoder/json.ts";
import text from "../../../../engine/components/decoder/text.ts";
import { context } from "../built.ts";

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const decode = (value: string | Uint8Array, headers = {}) => json.build({ type: "json" }, context).decode(typeof value === "string" ? bytes(value) : value, headers);

test("whole numbers beyond 2^53 keep their digits, all others stay numbers", () => {
  expect(decode('{"a":9007199254740993,"b":[-9007199254740993, 12345678901234567890],"c":1.5e300,"d":0.5,"e":9007199254740991,"f":"12345678901234567890"}'))
    .toEqual({ a: "9007199254740993", b: ["-9007199254740993", "12345678901234567890"], c: 1.5e300, d: 0.5, e: 9007199254740991, f: "12345678901234567890" });
});

test("a byte order mark, UTF-16 and a named charset are read", () => {
  expect(decode(new Uint8Array([0xef, 0xbb, 0xbf, ...bytes('{"a":1}')]))).toEqual({ a: 1 });
  expect(decode(new Uint8Array([0xff, 0xfe, ...Buffer.from('{"a":"é"}', "utf16le")]))).toEqual({ a: "é" });
  expect(decode(new Uint8Array(Buffer.from('{"a":"é"}', "latin1")), { "content-type": "application/json; charset=ISO-8859-1" })).toEqual({ a: "é" });
});

test("wrong bytes are refused with their place, never replaced", () => {
  expect(() => decode(new Uint8Array([...bytes('{"a":"ok'), 0xff, 0x22, 0x7d]))).toThrow(expect.objectContaining({ code: "RUN_NOT_DECODABLE", params: expect.objectContaining({ detail: "byte 8 is not utf-8" }) }));
});

test("a web page is told from broken JSON, and shown by its first 200 characters", () => {
  expect(() => decode(`  <!DOCTYPE html>${"x".repeat(500)}`)).toThrow(expect.objectContaining({ params: expect.objectContaining({ html: true, detail: expect.stringMatching(/^it begins with: <!DOCTYPE.{191}$/) }) }));
  expect(() => decode('{"a":')).toThrow(expect.objectContaining({ code: "RUN_NOT_DECODABLE", params: expect.objectContaining({ html: false }) }));
});

test("an empty body is no value; names like __proto__ are only names", () => {
  expect(decode(" \n")).toBeUndefined();
  const value = decode('{"__proto__":{"admin":true}}') as object;
  expect([Object.keys(value), (value as { admin?: boolean }).admin]).toEqual([["__proto__"], undefined]);
});

test("text is the whole body", () => {
  expect(text.build({ type: "text" }, context).decode(bytes("a\nb"), {})).toBe("a\nb");
});
