/** A plan on the terminal. */
import pc from "picocolors";
import type { Risk } from "../../engine/plan/index.ts";
import type { DataEffect } from "../review/data-effect.ts";
import type { ChangePlan } from "../review/plan.ts";
import { effectText, groupsOf, names, placeOf, riskWords, settingText, shownChanges, SIGNS, summaryOf, valuesOf, sampledText } from "../review/words.ts";
import { print } from "./output.ts";

const COLOURS = { added: pc.green, removed: pc.red, changed: pc.yellow } as const;
const RISK_COLOURS: Readonly<Record<Risk, (text: string) => string>> = { safe: pc.green, resync: pc.yellow, new_scope: pc.magenta, destructive: pc.red };
/** Columns up to which paths are lined up. */
const MAX_PATH = 60;

export function showPlan(plan: Pick<ChangePlan, "tenants" | "unchanged" | "risk"> & Partial<ChangePlan>, { data }: { readonly data?: DataEffect | undefined } = {}): void {
  for (const setting of plan.settings ?? []) print(`${pc.bold("workspace")}  ${setting.path}  ${settingText(setting)}${setting.why === undefined ? "" : `  ${RISK_COLOURS[setting.risk](`${riskWords[setting.risk]}: ${setting.why}`)}`}\n`);
  for (const group of groupsOf(plan.tenants)) {
    const title = group.tenants.length === 1 ? group.tenants[0]!.title : `${group.tenants.length.toLocaleString("en")} tenants`;
    print(`${pc.bold(names(group.tenants.map(({ tenant }) => tenant)))}  ${pc.dim(title)}  ${group.change === "changed" ? "" : `${COLOURS[group.change](group.change)}  `}${RISK_COLOURS[group.risk](riskWords[group.risk])}`);
    const { shown, more } = shownChanges(group.changes);
    const width = Math.min(MAX_PATH, Math.max(0, ...shown.map(({ path }) => path.length)));
    for (const change of shown) {
      const place = placeOf(change);
      print(`  ${COLOURS[change.change](SIGNS[change.change])} ${change.path.padEnd(width)}  ${valuesOf(change)}${place === undefined ? "" : pc.dim(`   ${place}`)}`);
      if (change.why !== undefined) print(`    ${" ".repeat(width)}${RISK_COLOURS[change.risk](`${riskWords[change.risk]}: ${change.why}`)}`);
    }
    if (more > 0) print(pc.dim(`  … and ${more} more`));
    print();
  }
  if (data) showData(data);
  for (const { severity, code, message, file, line } of plan.warnings ?? []) print(`${pc.yellow(severity)}  ${file === undefined ? "" : `${file}:${line}  `}${pc.bold(code)}  ${message}`);
  print(`${pc.bold(summaryOf(plan))}${plan.tenants.length + (plan.settings?.length ?? 0) === 0 ? "" : `, ${RISK_COLOURS[plan.risk](riskWords[plan.risk])}`}`);
}

function showData(data: DataEffect): void {
  const { flows, left_out } = data;
  if (flows.length === 0) return;
  print(pc.bold("Data"));
  for (const flow of flows) {
    print(`  ${flow.tenant}/${flow.flow}  ${pc.dim(`${flow.stream} → ${flow.entity}`)}  ${(flow.newly_invalid > 0 ? pc.red : (text: string) => text)(effectText(flow))}`);
    for (const { reason, records } of flow.reasons) print(`    ${pc.red(`${records}×`)} ${reason}`);
    for (const [field, records] of Object.entries(flow.fields)) print(`    ${field}: ${records.toLocaleString("en")} record${records === 1 ? "" : "s"}`);
    for (const { key, outcome, before, after, reason } of flow.samples.slice(0, 3)) print(pc.dim(`      ${key}  ${outcome.replace("_", " ")}  ${reason ?? difference(before, after)}`));
  }
  if (left_out > 0) print(pc.dim(`  ${sampledText(data)}`));
  print();
}

/** Only what differs of the two. */
function difference(before: object | undefined, after: object | undefined): string {
  const flat = (value: unknown, at = ""): [string, unknown][] => typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value).flatMap(([key, member]) => flat(member, at === "" ? key : `${at}.${key}`)) : [[at, value]];
  const [old, now] = [new Map(flat(before ?? {})), new Map(flat(after ?? {}))];
  const text = (value: unknown) => (value === undefined ? "nothing" : JSON.stringify(value));
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => text(old.get(key)) !== text(now.get(key))).slice(0, 3).map((key) => `${key}: ${text(old.get(key))} → ${text(now.get(key))}`).join(", ");
}
