/** A value as it is shown at a node or a row. Absent, null and empty look different, because they are. */
import { Text, Tooltip } from "@mantine/core";
import type { NodeValue } from "./graph/values.ts";

export function textOfValue(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return `list of ${value.length}`;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

export function Value({ of, width = 240 }: { readonly of: NodeValue; readonly width?: number }) {
  if ("problem" in of) return <Tooltip label={of.problem} multiline maw={360}><Text size="xs" c="red" truncate maw={width}>✕ {of.problem}</Text></Tooltip>;
  if ("absent" in of) return <Text size="xs" c="dimmed" fs="italic">absent</Text>;
  const whole = typeof of.value === "object" ? JSON.stringify(of.value, null, 1) : textOfValue(of.value);
  return <Tooltip label={whole.slice(0, 600)} multiline maw={420} disabled={whole.length < 24}><Text size="xs" ff="monospace" truncate maw={width} c={of.value === null ? "dimmed" : undefined}>{textOfValue(of.value)}</Text></Tooltip>;
}
