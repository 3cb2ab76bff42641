/**
 * Two engines that are wrong on purpose, as plausible as wrong ones are. They are made around the real one: the product has no
 * switch for being wrong.
 */
import { createServer, type Server } from "node:http";
import type { FastifyInstance } from "fastify";
import { addDelivery } from "../../../engine/store/index.ts";
import type { Point } from "./blows.ts";

/** `answered-first`: 200 before anything is on disk. `no-outbox`: what a change makes leave is sent at once, from memory. */
export const PUSH_MUTANTS = ["answered-first", "no-outbox"] as const;
export type PushMutant = (typeof PUSH_MUTANTS)[number];

/** Each is struck where it is wrong: a short storm elsewhere may miss it. */
export const STRIKES: Readonly<Record<PushMutant, { readonly stops: 0; readonly cuts: 0; readonly who: "worker" | "server"; readonly points?: readonly Point[] }>> = {
  "answered-first": { stops: 0, cuts: 0, who: "server" },
  "no-outbox": { stops: 0, cuts: 0, who: "worker", points: ["outbox_committed"] },
};

/** In memory for a moment, as such designs do: or a blow on a quick or a crowded machine falls beside where they are wrong. */
const collected = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, 150); });

/** Takes the body, answers, and then has it stored: it even tries again, as long as the process lives. */
export function answeringFirst(server: FastifyInstance): Server {
  return createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => undefined);
    request.on("end", () => {
      const { "content-length": _, ...headers } = request.headers;
      response.writeHead(200).end();
      void (async () => {
        await collected();
        for (let tries = 0; tries < 100; tries++) {
          const { statusCode } = await server.inject({ method: "POST", url: request.url!, headers, payload: Buffer.concat(chunks) });
          if (statusCode < 500) return;
          await new Promise((resolve) => { setTimeout(resolve, 100); });
        }
      })();
    });
  });
}

/**
 * In the place of the outbox: sends each until it was taken, under one id, without a row that would tell
 * another worker of it. Saves stay as they are: they need a row to know what they saved.
 */
export function sendingAtOnce(receiverUrl: string, token: string): typeof addDelivery {
  return async (tx, sealer, made) => {
    const { id, kind, payload, status } = made;
    if (kind === "save" || status !== "queued") return addDelivery(tx, sealer, made);
    const to = { action: "/notes", webhook: "/hook" }[kind];
    void (async () => {
      await collected();
      for (let tries = 0; tries < 100; tries++) {
        try {
          const answer = await fetch(`${receiverUrl}${to}`, { method: "POST", body: payload.body ?? JSON.stringify(payload.input), headers: { authorization: `Bearer ${token}`, "idempotency-key": id, "webhook-id": id }, signal: AbortSignal.timeout(1_000) });
          if (answer.ok) return;
        } catch { /* and again */ }
        await new Promise((resolve) => { setTimeout(resolve, 50); });
      }
    })();
    return true;
  };
}
