/** An answer as its bytes: status line, headers, body, and of a stream what comes in a moment. */
import { text as readText } from "node:stream/consumers";
import type { FastifyInstance, InjectOptions } from "fastify";
import { REACHED } from "./world.ts";

export interface Answer {
  readonly status: number;
  /** All of it. */
  readonly text: string;
  /** Whether the route's own code ran: it was let in, and its schemas took what was sent. */
  readonly reached: boolean;
}

/** How long a stream that does not end is listened to. */
const LISTEN_MILLISECONDS = 60;

export async function bodyOf(server: FastifyInstance, options: InjectOptions, streams: boolean): Promise<Answer> {
  if (!streams) {
    const answer = await server.inject(options);
    return { status: answer.statusCode, text: `${answer.statusCode} ${answer.statusMessage}\n${JSON.stringify(answer.headers)}\n${answer.body}`, reached: answer.headers[REACHED] === "yes" };
  }
  const stop = new AbortController();
  const answer = await server.inject({ ...options, payloadAsStream: true, signal: stop.signal } as InjectOptions);
  const stream = answer.stream();
  const timer = setTimeout(() => { stream.destroy(); stop.abort(); }, LISTEN_MILLISECONDS);
  let body = "";
  stream.on("data", (chunk: Buffer) => { body += chunk.toString(); });
  await readText(stream).catch(() => undefined);
  clearTimeout(timer);
  return { status: answer.statusCode, text: `${answer.statusCode}\n${JSON.stringify(answer.headers)}\n${body}`, reached: answer.headers[REACHED] === "yes" || answer.statusCode === 200 };
}
