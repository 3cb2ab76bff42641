/** What a push storm was and what came of it, for people. */
import type { PushReport } from "./rig.ts";

export function pushTable({ findings, killedAt, senderFaults, receiverFaults, ...report }: PushReport): string {
  const listed = (counts: object): string => Object.entries(counts).map(([name, count]) => `${name.replaceAll("_", " ")} ${count}`).join(", ");
  const rows: [string, string | number][] = [
    ["kill -9", `${report.kills} (${listed(killedAt)})`],
    ["zombies woken", report.zombies], ["times the database went away", report.cuts], ["points not reached", report.missed],
    ["events accepted, copies among them", `${report.events}, ${report.copies}`],
    ["sender's faults", listed(senderFaults)],
    ["deliveries, attempts", `${report.deliveries}, ${report.attempts} (${report.unknown} of unknown end, ${report.lookups} lookups)`],
    ["receiver's faults", listed(receiverFaults)],
    ["events lost, duplicated", `${findings.lostEvents}, ${findings.duplicatedEvents}`],
    ["deliveries lost, duplicated", `${findings.lostDeliveries}, ${findings.duplicatedDeliveries}`],
    ["out of order", findings.outOfOrder], ["hints without a read after them", findings.unread], ["deliveries not resolved", findings.unresolved],
    ["sent of a first load", findings.sentOfFirstLoad], ["wrong requests", findings.wrong], ["unbalanced runs", findings.unbalanced],
    ["seconds; until all had settled", `${report.seconds}; ${report.recoverySeconds ?? "never"} after the last blow`],
  ];
  return [...rows.map(([name, value]) => `  ${name.padEnd(36)}${value}`), ...findings.evidence.map((line) => `  evidence ${line}`)].join("\n");
}
