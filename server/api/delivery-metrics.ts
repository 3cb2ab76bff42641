/** What is to be delivered, for Prometheus: the backlog as the database has it. */
import { Gauge, type Registry } from "prom-client";
import { deliveryLoad, type Database, type DeliveryStatus } from "../../engine/store/index.ts";

const UNFINISHED: readonly DeliveryStatus[] = ["waiting", "held", "queued", "sending", "unknown"];

export function deliveryMetrics(registry: Registry, db: Database): void {
  const late = new Gauge({ name: "plugboard_deliveries_late_seconds", help: "How long the delivery that is due longest has waited.", registers: [registry] });
  new Gauge({
    name: "plugboard_deliveries", help: "Unfinished deliveries by status.", labelNames: ["status"], registers: [registry],
    async collect() {
      const load = await deliveryLoad(db).catch(() => undefined);    // the other metrics still say something
      if (load === undefined) return;
      for (const status of UNFINISHED) this.set({ status }, load.find((each) => each.status === status)?.count ?? 0);
      late.set(Math.max(0, load.find(({ status }) => status === "queued")?.seconds ?? 0));
    },
  });
}
