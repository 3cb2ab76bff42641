/** When a pull flow runs. Only the form is checked here: what the next time is needs a clock. */
import { CronPattern } from "croner";
import { DURATION_FORM, parseDuration } from "./duration.ts";
import { problemAt, type Report } from "./problems.ts";
import { at, plain, text, type Sourced } from "./sourced.ts";
import type { FlowPlan } from "./types.ts";

/** Most often a flow may run, in seconds: a cron cannot say less, and neither may `every`. */
const LEAST_SECONDS = 1;
const STANDARD_TIME_ZONE = "UTC";

export function compileSchedule(from: Sourced | undefined, where: string, report: Report): FlowPlan["schedule"] {
  const every = at(from, "every");
  if (every) {
    const seconds = parseDuration(plain(every));
    if (seconds !== undefined && seconds >= LEAST_SECONDS) return { every_seconds: seconds };
    report(problemAt(every.source, "MANIFEST_WRONG_VALUE", { field: `${where}.every`, expected: DURATION_FORM, actual: JSON.stringify(plain(every)) }));
    return undefined;
  }
  const cron = at(from, "cron");
  if (!cron) return undefined;
  const zone = at(from, "time_zone");
  const timeZone = text(zone) ?? STANDARD_TIME_ZONE;
  const pattern = text(cron) ?? "";
  const wrong = problemOfPattern(pattern);
  if (wrong !== undefined) report(problemAt(cron.source, "MANIFEST_WRONG_VALUE", { field: `${where}.cron`, expected: "a cron of five parts (minute hour day month weekday)", actual: JSON.stringify(pattern), suggestion: wrong }));
  if (zone && !isTimeZone(timeZone)) report(problemAt(zone.source, "MANIFEST_WRONG_VALUE", { field: `${where}.time_zone`, expected: "an IANA time zone such as Europe/London", actual: JSON.stringify(timeZone) }));
  return wrong === undefined ? { cron: pattern, time_zone: timeZone } : undefined;
}

function problemOfPattern(pattern: string): string | undefined {
  // Its parser takes forms that a schedule does not, and says so.
  const parts = pattern.trim().split(/\s+/).filter(Boolean).length;
  if (parts !== 5 && !pattern.startsWith("@")) return `It has ${parts} part${parts === 1 ? "" : "s"}; for example, every Monday at 7: 0 7 * * 1`;
  try {
    const cron = new CronPattern(pattern, undefined, { mode: "5-part" });
    return neverFires(cron) ? "It never fires: no month it names has such a day." : undefined;
  } catch (thrown) {
    return (thrown as Error).message.replace(/^CronPattern: /, "");
  }
}

const LONGEST_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** `0 0 31 2 *`. A weekday beside the day is an alternative to it, so such a pattern fires. */
function neverFires(cron: CronPattern): boolean {
  if (!cron.starDOW || cron.lastDayOfMonth || cron.lastWeekday || cron.nearestWeekdays.some(Boolean)) return false;
  const first = cron.day.findIndex(Boolean) + 1;
  return first > 0 && !cron.month.some((set, month) => set && first <= LONGEST_DAYS[month]!);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
