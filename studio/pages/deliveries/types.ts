/** What the API says of deliveries, as far as these pages show it. */
export interface Delivery {
  readonly id: string; readonly flow: string; readonly entity: string; readonly row: string; readonly cause: string; readonly changed_at: string; readonly kind: "action" | "save" | "webhook"; readonly target: string; readonly operation: string; readonly status: string;
  readonly code: string | null; readonly reason: string | null; readonly attempts: number; readonly due_at: string | null; readonly first_sent_at: string | null; readonly last_sent_at: string | null; readonly hold_role: string | null; readonly decided_by: string | null; readonly decided_at: string | null;
  readonly superseded_by: string | null; readonly key: string | null; readonly version: string | null; readonly gap: boolean; readonly behind: string | null; readonly created_at: string; readonly finished_at: string | null; readonly revision: string;
}

export const STATUSES = ["waiting", "held", "queued", "sending", "unknown", "delivered", "unchanged", "failed", "exhausted", "cancelled", "rejected", "superseded"] as const;

/** What happens to it next, or why nothing does. */
export const MEANING: Readonly<Record<string, string>> = {
  waiting: "It waits for something it refers to.", held: "It waits for a person's approval.", queued: "It is sent when it is due.", sending: "It is being sent.",
  unknown: "Nobody knows whether it arrived: look at the provider, and say so here.", delivered: "It arrived.", unchanged: "What is there already is the same: nothing was sent.",
  failed: "The other side refused it. It is not tried again by itself.", exhausted: "It was tried to the end of the schedule.", cancelled: "Somebody cancelled it.", rejected: "Somebody decided that it is never sent.", superseded: "A newer change of the row took its place.",
};

export const says = ({ kind, target, operation }: Pick<Delivery, "kind" | "target" | "operation">): string => kind === "webhook" ? `webhook to ${target}` : kind === "save" ? `saved to ${target}` : `${target}.${operation}`;
