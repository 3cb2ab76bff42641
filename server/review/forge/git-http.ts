/** Git's requests over our transport: its egress guard, caps and deadlines, and no credential but to the repository's own address. */
import type { HttpClient } from "isomorphic-git";
import type { Transport } from "../../../engine/components/kinds.ts";
import type { Forge } from "./forge.ts";
import { plain, unanswered } from "./refusals.ts";

const TIMEOUTS = { connect: 5, headers: 10, idle: 10, total: 20 };
/** A pack of configuration; whoever has more has other things in the repository. */
const MAX_PACK_BYTES = 128 * 1024 * 1024;

/** @throws PlugboardError CHANGE_FORGE_UNREACHABLE, RUN_EGRESS */
export const gitHttp = (transport: Transport, forge: Forge): HttpClient => ({
  async request({ url, method = "GET", headers = {}, body }) {
    const target = new URL(url);
    const mine = url.startsWith(`${forge.remote}/`) ? await forge.gitHeaders() : {};
    const request = `git ${target.searchParams.get("service") ?? target.pathname.split("/").at(-1)}`.replace("git git-", "git ");
    const sent = body === undefined ? undefined : await collected(body);
    try {
      const answer = await transport.send({ method, url: target, headers: new Headers({ ...headers, ...mine, "user-agent": "git/plugboard" }), body: sent, label: request }, { signal: new AbortController().signal, timeouts: TIMEOUTS, maxBodyBytes: MAX_PACK_BYTES });
      return { url: answer.url, method, headers: { ...answer.headers }, body: once(answer.bytes), statusCode: answer.status, statusMessage: plain(answer.status < 400 ? "" : new TextDecoder().decode(answer.bytes.subarray(0, 400))) };
    } catch (thrown) {
      throw unanswered(thrown, forge.name, request);
    }
  },
});

async function collected(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
