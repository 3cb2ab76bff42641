/** What the API says of events, as far as these pages show it. */
export interface Event {
  readonly id: string; readonly connector: string; readonly connection: string | null; readonly feed: string; readonly event_id: string | null; readonly account: string | null; readonly at: string | null; readonly received_at: string;
  readonly status: string; readonly code: string | null; readonly reason: string | null; readonly events: readonly string[]; readonly effects: readonly { readonly event: string; readonly stream: string; readonly key?: string; readonly does: string }[];
  readonly attempts: number; readonly replayed: boolean; readonly copies: number; readonly copied_at: string | null; readonly finished_at: string | null;
}

export const STATUSES = ["pending", "reading", "held", "processed", "ignored", "echo", "unrouted", "failed"] as const;

/** In words, for who does not know ours. */
export const MEANING: Readonly<Record<string, string>> = {
  pending: "It waits for its turn.", reading: "It named a record, which is being read from the provider.", held: "It waits for its connection to work.", processed: "What it said is stored.",
  ignored: "No flow wants it.", echo: "It says what we wrote there ourselves: nothing changed.", unrouted: "Its account belongs to no connection.", failed: "It could not be processed.",
};
