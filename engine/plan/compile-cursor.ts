import type { JsonObject } from "../manifest/types.ts";
import { component } from "./compile-request.ts";
import { at, plain, type Sourced } from "./sourced.ts";
import type { ComponentPlan } from "./types.ts";

/** A cursor without a type reads date-times; a window starts where the cursor does, unless it says otherwise. */
export function compileCursor(node: Sourced | undefined): ComponentPlan | undefined {
  const cursor = component(node, "datetime");
  const window = at(node, "window");
  const start = at(node, "start");
  if (!cursor || !window || !start || at(window, "from")) return cursor;
  return { ...cursor, window: { ...(plain(window) as JsonObject), from: plain(start) } };
}
