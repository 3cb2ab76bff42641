/** Reads one page: page token → variables → request → answer → records → token of the next page. */
import { httpDate } from "../components/shared/retry-after.ts";
import type { Answer, Cursor, PageToken, Pagination, Variables } from "../components/kinds.ts";
import type { CompiledExpression } from "../expression/index.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { ConnectorPlan, DoorPlan, HttpPlan, StreamPlan } from "../plan/types.ts";
import { buildComponent, compileAt } from "./build-context.ts";
import type { Pass } from "./checkpoint.ts";
import { compileCall, type Call, type Exchange } from "./exchange.ts";
import { selectRecords } from "./select-records.ts";
import { PageTokenExpired } from "./stops.ts";
import { withoutSecrets } from "./variables.ts";

export interface Door {
  /** What a checkpoint's page token belongs to: `list:offset`. */
  readonly name: string;
  readonly call: Call;
  readonly records: CompiledExpression;
  readonly pagination: Pagination;
}

export interface FetchedPage {
  readonly token: PageToken;
  readonly records: readonly unknown[];
  readonly next: PageToken | undefined;
  /** Why the pass is no proof of what is gone. */
  readonly incomplete: string | undefined;
  /** The provider's clock, milliseconds since the epoch. */
  readonly date: number | undefined;
  /** The host that answered. */
  readonly host: string;
  /** What expressions over these records see. */
  readonly variables: Variables;
}

/** A stream that is one answer. */
const SINGLE: Pagination = { first: () => ({}), page: () => ({}), next: async () => undefined };

export function compileDoor(name: "list" | "changes", plan: DoorPlan, stream: StreamPlan, streamName: string, connector: ConnectorPlan, http: HttpPlan): Door {
  const where = `streams.${streamName}`;
  return {
    name: `${name}:${plan.pagination?.type ?? "single"}`,
    call: compileCall(plan.request, connector, http, where, stream.errors),
    records: compileAt(String(plan.records), `${where}.records`),
    pagination: plan.pagination === undefined ? SINGLE : buildComponent("pagination", plan.pagination, `${where}.pagination`),
  };
}

export function compileCursor(stream: StreamPlan, streamName: string): Cursor | undefined {
  return stream.cursor === undefined ? undefined : buildComponent("cursor", { ...stream.cursor, type: stream.cursor.type ?? "datetime" }, `streams.${streamName}.cursor`);
}

export interface PageContext {
  readonly door: Door;
  readonly exchange: Exchange;
  readonly connector: ConnectorPlan;
  /** config, account, tenant, inputs, select, with, run, now */
  readonly base: Variables;
  readonly cursor: Cursor | undefined;
  /** A resumed page, or one that is not the pass's first: its token can have been forgotten. */
  readonly beyondFirst: boolean;
}

export async function fetchPage(token: PageToken, pass: Pass, context: PageContext): Promise<FetchedPage> {
  const { door, exchange, connector, base, cursor } = context;
  const variables: Variables = { ...base, page: door.pagination.page(token), cursor: cursorVariable(pass, cursor) };
  const visible = withoutSecrets(connector, variables);
  let exchanged;
  try {
    exchanged = await exchange.send(door.call, variables);
  } catch (thrown) {
    if (context.beyondFirst && isForgotten(thrown, token)) throw new PageTokenExpired(Number((thrown as PlugboardError).params["status"]));
    throw thrown;
  }
  const { answer, label, empty, ignored } = exchanged;
  const { records, unproven } = empty ? { records: [], unproven: false } : await selectRecords(answer, door.records, visible, label);
  const next = await door.pagination.next({ token, answer, records, variables: visible });
  return {
    token, records, next, variables: visible, date: dateOf(answer), host: new URL(answer.url).host,
    incomplete: ignored ?? (unproven && !context.beyondFirst ? "the first page had no records, and no `empty:` says that this is fine" : undefined),
  };
}

/**
 * A later sweep reads everything up to its window's end and beyond: a record that changes while it runs must not fall out of the
 * window before its page is read, or the sweep would take it for deleted. What lies beyond is read again by the next window.
 */
const BEYOND_MILLISECONDS = 366 * 86_400_000;

function cursorVariable(pass: Pass, cursor: Cursor | undefined): unknown {
  if (cursor === undefined) return undefined;
  const { window } = pass;
  return cursor.print((pass.sweep ?? 1) > 1 ? { ...window, to: new Date(Date.parse(window.to) + BEYOND_MILLISECONDS).toISOString() } : window);
}

/** Only a token the provider gave can be forgotten by it; our own counting cannot. */
function isForgotten(thrown: unknown, token: PageToken): boolean {
  if (!(thrown instanceof PlugboardError) || thrown.code !== "RUN_HTTP_STATUS") return false;
  const status = thrown.params["status"];
  return (status === 400 || status === 410) && (token["url"] !== undefined || token["token"] !== undefined);
}

const dateOf = (answer: Answer): number | undefined => httpDate(answer.headers["date"]);
