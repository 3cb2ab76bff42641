/** What the API says of runs, as far as these pages show it. */
export interface Counters { readonly [name: string]: number; readonly read: number; readonly created: number; readonly updated: number; readonly unchanged: number; readonly superseded: number; readonly deleted: number; readonly filtered: number; readonly quarantined: number; readonly swept: number; readonly pages: number; readonly requests: number; readonly retries: number }

export interface Run {
  readonly id: string; readonly flow: string; readonly connection: string; readonly status: string; readonly mode: string | null; readonly trigger: string; readonly requested_by: string | null;
  readonly attempt: number; readonly revision: string | null; readonly queued_at: string; readonly started_at: string | null; readonly finished_at: string | null; readonly resume_at: string | null;
  readonly seconds: number | null; readonly counters: Counters;
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string; readonly next?: string } | null;
  readonly cancel_requested: boolean; readonly held_sweep: { readonly missing: number; readonly live: number } | null;
}

export const isUnderWay = ({ status }: Pick<Run, "status">): boolean => ["queued", "running", "waiting"].includes(status);

export const whole = (count: number): string => count.toLocaleString("en-GB");
