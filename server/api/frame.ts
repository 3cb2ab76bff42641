/** The HTTP server without its routes: limits, time-outs, headers, errors, access, validation, documentation. */
import { randomUUID } from "node:crypto";
import cookie from "@fastify/cookie";
import helmet from "@fastify/helmet";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import Fastify, { type FastifyInstance } from "fastify";
import { live } from "../../engine/run/redact.ts";
import { version } from "../version.ts";
import { installAccess, type Access } from "./access.ts";
import { errorSchema, installErrors } from "./errors.ts";
import { scopesInWords } from "./schemas.ts";
import { routeValidator } from "./validation.ts";

export interface FrameOptions {
  readonly access: Access;
  /** `silent` in tests. @default "warn" */
  readonly logLevel?: "debug" | "info" | "warn" | "error" | "silent";
  /** Where log lines go. @default stdout */
  readonly logStream?: { write(line: string): void };
  /** Addresses of proxies whose X-Forwarded-* headers count. @default none */
  readonly trustProxy?: readonly string[];
}

/** JSON bodies here are a mode and a few names. */
const MAX_BODY_BYTES = 64 * 1024;
/** A whole request must have arrived by then; Fastify's own default is to wait for ever. */
const REQUEST_TIMEOUT_MILLISECONDS = 30_000;
const KEEP_ALIVE_MILLISECONDS = 72_000;
const MAX_PARAM_LENGTH = 500;

/** What an answer means where its route does not say it better. */
const MEANINGS: Readonly<Record<string, string>> = { 2: "Done.", 4: "The request is at fault: `error.code` says how.", 5: "Plugboard or its database is at fault; 503 may work later." };

interface Operation {
  readonly responses: Record<string, { description?: string }>;
  readonly requestBody?: { required?: boolean; readonly content: Record<string, { readonly schema: { readonly type?: string | readonly string[] } }> };
}

/** What the log may say of an address: no query, where codes, cursors and slips of the hand stand; and a webhook's address is its secret. */
const loggedUrl = (url: string): string => url.split("?", 1)[0]!.replace(/^(\/+webhooks\/+[^/]+\/+).+/i, "$1***");

/** Every line of the log passes the process's redactor, whatever was put into it and wherever. */
const withoutSecrets = (stream: { write(line: string): unknown }): { write(line: string): void } => ({ write: (line) => { stream.write(live.text(line)); } });

export async function createFrame(options: FrameOptions): Promise<FastifyInstance> {
  const server = Fastify({
    bodyLimit: MAX_BODY_BYTES, requestTimeout: REQUEST_TIMEOUT_MILLISECONDS, keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
    trustProxy: options.trustProxy === undefined ? false : [...options.trustProxy],
    genReqId: () => randomUUID(), requestIdHeader: false,
    forceCloseConnections: "idle", return503OnClosing: true,
    logger: { level: options.logLevel ?? "warn", stream: withoutSecrets(options.logStream ?? process.stdout), redact: ["req.headers.authorization", "req.headers.cookie"], serializers: { req: ({ method, url, id }: { method: string; url: string; id: string }) => ({ method, url: loggedUrl(url), id }) } },
  });
  server.setValidatorCompiler(routeValidator());
  // Response schemas document and are tested; a serialiser built from them answers 500 where one is a field behind.
  server.setSerializerCompiler(() => (data) => JSON.stringify(data));
  server.addSchema(errorSchema);
  installErrors(server);
  await server.register(cookie);
  installAccess(server, options.access);
  server.addHook("onSend", async (request, reply) => { reply.header("x-request-id", request.id); });
  server.addHook("onRoute", (route) => {
    // Every route may answer with an error, so none has to say it.
    route.schema = { ...route.schema, response: { ...(route.schema?.response as object | undefined), "4xx": { $ref: "Error#" }, "5xx": { $ref: "Error#" } } };
  });

  await server.register(helmet, {
    // The pages at /docs style themselves inline; every script is a file of ours.
    contentSecurityPolicy: { directives: { defaultSrc: ["'self'"], scriptSrc: ["'self'"], styleSrc: ["'self'", "'unsafe-inline'"], imgSrc: ["'self'", "data:"], objectSrc: ["'none'"], frameAncestors: ["'none'"], upgradeInsecureRequests: null } },
    strictTransportSecurity: false,                        // said by whoever ends TLS
  });
  await server.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Plugboard", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" }, description: `Start syncs, watch runs, read records.\n\nA key carries scopes:\n\n${scopesInWords}\n- \`*\`: all of them` },
      components: { securitySchemes: { key: { type: "http", scheme: "bearer", bearerFormat: "pbk_…", description: "`Authorization: Bearer pbk_…`, or a service token that the host product signed" }, session: { type: "apiKey", in: "cookie", name: "__Host-sid", description: "Given by `POST /api/session`. Changes need the header `x-csrf-token` too, which `GET /api/session` gives." } } },
      security: [{ key: [] }, { session: [] }],
      tags: [
        { name: "integrations", description: "A tenant's connections: start them, see how they are" },
        { name: "connectors", description: "What can be connected" }, { name: "connections", description: "Enter, check and end a tenant's connections, and call their providers" }, { name: "runs", description: "Executions of flows" }, { name: "events", description: "What providers send: received, looked at, processed again" },
        { name: "deliveries", description: "What leaves: sent, held for a person, looked at, sent again; and where outgoing webhooks go" },
        { name: "records", description: "What the flows stored" }, { name: "people", description: "Sign in, invite, give roles, make keys, trust signers" }, { name: "audit", description: "Who did what, when, from where" },
        { name: "operations", description: "Health, metrics, tenants" },
      ],
    },
    transform: ({ schema, url, route }) => {
      const permission = (route.config as { permission?: string } | undefined)?.permission ?? "public";
      const shown = { ...(schema as object), security: permission === "public" ? [] : permission === "self" ? [{ session: [] }] : [{ key: [permission] }, { session: [] }], "x-permission": permission };
      return { schema: shown, url };
    },
    transformObject: (found) => {
      const document = "openapiObject" in found ? found.openapiObject : found.swaggerObject;
      for (const operation of Object.values(document.paths ?? {}).flatMap((methods) => Object.values(methods as Record<string, Operation>))) {
        for (const [status, response] of Object.entries(operation.responses)) if (response.description === "Default Response") response.description = MEANINGS[status[0]!] ?? "";
        const body = operation.requestBody;
        if (body?.content["application/json"]?.schema.type?.includes("null")) body.required = false;
      }
      return document;
    },
    refResolver: { buildLocalReference: (schema, _base, _fragment, number) => (typeof schema["$id"] === "string" ? schema["$id"] : `def-${number}`) },
  });
  await server.register(swaggerUi, { routePrefix: "/docs", staticCSP: false, uiConfig: { docExpansion: "list", tryItOutEnabled: false } });
  return server;
}
