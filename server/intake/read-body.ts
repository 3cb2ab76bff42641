/** Reads a request's body without trusting what it says about itself: never more than the limit, never longer than the time. */
import type { IncomingMessage } from "node:http";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";

/** A body of a megabyte over a bad line; whoever sends a byte now and then does not keep a place for it. */
const BODY_SECONDS = 10;

/**
 * @throws PlugboardError SERVER_TOO_LARGE before the rest is read, SERVER_SLOW, SERVER_ENCODED for a body that would have to be
 * unpacked: what it becomes is its sender's choice.
 */
export function readBody(message: IncomingMessage, limit: number, seconds = BODY_SECONDS): Promise<Buffer> {
  const encoding = message.headers["content-encoding"]?.trim().toLowerCase() ?? "";
  if (encoding !== "" && encoding !== "identity") return Promise.reject(new PlugboardError("SERVER_ENCODED", { encoding: encoding.slice(0, 40) }));
  if (Number(message.headers["content-length"] ?? 0) > limit) return Promise.reject(new PlugboardError("SERVER_TOO_LARGE", { limit }));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => end(() => reject(new PlugboardError("SERVER_SLOW", { seconds }))), seconds * 1000);
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      message.off("data", take).off("end", done).off("error", broken).off("close", gone);
      settle();
    };
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limit) end(() => { message.pause(); reject(new PlugboardError("SERVER_TOO_LARGE", { limit })); });
      else chunks.push(chunk);
    };
    const done = (): void => end(() => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    const broken = (cause: Error): void => end(() => reject(new PlugboardError("EVENT_BODY", { detail: "the connection broke while it was read", suggestion: "" }, { cause })));
    const gone = (): void => broken(new Error("closed"));
    message.on("data", take).on("end", done).on("error", broken).on("close", gone);
  });
}
