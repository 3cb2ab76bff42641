/** A secret that the server tells once: to copy now. It is gone with the component that holds it. */
import { Alert, Button, Code, CopyButton, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

export function ShownOnce({ label, value, children }: { readonly label: string; readonly value: string; readonly children?: ReactNode }) {
  return (
    <Alert color="blue" variant="light" title={`${label}: shown this once`} role="status">
      <Stack gap="xs">
        <Group wrap="nowrap" align="flex-start">
          <Code style={{ overflowWrap: "anywhere", flex: 1 }} data-shown-once>{value}</Code>
          <CopyButton value={value}>{({ copied, copy }) => <Button size="xs" variant="default" onClick={copy} aria-label={`Copy: ${label}`}>{copied ? "Copied" : "Copy"}</Button>}</CopyButton>
        </Group>
        {children !== undefined && <Text size="sm">{children}</Text>}
      </Stack>
    </Alert>
  );
}
