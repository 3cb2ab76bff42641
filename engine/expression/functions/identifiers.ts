import { sha1 } from "@noble/hashes/legacy.js";
import { bytesOf, encodeBytes } from "./bytes.ts";
import { LibraryError } from "./library-error.ts";
import type { FunctionGroup } from "./types.ts";

/** RFC 9562 §6.6. */
const NAMESPACES: Readonly<Record<string, string>> = {
  dns: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
  url: "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
};

export const identifiers: FunctionGroup = {
  title: "Identifiers",
  functions: {
    uuid_of: {
      doc: "The UUID (version 5) of a name: the same name always gives the same one. The namespace is a UUID, \"dns\" or \"url\" (default).",
      signature: "<s-s?:s>", parameters: ["name", "namespace?"],
      examples: [
        // RFC 9562 §A.4.
        { args: ["www.example.com", "dns"], result: "2ed6657d-e927-568b-95e1-2665a8aea6a2" },
        { args: ["learner/7", "2ed6657d-e927-568b-95e1-2665a8aea6a2"], result: "9a649b00-4b12-5f20-ae2b-1231d4ee242d" },
        { args: ["x", "home"], error: "UUID" },
      ],
      call: (_context, name: string, namespace = "url" as string) => {
        const space = Object.hasOwn(NAMESPACES, namespace) ? NAMESPACES[namespace] as string : namespace;
        if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(space)) throw new LibraryError("UUID", `"${namespace}" is not a UUID, "dns" or "url".`);
        const prefix = Uint8Array.from(space.replaceAll("-", "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
        const hash = sha1(Uint8Array.of(...prefix, ...bytesOf(name))).slice(0, 16);
        hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
        hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
        return encodeBytes(hash, "hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
      },
    },
    uuid: {
      doc: "A random UUID (version 4), another each time: use $uuid_of for anything that is stored or compared.",
      signature: "<:s>", parameters: [],
      examples: [],
      nonDeterministic: true,
      call: () => crypto.randomUUID(),
    },
  },
};
