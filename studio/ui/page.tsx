/** The frame of every page: where one is, its title, what can be done here, and the content. */
import { Anchor, Breadcrumbs, Group, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

export interface Crumb { readonly label: string; readonly to?: string }

export function Page({ title, lead, crumbs = [], actions, children, wide = false }: {
  readonly title: string; readonly lead?: ReactNode; readonly crumbs?: readonly Crumb[]; readonly actions?: ReactNode; readonly children: ReactNode;
  /** Editors and tables with many columns. */
  readonly wide?: boolean;
}) {
  useDocumentTitle(`${title} · Plugboard`);
  return (
    <Stack gap="lg" maw={wide ? undefined : 1180} mx="auto" w="100%">
      <Group justify="space-between" align="flex-end" gap="md" wrap="wrap">
        <Stack gap={4} miw={0}>
          {crumbs.length > 0 && <Breadcrumbs separator="/" fz="sm">{crumbs.map(({ label, to }) => to === undefined ? <Text key={label} size="sm" c="dimmed">{label}</Text> : <Anchor key={label} component={Link} to={to} size="sm" c="dimmed">{label}</Anchor>)}</Breadcrumbs>}
          <Title order={1} style={{ overflowWrap: "anywhere" }}>{title}</Title>
          {lead !== undefined && <Text component="div" c="dimmed" size="sm" maw={720}>{lead}</Text>}
        </Stack>
        {actions !== undefined && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Stack>
  );
}

/** A titled part of a page. */
export function Section({ title, actions, children, id }: { readonly title: string; readonly actions?: ReactNode; readonly children: ReactNode; readonly id?: string }) {
  const heading = id ?? title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return (
    <Stack gap="sm" component="section" aria-labelledby={heading}>
      <Group justify="space-between" align="center"><Title order={2} id={heading}>{title}</Title>{actions}</Group>
      {children}
    </Stack>
  );
}
