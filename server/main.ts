/** The server as a library: what the command line starts, and what the environment says about it. */
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../engine/errors/plugboard-error.ts";
import type { Settings } from "./settings.ts";

export { createServer, type ServerOptions } from "./api/server.ts";
export { DEFAULT_PORT, settingsOf, type Settings } from "./settings.ts";
export { ensureFirstKey, issueKey } from "./api/first-key.ts";
export { applyWorkspace, type Applied, type ApplyRequest } from "./workspace/apply.ts";

/** @returns where it listens. @throws PlugboardError SERVER_PORT_TAKEN */
export async function listen(server: FastifyInstance, { host, port }: Pick<Settings, "host" | "port">): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EADDRINUSE") throw thrown;
    throw new PlugboardError("SERVER_PORT_TAKEN", { port, other: port + 1 }, { cause: thrown });
  }
}
