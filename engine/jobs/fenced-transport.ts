/** A worker that lost its delivery is stopped here: before each request, not only before the first. */
import type { Transport } from "../components/kinds.ts";

export interface FencedTransport {
  readonly transport: Transport;
  /** Whether any request left. */
  readonly sent: boolean;
  /** Of the last answer. */
  readonly status: number | undefined;
  /** Why no request was let out any more. */
  readonly stopped: Error | undefined;
}

/** @param before runs before each request; what it throws is what that request and every later one ends with. */
export function fencedTransport(transport: Transport, before: () => Promise<void>): FencedTransport {
  let sent = false;
  let status: number | undefined;
  let stopped: Error | undefined;
  return {
    get sent() { return sent; },
    get status() { return status; },
    get stopped() { return stopped; },
    transport: {
      async send(request, options) {
        if (stopped !== undefined) throw stopped;
        try {
          await before();
        } catch (thrown) {
          stopped = thrown as Error;
          throw thrown;
        }
        sent = true;
        const answer = await transport.send(request, options);
        status = answer.status;
        return answer;
      },
      close: () => transport.close(),
    },
  };
}
