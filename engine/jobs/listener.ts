/**
 * LISTEN on a connection of its own. A notification is a hint, never the truth: whoever listens also looks by itself now and
 * then, and looks at once after every (re)connect, because what was sent meanwhile is lost.
 */
import pg from "pg";

export interface ListenerOptions {
  readonly connection: pg.ClientConfig;
  /** Channel → what to do with a payload. Names are constants of ours. */
  readonly channels: Readonly<Record<string, (payload: string) => void>>;
  /** After each successful LISTEN, the first one included. */
  onConnected(): void;
  /** A lost connection; it is being replaced. */
  onLost(cause: Error): void;
}

export interface Listener {
  /** Resolves once the first LISTEN holds. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** How often a silent connection is asked whether it still lives, and how long it may take to answer. */
const HEARTBEAT_MILLISECONDS = 10_000;
const HEARTBEAT_TIMEOUT_MILLISECONDS = 5_000;
const FIRST_RETRY_MILLISECONDS = 100;
const LONGEST_RETRY_MILLISECONDS = 5_000;

export function createListener(options: ListenerOptions): Listener {
  let client: pg.Client | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  let retry: NodeJS.Timeout | undefined;
  let failures = 0;
  let closed = false;
  const { promise: ready, resolve: becomeReady } = Promise.withResolvers<void>();

  const connect = async (): Promise<void> => {
    const next = new pg.Client({ ...options.connection, keepAlive: true, application_name: "plugboard listen", query_timeout: HEARTBEAT_TIMEOUT_MILLISECONDS });
    client = next;
    let lost = false;
    const lose = (cause: Error): void => {
      if (lost || closed) return;
      lost = true;
      clearInterval(heartbeat);
      options.onLost(cause);
      next.end().catch(() => {});
      retry = setTimeout(() => void connect(), Math.min(FIRST_RETRY_MILLISECONDS * 2 ** failures++, LONGEST_RETRY_MILLISECONDS));
    };
    next.on("error", lose);
    next.on("end", () => lose(new Error("the connection ended")));
    next.on("notification", ({ channel, payload }) => options.channels[channel]?.(payload ?? ""));
    try {
      await next.connect();
      await next.query(Object.keys(options.channels).map((channel) => `listen ${pg.escapeIdentifier(channel)}`).join("; "));
    } catch (thrown) {
      lose(thrown as Error);
      return;
    }
    if (closed) return void next.end().catch(() => {});
    failures = 0;
    heartbeat = setInterval(() => void next.query("select 1").catch(lose), HEARTBEAT_MILLISECONDS);
    heartbeat.unref();
    becomeReady();
    options.onConnected();
  };
  void connect();

  return {
    ready,
    async close() {
      closed = true;
      clearTimeout(retry);
      clearInterval(heartbeat);
      await client?.end().catch(() => {});
    },
  };
}
