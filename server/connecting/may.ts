/** What some of a route's bodies need beyond the route's own permission. */
import type { FastifyRequest } from "fastify";
import { PlugboardError } from "../../engine/errors/plugboard-error.ts";
import { may } from "../api/may.ts";
import type { Permission } from "../api/permissions.ts";
import type { Services } from "../api/services.ts";

/** @throws PlugboardError SERVER_FORBIDDEN, SERVER_ROLE_FORBIDDEN */
export async function mustMay(request: FastifyRequest, services: Services, permission: Permission): Promise<void> {
  if (await may(request, services, permission, request.tenant)) return;
  const { role } = request.caller!;
  throw role === undefined ? new PlugboardError("SERVER_FORBIDDEN", { scope: permission }) : new PlugboardError("SERVER_ROLE_FORBIDDEN", { role, permission });
}
