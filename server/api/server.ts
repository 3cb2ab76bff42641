/** The HTTP server with all its routes. */
import type { FastifyInstance } from "fastify";
import { createTransport } from "../../engine/components/transport/http.ts";
import type { Jobs } from "../../engine/jobs/index.ts";
import { findSession, tenantState, type Database, type Keyring, noReferences, type ReferenceResolver } from "../../engine/store/index.ts";
import { connectLinks } from "../connecting/link-bearer.ts";
import { apiKeys } from "../people/api-keys.ts";
import { serviceTokens } from "../people/service-tokens.ts";
import { personOf } from "../people/session-person.ts";
import { createFrame, type FrameOptions } from "./frame.ts";
import { deliveryMetrics } from "./delivery-metrics.ts";
import { installMetrics } from "./metrics.ts";
import { policyReader } from "./policy.ts";
import { registerAudit } from "./routes/audit.ts";
import { registerConnectLinks } from "./routes/connect-links.ts";
import { registerChanges } from "./routes/changes.ts";
import { registerConnections } from "./routes/connections.ts";
import { registerConnectors } from "./routes/connectors.ts";
import { registerDataKeys } from "./routes/data-keys.ts";
import { registerDeliveries } from "./routes/deliveries.ts";
import { registerEvents } from "./routes/events.ts";
import { registerFlows } from "./routes/flows.ts";
import { registerImpersonation } from "./routes/impersonation.ts";
import { registerHolds } from "./routes/holds.ts";
import { registerIntegrations } from "./routes/integrations.ts";
import { registerIssuers } from "./routes/issuers.ts";
import { registerKeys } from "./routes/keys.ts";
import { registerLineage } from "./routes/lineage.ts";
import { registerLive } from "./routes/live.ts";
import { registerOAuth } from "./routes/oauth.ts";
import { registerMappings } from "./routes/mappings.ts";
import { registerOperations } from "./routes/operations.ts";
import { registerOutgoingEndpoints } from "./routes/outgoing-endpoints.ts";
import { registerOverview } from "./routes/overview.ts";
import { registerOverrides } from "./routes/overrides.ts";
import { registerPresets } from "./routes/presets.ts";
import { registerProxy } from "./routes/proxy.ts";
import { registerQuarantine } from "./routes/quarantine.ts";
import { registerRecords } from "./routes/records.ts";
import { registerReports } from "./routes/reports.ts";
import { registerRequests } from "./routes/requests.ts";
import { registerRuns } from "./routes/runs.ts";
import { registerSession } from "./routes/session.ts";
import { registerTemplates } from "./routes/templates.ts";
import { registerTenants } from "./routes/tenants.ts";
import { registerTries } from "./routes/tries.ts";
import { registerSignIn } from "./routes/sign-in.ts";
import { registerUsers } from "./routes/users.ts";
import { connection, counters, run } from "./schemas.ts";
import { createServices } from "./services.ts";
import { readWorkload } from "./workload.ts";
import { intakeMetrics } from "../intake/metrics.ts";
import { registerIntake, type IntakeRoutesOptions } from "../intake/routes.ts";
import { tenantOfHost } from "../organisations/host.ts";
import { keepHouse } from "../organisations/housekeeping.ts";
import { serveStudio } from "../studio.ts";
import { openForges, type Forges, type ReviewedWorkspace } from "../review/index.ts";

export interface ServerOptions extends Omit<FrameOptions, "access"> {
  readonly db: Database;
  readonly jobs: Jobs;
  readonly keyring: Keyring;
  /** Private addresses that checks and proxied calls may reach, as the workspace says. @default none */
  readonly allowPrivate?: boolean | readonly string[];
  /** What secrets stored as references may read. @default nothing */
  readonly references?: ReferenceResolver;
  /** Under which address people reach this server: what providers send browsers back to, and connect links begin with. @default that of the request */
  readonly publicUrl?: string | undefined;
  /** Origins that a connect link may lead back to: `connect.return_to` of the workspace. @default none */
  readonly returnOrigins?: readonly string[] | undefined;
  /** The configuration in Git. @default none: what is in force is shown, and nothing of it can be changed */
  readonly workspace?: ReviewedWorkspace | undefined;
  /** What reaches the forge that the workspace names. @default with the transport, the references and the address of this server */
  readonly forges?: Forges | undefined;
  /** Below which the tenants have their addresses: `acme.example.com` with `example.com`. @default no host name says anything */
  readonly domain?: string | undefined;
  /** Limits of what providers send. */
  readonly intake?: Pick<IntakeRoutesOptions, "flood" | "bodySeconds" | "tenantOfHost">;
  /** The folder of the built Studio. @default none: only the API */
  readonly studio?: string | undefined;
}

/** Ready to `listen` or `inject`. Closing it leaves db and jobs open. */
export async function createServer({ db, jobs, keyring, allowPrivate, references, publicUrl, returnOrigins, workspace, forges, domain, studio, intake, ...frame }: ServerOptions): Promise<FastifyInstance> {
  const transport = createTransport({ allowPrivate: allowPrivate ?? false });
  const services = createServices({
    db, jobs, keyring, references: references ?? noReferences, transport, allowPrivate, publicUrl, returnOrigins,
    review: workspace && { db, keyring, workspace, forges: forges ?? openForges({ transport, references: references ?? noReferences, publicUrl }) },
  });
  const ofHost = tenantOfHost(db, domain);
  const server = await createFrame({
    ...frame,
    access: {
      bearers: [apiKeys(db), connectLinks(db), serviceTokens(db, transport)],
      findSession: async (hash) => { const session = await findSession(db, hash); return session && personOf(session); },
      tenantState: (tenant) => tenantState(db, tenant),
      policyOf: policyReader(services.planOf),
      tenantOfHost: ofHost,
    },
  });
  server.addHook("onClose", () => transport.close());
  server.addSchema(counters);
  server.addSchema(run);
  server.addSchema(connection);
  const metrics = installMetrics(server, async () => ({ ...(await readWorkload(db)), queueDepth: await jobs.queue.depth() }), jobs.board);
  for (const register of [registerIntegrations, registerConnectors, registerConnections, registerConnectLinks, registerOAuth, registerProxy, registerRuns, registerRecords, registerQuarantine, registerFlows, registerLineage, registerLive, registerMappings, registerOperations, registerSession, registerSignIn, registerUsers, registerIssuers, registerKeys, registerImpersonation, registerAudit, registerChanges, registerEvents, registerDeliveries, registerHolds, registerOutgoingEndpoints, registerTenants, registerPresets, registerOverrides, registerTemplates, registerRequests, registerReports, registerTries, registerOverview, registerDataKeys]) register(server, services);
  registerIntake(server, services, { ...(domain === undefined ? {} : { tenantOfHost: ofHost }), ...intake, seen: intakeMetrics(metrics, db).seen });
  deliveryMetrics(metrics, db);
  keepHouse(server, db, services.review);
  if (studio !== undefined) await serveStudio(server, studio);
  return server;
}
