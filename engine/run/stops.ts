/** Why a run stops without having failed. Thrown up to run-flow, which turns each into a result. */

/** The provider asked to wait longer than a worker may be kept: the slot is freed until then. */
export class Waiting extends Error {
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly reason: string;
  constructor(until: number, reason: string) {
    super(reason);
    this.until = until;
    this.reason = reason;
  }
}

/** An error rule said that this stream cannot be read with this credential. */
export class StreamSkipped extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/** Someone asked for it. */
export class Cancelled extends Error {
  readonly by: string;
  constructor(by: string) {
    super(`cancelled by ${by}`);
    this.by = by;
  }
}

/** The worker is told to stop (SIGTERM); another attempt goes on. */
export class Interrupted extends Error {}

/** The provider has forgotten the page token of a page that is not the first. */
export class PageTokenExpired extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`page token expired (${status})`);
    this.status = status;
  }
}
