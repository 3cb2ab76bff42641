import { parsePhoneNumberFromString, type CountryCode } from "libphonenumber-js/max";
import isEmail from "validator/lib/isEmail.js";
import { LibraryError } from "./library-error.ts";
import type { FunctionGroup } from "./types.ts";

/** A CommonJS file whose function is the module itself; its types say otherwise. */
const isAddress = isEmail as unknown as (text: string) => boolean;

/** RFC 5321 §4.5.3.1: 64 for the mailbox, @, 255 for the domain. */
const LONGEST_ADDRESS = 320;

export const contacts: FunctionGroup = {
  title: "Phone and e-mail",
  functions: {
    phone: {
      doc: "A phone number as +442079460958 (E.164), or absent when it is not a valid one. The country (GB, DE …) is where a number without + was written.",
      signature: "<s-s?:s>", parameters: ["text", "country?"],
      examples: [
        { args: ["020 7183 8750", "GB"], result: "+442071838750" },
        { args: ["+49 (0)30 901820"], result: "+4930901820" },
        { args: ["020 7183 8750"] },
        { args: ["12", "GB"] },
        { args: ["020 7183 8750", "England"], error: "COUNTRY" },
      ],
      call: (_context, text: string, country?: string) => valid(text, country)?.number,
    },
    format_phone: {
      doc: "A valid phone number as people of its country write it (\"national\", default) or with its country code (\"international\"); absent when it is not valid.",
      signature: "<s-s?s?:s>", parameters: ["text", "style?", "country?"],
      examples: [{ args: ["+442071838750"], result: "020 7183 8750" }, { args: ["02071838750", "international", "GB"], result: "+44 20 7183 8750" }, { args: ["x"] }],
      call: (_context, text: string, style = "national" as string, country?: string) => {
        if (style !== "national" && style !== "international") throw new LibraryError("UNIT", `"${style}" is not a style; write "national" or "international".`);
        const number = valid(text, country);
        return style === "national" ? number?.formatNational() : number?.formatInternational();
      },
    },
    email: {
      doc: "An e-mail address without spaces, mailto: or a name around it, in lower case; absent when it is not a valid one.",
      signature: "<s-:s>", parameters: ["text"],
      examples: [{ args: [" Jo.Doe@Example.COM "], result: "jo.doe@example.com" }, { args: ["Jo Doe <jo@example.com>"], result: "jo@example.com" }, { args: ["mailto:jo@example.com"], result: "jo@example.com" }, { args: ["jo@localhost"] }, { args: ["n/a"] }],
      call: (_context, text: string) => {
        const bare = (/^[^<>]*<([^<>]+)>$/.exec(text.trim())?.[1] ?? text).trim().replace(/^mailto:/i, "").toLowerCase();
        return bare.length <= LONGEST_ADDRESS && isAddress(bare) ? bare : undefined;
      },
    },
  },
};

function valid(text: string, country?: string) {
  if (country !== undefined && !/^[A-Z]{2}$/i.test(country)) throw new LibraryError("COUNTRY", `"${country}" is not a country code; write two letters, like GB.`);
  const number = parsePhoneNumberFromString(text, country?.toUpperCase() as CountryCode | undefined);
  return number?.isValid() ? number : undefined;
}
