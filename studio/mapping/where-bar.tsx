/** Which records a mapping takes: shown as a sentence, edited in place. */
import { Box, Button, Code, Group, Text } from "@mantine/core";
import { memo, useState } from "react";
import { parse } from "../../engine/expression/syntax/index.ts";
import { ExpressionEditor } from "./expression-editor.tsx";
import type { SourceField } from "./trees.ts";

export const WhereBar = memo(function WhereBar({ where, sources, change }: { readonly where: string | null; readonly sources: readonly SourceField[]; readonly change: ((text: string | null) => void) | undefined }) {
  const [isOpen, setOpen] = useState(false);
  const problems = where === null ? [] : parse(where).problems.map(({ message, start }) => ({ severity: "error", message, position: start }));
  if (isOpen && change) {
    return (
      <Group gap="xs" wrap="nowrap" align="flex-start" flex={1} miw={280}>
        <Text size="xs" c="dimmed" pt={8} style={{ flexShrink: 0 }}>Only records where</Text>
        <Box flex={1} miw={0}><ExpressionEditor value={where ?? ""} label="Only records where" sources={sources} problems={problems} onChange={(text) => change(text.trim() === "" ? null : text)} /></Box>
        <Button size="xs" variant="default" onClick={() => setOpen(false)}>Done</Button>
      </Group>
    );
  }
  return (
    <Group gap={6}>
      <Text size="xs" c="dimmed">{where === null ? "All records" : <>Only records where <Code>{where}</Code></>}</Text>
      {problems.length > 0 && <Text size="xs" c="red">{problems[0]!.message}</Text>}
      {change && <Button size="compact-xs" variant="subtle" onClick={() => setOpen(true)}>{where === null ? "Leave some out" : "Edit"}</Button>}
    </Group>
  );
});
