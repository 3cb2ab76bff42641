/** What arrives and what becomes of it, for Prometheus: requests as this process answered them, the backlog as the database has it. */
import { Counter, Gauge, type Registry } from "prom-client";
import { eventLoad, type Database } from "../../engine/store/index.ts";
import type { IntakeOptions } from "./intake.ts";

export function intakeMetrics(registry: Registry, db: Database): { readonly seen: NonNullable<IntakeOptions["seen"]> } {
  const requests = new Counter({ name: "plugboard_webhook_requests_total", help: "Requests of providers since this process started, by outcome.", labelNames: ["outcome"], registers: [registry] });
  const events = new Counter({ name: "plugboard_events_received_total", help: "Items of accepted requests since this process started.", labelNames: ["is"], registers: [registry] });
  const pending = new Gauge({ name: "plugboard_events_pending", help: "Events that wait to be processed, at most 100000.", registers: [registry] });
  const oldest = new Gauge({ name: "plugboard_events_oldest_seconds", help: "How long the event that is due longest has waited.", registers: [registry] });
  const reads = new Gauge({
    name: "plugboard_event_reads_pending", help: "Records that events named and that are to be read.", registers: [registry],
    async collect() {
      const load = await eventLoad(db).catch(() => undefined);       // the other metrics still say something
      if (load === undefined) return;
      pending.set(load.pending);
      oldest.set(Math.max(0, load.oldestSeconds));
      reads.set(load.reads);
    },
  });
  return {
    seen(outcome, received) {
      requests.inc({ outcome });
      if (received === undefined) return;
      events.inc({ is: "new" }, received.items);
      events.inc({ is: "duplicate" }, received.duplicates);
    },
  };
}
