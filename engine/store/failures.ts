/** The one place that turns what PostgreSQL and its driver throw into coded errors. */
import { PlugboardError } from "../errors/plugboard-error.ts";

/** Classes of SQLSTATE that pass by themselves: conflict, out of resources, shutting down, no connection; 25006, a standby; 26000 and 42P05, a prepared statement that another session has. */
const PASSING = /^(40001|40P01|53...|57P0.|08...|25006|26000|42P05|55P03|57014)$/;
/** The server is not there, or goes away, or ended our session (25P03: idle in a transaction, a worker that was stopped): another try needs another connection. */
const GONE = /^(57P0.|08...|25P03)$/;
const NETWORK = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"]);
/** A value that PostgreSQL cannot take: one record's fault. 22: data, 54: program limits (a key too long for its index). */
const DATA = /^(22...|54...|23514|23502)$/;

export const sqlStateOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
};

export const isDataFailure = (error: unknown): boolean => !(error instanceof PlugboardError) && DATA.test(sqlStateOf(error) ?? "");

/** The driver has no code for these. */
const LOST = /connection terminated|client has encountered a connection error|timeout exceeded when trying to connect|query read timeout|client was closed/i;

/** Coded errors and bugs pass through unchanged. `address` names the server, without user and password. */
export function asStoreFailure(error: unknown, address: string): unknown {
  if (error instanceof PlugboardError || !(error instanceof Error)) return error;
  const inner = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] as Error : error;
  const code = (inner as NodeJS.ErrnoException).code ?? "";
  // Only the server's own sentence: `detail` and `where` quote values.
  const detail = inner.message;
  if (NETWORK.has(code) || GONE.test(code) || LOST.test(detail)) return new PlugboardError("STORE_UNREACHABLE", { address, detail }, { cause: error });
  if (code === "28P01" || code === "28000" || code === "3D000") return new PlugboardError("STORE_UNREACHABLE", { address, detail }, { cause: error });
  if (PASSING.test(code)) return new PlugboardError("STORE_BUSY", { detail }, { cause: error });
  if (code === "42501") return new PlugboardError("STORE_PRIVILEGES", { user: "of the connection", action: detail, suggestion: "Run `plugboard migrate` as a user who may create roles." }, { cause: error });
  return error;
}

export const addressOf = (url: string): string => {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return "(not a URL)";
  }
};
