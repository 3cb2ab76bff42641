/** The whole body as one text. */
import { defineDecoder } from "../kinds.ts";
import { decodeText } from "../shared/decode-text.ts";

export default defineDecoder("text", () => ({ accept: "*/*", decode: decodeText }));
