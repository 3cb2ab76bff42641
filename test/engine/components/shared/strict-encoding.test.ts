import { expect, test } from "vitest";
import { decodeAnyBase64, decodeStrictly } from "../../../../engine/components/shared/strict-encoding.ts";

test("text stands for bytes in one spelling: no stray characters, spare bits or mixed case", () => {
  expect(decodeStrictly("00ff", "hex")).toEqual(Buffer.from([0, 255]));
  expect(decodeStrictly("00FF", "hex")).toEqual(Buffer.from([0, 255]));
  for (const text of ["", "0", "00fF", "0x00", "00 ff", "zz"]) expect(decodeStrictly(text, "hex"), text).toBeUndefined();
  expect(decodeStrictly("+/8=", "base64")).toEqual(Buffer.from([0xfb, 0xff]));
  expect(decodeStrictly("+/8", "base64")).toEqual(Buffer.from([0xfb, 0xff]));
  expect(decodeStrictly("-_8", "base64url")).toEqual(Buffer.from([0xfb, 0xff]));
  for (const text of ["", "+/9=", "+/8==", "+/8=\n", " +/8=", "-_8=", "+/8=x", "A"]) expect(decodeStrictly(text, "base64"), text).toBeUndefined();
  expect(decodeAnyBase64("-_8=")).toEqual(Buffer.from([0xfb, 0xff]));
  expect(decodeAnyBase64("+_8=")).toBeUndefined();
});
