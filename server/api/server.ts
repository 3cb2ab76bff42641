/** The HTTP server with all its routes. */
import type { FastifyInstance } from "fastify";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { createTransport } from "../../engine/components/transport/http.ts";
import type { Jobs } from "../../engine/jobs/index.ts";
import { findSession, tenantState, type Database, type Keyring, noReferences, type ReferenceResolver } from "../../engine/store/index.ts";
import { apiKeys } from "../people/api-keys.ts";
import { personOf } from "../people/session-person.ts";
import { createFrame, type FrameOptions } from "./frame.ts";
import { installMetrics } from "./metrics.ts";
import { policyOf } from "./policy.ts";
import { registerConnections } from "./routes/connections.ts";
import { registerConnectors } from "./routes/connectors.ts";
import { registerFlows } from "./routes/flows.ts";
import { registerIntegrations } from "./routes/integrations.ts";
import { registerLineage } from "./routes/lineage.ts";
import { registerLive } from "./routes/live.ts";
import { registerOperations } from "./routes/operations.ts";
import { registerProxy } from "./routes/proxy.ts";
import { registerQuarantine } from "./routes/quarantine.ts";
import { registerRecords } from "./routes/records.ts";
import { registerRuns } from "./routes/runs.ts";
import { connection, counters, run } from "./schemas.ts";
import { createServices } from "./services.ts";
import { readWorkload } from "./workload.ts";
import { serveStudio } from "../studio.ts";

export interface ServerOptions extends Omit<FrameOptions, "access"> {
  readonly db: Database;
  readonly jobs: Jobs;
  readonly keyring: Keyring;
  /** Private addresses that checks and proxied calls may reach, as the workspace says. @default none */
  readonly allowPrivate?: boolean | readonly string[];
  /** What secrets stored as references may read. @default nothing */
  readonly references?: ReferenceResolver;
  /** The folder of the built Studio. @default none: only the API */
  readonly studio?: string | undefined;
}

/** Ready to `listen` or `inject`. Closing it leaves db and jobs open. */
export async function createServer({ db, jobs, keyring, allowPrivate, references, studio, ...frame }: ServerOptions): Promise<FastifyInstance> {
  const transport = createTransport({ allowPrivate: allowPrivate ?? false });
  const services = createServices({ db, jobs, keyring, references: references ?? noReferences, transport });
  const server = await createFrame({
    ...frame,
    access: {
      bearers: [apiKeys(db)],
      findSession: async (hash) => { const session = await findSession(db, hash); return session && personOf(session); },
      tenantState: (tenant) => tenantState(db, tenant),
      // A tenant that no configuration names opens nothing.
      policyOf: (tenant) => services.planOf(tenant).then(policyOf, (thrown: unknown) => {
        if (thrown instanceof PlugboardError && thrown.code === "PLAN_UNKNOWN_TENANT") return () => false;
        throw thrown;
      }),
    },
  });
  server.addHook("onClose", () => transport.close());
  server.addSchema(counters);
  server.addSchema(run);
  server.addSchema(connection);
  installMetrics(server, async () => ({ ...(await readWorkload(db)), queueDepth: await jobs.queue.depth() }), jobs.board);
  for (const register of [registerIntegrations, registerConnectors, registerConnections, registerProxy, registerRuns, registerRecords, registerQuarantine, registerFlows, registerLineage, registerLive, registerOperations]) register(server, services);
  if (studio !== undefined) await serveStudio(server, studio);
  return server;
}
