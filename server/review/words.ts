/** A plan in words, for a terminal and for a pull request. Tenants that change in the same way are told once. */
import { textOfChanges, type RatedChange, type TenantChange } from "../../engine/plan/index.ts";
import type { Json } from "../../engine/manifest/types.ts";
import type { DataEffect, FlowEffect } from "./data-effect.ts";
import type { ChangePlan, SettingChange } from "./plan.ts";

/** Tenants named of a group, changes shown of a tenant, characters shown of a value. */
const MAX_NAMES = 8;
const MAX_CHANGES = 60;
const MAX_VALUE = 90;

export interface Group { readonly tenants: readonly TenantChange[]; readonly changes: readonly RatedChange[]; readonly change: TenantChange["change"]; readonly risk: TenantChange["risk"] }

export function groupsOf(tenants: readonly TenantChange[]): Group[] {
  const groups = new Map<string, TenantChange[]>();
  for (const tenant of tenants) {
    const key = textOfChanges([{ ...tenant, tenant: "" }]);
    groups.set(key, [...(groups.get(key) ?? []), tenant]);
  }
  return [...groups.values()].map((members) => ({ tenants: members, changes: members[0]!.changes, change: members[0]!.change, risk: members[0]!.risk }));
}

export const riskWords = { safe: "safe", resync: "needs a resync", new_scope: "reaches further", destructive: "destructive" } as const;
export const SIGNS = { added: "+", removed: "-", changed: "~" } as const;

/** `acme, bolt and 3 more` */
export const names = (all: readonly string[], most = MAX_NAMES): string => all.length <= most ? all.join(", ") : `${all.slice(0, most).join(", ")} and ${(all.length - most).toLocaleString("en")} more`;

export const shownChanges = (changes: readonly RatedChange[]): { readonly shown: readonly RatedChange[]; readonly more: number } => ({ shown: changes.slice(0, MAX_CHANGES), more: Math.max(0, changes.length - MAX_CHANGES) });

/** `every 15m → every 5m` */
export function valuesOf({ change, before, after, kind }: RatedChange): string {
  if (isPlainList(before) && isPlainList(after)) return listText(before, after);
  const text = (value: Json | undefined): string => (kind === "schedule" ? scheduleText(value) : valueText(value));
  return change === "changed" ? `${text(before)} → ${text(after)}` : text(change === "added" ? after : before);
}

const isPlainList = (value: Json | undefined): value is readonly (string | number)[] => Array.isArray(value) && value.every((item) => typeof item === "string" || typeof item === "number");

/** Of two lists what came and what went; of the same items in another order both. */
function listText(before: readonly (string | number)[], after: readonly (string | number)[]): string {
  const [came, went] = [after.filter((item) => !before.includes(item)), before.filter((item) => !after.includes(item))];
  if (came.length + went.length === 0) return `${valueText(before)} → ${valueText(after)}`;
  return [...came.map((item) => `+${item}`), ...went.map((item) => `-${item}`)].slice(0, 12).join(" ");
}

export const settingText = ({ before, after }: Pick<SettingChange, "before" | "after">): string => [before, after].map((value) => (value === undefined ? "nothing" : valueText(value))).join(" → ");

/** `tenants/acme.yaml:9` */
export const placeOf = ({ to, from }: RatedChange): string | undefined => { const at = to ?? from; return at && `${at.file}:${at.line}`; };

function scheduleText(value: Json | undefined): string {
  const { every_seconds, cron, time_zone, sweep_seconds } = (value ?? {}) as { every_seconds?: number; cron?: string; time_zone?: string; sweep_seconds?: number };
  const when = every_seconds === undefined ? `at ${cron ?? ""}${time_zone === undefined ? "" : ` ${time_zone}`}` : `every ${durationText(every_seconds)}`;
  return `${when}${sweep_seconds === undefined ? "" : `, all of it every ${durationText(sweep_seconds)}`}`;
}

const UNITS = [[604_800, "w"], [86_400, "d"], [3600, "h"], [60, "m"]] as const;
function durationText(seconds: number): string {
  // Weeks only where they are whole and more than one: seven days are written 7d.
  const unit = UNITS.find(([size, name]) => seconds % size === 0 && seconds >= size && !(name === "w"));
  return unit ? `${seconds / unit[0]}${unit[1]}` : `${seconds}s`;
}

function valueText(value: Json | undefined): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  const line = text.replaceAll(/\s*\n\s*/g, " ").trim();
  return line.length > MAX_VALUE ? `${line.slice(0, MAX_VALUE - 1)}…` : line;
}

/** `2 of 3 tenants change` */
export function summaryOf({ tenants, unchanged, files, settings = [] }: Pick<ChangePlan, "tenants" | "unchanged"> & Partial<Pick<ChangePlan, "files" | "settings">>): string {
  const total = tenants.length + unchanged;
  if (tenants.length === 0 && settings.length > 0) return "The workspace's settings change, for all tenants.";
  if (tenants.length === 0) return files && files.length > 0 ? `No tenant changes: nobody uses what is changed in ${files.length === 1 ? files[0]!.file : `${files.length} files`} yet.` : "No changes.";
  return `${tenants.length.toLocaleString("en")} of ${total.toLocaleString("en")} tenant${total === 1 ? "" : "s"} change${tenants.length === 1 ? "s" : ""}`;
}

/** `200 records looked at: 2 newly refused, 180 change` */
export function effectText(flow: FlowEffect): string {
  const parts = [
    [flow.newly_invalid, "newly refused"], [flow.newly_filtered, "no longer wanted"], [flow.changed, flow.changed === 1 ? "changes" : "change"], [flow.newly_valid, "no longer refused"], [flow.newly_kept, "newly wanted"],
  ].flatMap(([records, words]) => ((records as number) > 0 ? [`${records} ${words}`] : []));
  if (flow.looked_at === 0) return flow.note ?? "no records to look at";
  return `${flow.looked_at.toLocaleString("en")} record${flow.looked_at === 1 ? "" : "s"} looked at: ${parts.length > 0 ? parts.join(", ") : "none of them differs"}${flow.note === undefined ? "" : `; ${flow.note}`}`;
}

export function planMarkdown(plan: ChangePlan, { data, drift }: { readonly data?: DataEffect; readonly drift?: string } = {}): string {
  const lines = [`## Plan: ${summaryOf(plan).replace(/\.$/, "")}${plan.tenants.length + plan.settings.length === 0 ? "" : `, ${riskWords[plan.risk]}`}`];
  if (drift !== undefined) lines.push("", `> ${drift}`);
  if (plan.settings.length > 0) lines.push("", "### Workspace", "", ...plan.settings.map((setting) => `- \`${setting.path}\`: ${escaped(settingText(setting))}${setting.why === undefined ? "" : ` **${riskWords[setting.risk]}**: ${setting.why}`}`));
  for (const group of groupsOf(plan.tenants)) {
    const ids = group.tenants.map(({ tenant }) => `\`${tenant}\``);
    lines.push("", `### ${names(ids)}${group.tenants.length > 1 ? ` (${group.tenants.length} tenants)` : ` · ${escaped(group.tenants[0]!.title)}`}${group.change === "changed" ? "" : `: ${group.change}`}`, "", "| | what | from → to | risk | written at |", "|---|---|---|---|---|");
    const { shown, more } = shownChanges(group.changes);
    for (const change of shown) lines.push(`| ${SIGNS[change.change]} | \`${change.path}\` | ${escaped(valuesOf(change))} | ${change.risk === "safe" ? "" : `**${riskWords[change.risk]}**: ${change.why}`} | ${placeOf(change) ?? ""} |`);
    if (more > 0) lines.push("", `… and ${more} more.`);
  }
  if (data && data.flows.length > 0) {
    lines.push("", "### Data", "", "Records read last, through the old and the new mapping:", "");
    for (const flow of data.flows) {
      lines.push(`- \`${flow.tenant}\` ${flow.flow} (${flow.stream} → ${flow.entity}): ${effectText(flow)}`);
      for (const { reason, records } of flow.reasons) lines.push(`  - ${records}× ${escaped(reason)}`);
      for (const [field, records] of Object.entries(flow.fields)) lines.push(`  - \`${field}\`: ${records}`);
    }
    if (data.left_out > 0) lines.push(`- ${sampledText(data)}.`);
  }
  if (plan.warnings.length > 0) lines.push("", "### Warnings", "", ...plan.warnings.map(({ code, message, file, line }) => `- ${file === undefined ? "" : `${file}:${line} `}${code} ${escaped(message)}`));
  lines.push("", `<sub>plan ${plan.hash}</sub>`);
  return `${lines.join("\n")}\n`;
}

/** What a part says of the whole, where it was too much to look at. */
export const sampledText = ({ flows, left_out: left, records_each: each }: DataEffect): string =>
  `${flows.length.toLocaleString("en")} of ${(flows.length + left).toLocaleString("en")} flows that change were looked at, from all over the tenants, up to ${each} records of each`;

/** Values are of people: a table's cell and a link must not be made of them. */
const escaped = (text: string): string => text.replaceAll(/[\\`*_|[\]<>]/g, (character) => `\\${character}`).replaceAll("\n", " ");
