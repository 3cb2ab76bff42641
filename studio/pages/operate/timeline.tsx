/** What a run did, when: requests as long as they took, pages as they were stored, waits. From its log. */
import { Box, Group, Paper, Text, Tooltip } from "@mantine/core";
import { useMemo } from "react";
import { duration } from "../../ui/time.tsx";
import { whole } from "./types.ts";

export interface LogLine { readonly at: string; readonly level: string; readonly event: string; readonly message: string; readonly data?: Readonly<Record<string, unknown>> }

interface Mark { readonly from: number; readonly to: number; readonly kind: "request" | "failed" | "page" | "wait"; readonly says: string }

const LANES = [["request", "Requests"], ["page", "Pages"], ["wait", "Waits"]] as const;
const COLOURS = { request: "blue", failed: "red", page: "teal", wait: "yellow" } as const;
/** Beyond these, neighbours are drawn as one. */
const MOST_MARKS = 400;

export function RunTimeline({ lines, start, end }: { readonly lines: readonly LogLine[]; readonly start: number; readonly end: number }) {
  const marks = useMemo(() => lines.flatMap(markOf), [lines]);
  const from = Math.min(start, ...marks.map((mark) => mark.from));
  const to = Math.max(end, from + 1, ...marks.map((mark) => mark.to));
  if (marks.length === 0) return null;
  const span = to - from;
  const place = (at: number): number => ((at - from) / span) * 100;
  const counted = LANES.map(([lane, label]) => ({ lane, label, own: marks.filter(({ kind }) => kind === lane || (lane === "request" && kind === "failed")) })).filter(({ own }) => own.length > 0);
  return (
    <Paper withBorder p="sm" role="img" aria-label={`In ${duration(span)}: ${counted.map(({ label, own }) => `${whole(own.length)} ${label.toLowerCase()}`).join(", ")}. The log below has each of them.`}>
      {counted.map(({ lane, label, own }) => (
        <Group key={lane} gap="sm" wrap="nowrap" py={3}>
          <Text size="xs" c="dimmed" w={64} style={{ flexShrink: 0 }}>{label}</Text>
          <Box pos="relative" h={16} flex={1} style={{ borderRadius: 3, background: "var(--mantine-color-default-hover)", overflow: "hidden" }}>
            {thinned(own).map((mark, index) => (
              <Tooltip key={index} label={`${mark.says}${mark.to > mark.from ? `, ${duration(mark.to - mark.from)}` : ""}, at +${duration(mark.from - from)}`} multiline maw={420}>
                <Box pos="absolute" top={2} h={12} bg={`${COLOURS[mark.kind]}.6`} style={{ left: `${place(mark.from)}%`, width: `max(${place(mark.to) - place(mark.from)}%, 3px)`, borderRadius: 2 }} />
              </Tooltip>
            ))}
          </Box>
        </Group>
      ))}
      <Group justify="space-between" pl={76}><Text size="xs" c="dimmed">0</Text><Text size="xs" c="dimmed">{duration(span / 2)}</Text><Text size="xs" c="dimmed">{duration(span)}</Text></Group>
    </Paper>
  );
}

/** A request's line stands when its answer came. */
function markOf({ at, event, level, message, data }: LogLine): Mark[] {
  const end = Date.parse(at);
  if (event === "request") {
    const took = Number(data?.["milliseconds"] ?? 0);
    return [{ from: end - took, to: end, kind: Number(data?.["status"] ?? 200) >= 400 || level === "error" ? "failed" : "request", says: message }];
  }
  if (event === "page") return [{ from: end, to: end, kind: "page", says: message }];
  if (event === "wait" || event === "retry") return [{ from: end, to: end + Number(data?.["milliseconds"] ?? 0), kind: "wait", says: message }];
  return [];
}

function thinned(marks: readonly Mark[]): readonly Mark[] {
  if (marks.length <= MOST_MARKS) return marks;
  const size = Math.ceil(marks.length / MOST_MARKS);
  return Array.from({ length: Math.ceil(marks.length / size) }, (_, index) => {
    const part = marks.slice(index * size, (index + 1) * size);
    const worst = part.find(({ kind }) => kind === "failed") ?? part[0]!;
    return { from: part[0]!.from, to: part.at(-1)!.to, kind: worst.kind, says: part.length === 1 ? worst.says : `${part.length} from here, such as: ${worst.says}` };
  });
}
