/** Every error leaves in one shape: `{ error: { code, message, hint, docs } }`. No stack, no SQL, no other tenant's words. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ErrorCode } from "../../engine/errors/catalog.ts";
import { PlugboardError, type ErrorParams } from "../../engine/errors/plugboard-error.ts";
import { live } from "../../engine/run/redact.ts";
import { problemJson } from "../../engine/errors/render.ts";
import { InvalidChange, problemsFor } from "../review/plan.ts";
import { asStoreFailure, sqlStateOf } from "../../engine/store/failures.ts";

export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint?: string; readonly docs: string; readonly field?: string; readonly problems?: readonly (ValueProblem | ReturnType<typeof problemJson>)[] };
}

/** One value that cannot be taken, and where in the body it stands. Never repeats the value: it may be a secret. */
export interface ValueProblem { readonly code: ErrorCode; readonly field: string; /** JSON pointer into the body. */ readonly pointer: string; readonly message: string; readonly hint?: string }

/** All that is wrong with what was entered, together. */
export class InvalidFields extends PlugboardError {
  readonly problems: readonly ValueProblem[];
  constructor(code: ErrorCode, problems: readonly ValueProblem[], params: ErrorParams = {}) {
    super(code, { count: problems.length, problems: problems.length === 1 ? "problem" : "problems", ...params });
    this.problems = problems;
  }
}

export class InvalidValues extends InvalidFields {
  constructor(connection: string, problems: readonly ValueProblem[]) {
    super("SERVER_CONNECTION_VALUES", problems, { connection });
  }
}

export const errorSchema = {
  $id: "Error",
  title: "Error",
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["code", "message", "docs"],
      properties: {
        code: { type: "string", description: "Stable; programs compare this.", examples: ["SERVER_NOT_FOUND"] },
        message: { type: "string", description: "What happened, for a person.", examples: ["Provider 'hubspott' does not exist."] },
        hint: { type: "string", description: "What can be done about it.", examples: ["Did you mean 'hubspot'?"] },
        docs: { type: "string", description: "Where the code is explained.", examples: ["schemas/reference/errors.md#server_not_found"] },
        field: { type: "string", description: "The parameter or body field at fault.", examples: ["query.limit"] },
        problems: {
          type: "array", description: "Everything that is wrong with what was entered.",
          items: {
            type: "object", required: ["code", "field", "pointer", "message"],
            properties: { code: { type: "string" }, field: { type: "string", examples: ["api_token"] }, pointer: { type: "string", description: "Into the body.", examples: ["/secrets/api_token"] }, message: { type: "string" }, hint: { type: "string" } },
          },
        },
      },
    },
  },
} as const;

export function installErrors(server: FastifyInstance): void {
  server.setErrorHandler((thrown: FastifyError, request, reply) => answer(toPlugboardError(thrown, request), request, reply, thrown));
  server.setNotFoundHandler({ preHandler: [] }, (request, reply) =>
    answer(new PlugboardError("SERVER_NOT_FOUND", { kind: "Path", name: `${request.method} ${request.url.split("?")[0]}`, suggestion: "The paths are listed at /docs." }), request, reply));
}

function answer(error: PlugboardError, request: FastifyRequest, reply: FastifyReply, thrown?: unknown): FastifyReply {
  if (error.entry.http >= 500) request.log.error({ err: thrown }, "request failed");
  const field = error.params["field"];
  const body: ErrorBody = {
    error: {
      code: error.code, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }), docs: docsOf(error.code),
      ...(error.code === "SERVER_BAD_REQUEST" && typeof field === "string" ? { field } : {}),
      ...(error instanceof InvalidFields ? { problems: error.problems } : {}),
      ...(error instanceof InvalidChange ? { problems: problemsFor(request.tenant, error.problems.map(problemJson)) } : {}),
    },
  };
  if (error.entry.http === 401) reply.header("www-authenticate", 'Bearer realm="plugboard"');
  if (error.entry.http === 503 || error.entry.http === 429) reply.header("retry-after", String(Math.ceil(error.retryAfterSeconds ?? 5)));
  // The caller reads what is theirs: another tenant's secrets would be told by being masked.
  return reply.code(error.entry.http).type("application/json; charset=utf-8").send(live.data(body, request.tenant));
}

export const docsOf = (code: ErrorCode): string => `schemas/reference/errors.md#${code.toLowerCase()}`;

function toPlugboardError(thrown: FastifyError, request: FastifyRequest): PlugboardError {
  if (thrown instanceof PlugboardError) return withoutInsides(thrown, request);
  if (thrown.validation) return ofValidation(thrown);
  if (thrown.code === "FST_ERR_CTP_BODY_TOO_LARGE") return new PlugboardError("SERVER_TOO_LARGE", { limit: request.routeOptions.bodyLimit });
  if (thrown.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE") return new PlugboardError("SERVER_MEDIA_TYPE", { actual: request.headers["content-type"] ?? "none" });
  if (NOT_TEXT.has(sqlStateOf(thrown) ?? "")) return notText(thrown);
  const failure = asStoreFailure(thrown, "");
  if (failure instanceof PlugboardError) return withoutInsides(failure, request);
  if (thrown.statusCode !== undefined && thrown.statusCode >= 400 && thrown.statusCode < 500) return new PlugboardError("SERVER_BAD_REQUEST", { detail: thrown.message }, { cause: thrown });
  return new PlugboardError("SERVER_INTERNAL", { id: request.id }, { cause: thrown });
}

/** What PostgreSQL says of a NUL, or half a character, in text or JSON: it came with the request. */
const NOT_TEXT = new Set(["22021", "22P05"]);
const notText = (cause: unknown): PlugboardError => new PlugboardError("SERVER_BAD_REQUEST", { detail: "The request holds a character that no text has: NUL, or half of one.", suggestion: "Leave it out." }, { cause });

/** What the store says names hosts, users and tables: for the log, not for callers. */
function withoutInsides(thrown: PlugboardError, request: FastifyRequest): PlugboardError {
  if (!thrown.code.startsWith("STORE_")) return thrown;
  if (thrown.code === "STORE_UNREACHABLE") return new PlugboardError("STORE_UNREACHABLE", { address: "the database", detail: "the connection was lost or refused" }, { cause: thrown });
  if (thrown.code === "STORE_BUSY") return new PlugboardError("STORE_BUSY", { detail: "it is busy; the same request may work later" }, { cause: thrown });
  return new PlugboardError("SERVER_INTERNAL", { id: request.id }, { cause: thrown });
}

/** The first problem Ajv found, with the field by its name: `query.limit must be <= 1000`. */
function ofValidation(thrown: FastifyError): PlugboardError {
  const problem = thrown.validation![0]!;
  const part = thrown.validationContext === "querystring" ? "query" : (thrown.validationContext ?? "body");
  const inside = problem.instancePath.split("/").slice(1);
  const named = problem.params["additionalProperty"] ?? problem.params["missingProperty"];
  const field = [part, ...inside, ...(typeof named === "string" ? [named] : [])].join(".");
  const allowed = problem.params["allowedValues"];
  const detail = problem.keyword === "additionalProperties" ? `Unknown field '${field}'.`
    : problem.keyword === "required" ? `Missing field '${field}'.`
    : Array.isArray(allowed) ? `'${field}' must be one of: ${allowed.join(", ")}.`
    : `'${field}' ${problem.message ?? "is not valid"}.`;
  return new PlugboardError("SERVER_BAD_REQUEST", { detail, field, suggestion: "The fields of every path are listed at /docs." }, { cause: thrown });
}
