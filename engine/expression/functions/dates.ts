import { DateTime } from "luxon";
import type { LibraryFunction } from "./types.ts";
import { LibraryError } from "./library-error.ts";

/** The next midnight, as an ISO instant; of UTC unless a time zone is named. */
export const next_day: LibraryFunction = {
  signature: "<s?:s>",
  call: ({ now }, zone: string | undefined) => {
    const today = DateTime.fromMillis(now, { zone: zone ?? "utc" });
    if (!today.isValid) throw new LibraryError("TIME_ZONE", `"${zone}" is not a time zone; write one like "Europe/London".`);
    return today.plus({ days: 1 }).startOf("day").toUTC().toISO();
  },
};
