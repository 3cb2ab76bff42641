/** What component tests share: a context to build with, and an answer. */
import type { Answer } from "../../../engine/components/kinds.ts";
import { buildContext } from "../../../engine/run/build-context.ts";

export const context = buildContext("streams.people");

export const answerOf = (body: unknown, parts: Partial<Answer> = {}): Answer => ({ status: 200, headers: {}, body, bytes: 0, url: "https://api.example.com/v1/people?page=1", ...parts });
