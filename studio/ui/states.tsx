/** What a page shows instead of its content: while it loads (in the shape of what comes), when there is nothing, when it failed, when one may not. */
import { Alert, Button, Code, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { ExclamationTriangleIcon, LockClosedIcon } from "@radix-ui/react-icons";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "../api/client.ts";
import { Page, type Crumb } from "./page.tsx";

/** Rows of the height that table rows have, so that nothing jumps when they come. */
export function LoadingRows({ rows = 6 }: { readonly rows?: number }) {
  return <Stack gap={10} role="status" aria-busy="true" aria-label="Loading">{Array.from({ length: rows }, (_, index) => <Skeleton key={index} height={26} radius="sm" width={`${100 - (index % 3) * 7}%`} />)}</Stack>;
}

/** Nothing here yet: says why, and what to do about it. */
export function Empty({ title, children, action, page = false }: { readonly title: string; readonly children?: ReactNode; readonly action?: ReactNode; /** It stands for the whole page. */ readonly page?: boolean }) {
  return (
    <Stack align="center" gap="xs" py={48} px="md" ta="center">
      <Title order={page ? 1 : 2} size="h3">{title}</Title>
      {children !== undefined && <Text c="dimmed" size="sm" maw={460}>{children}</Text>}
      {action}
    </Stack>
  );
}

export function Failed({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const known = error instanceof ApiError ? error : undefined;
  if (known?.status === 403) return <NotAllowed />;
  return (
    <Alert color="red" variant="light" icon={<ExclamationTriangleIcon />} title={known ? known.message : "Something went wrong in Studio."} role="alert">
      <Stack gap={6}>
        {known?.hint !== undefined && <Text size="sm">{known.hint}</Text>}
        {known?.problems.map((problem, index) => <Text size="sm" key={index}>{problem.message}{problem.hint === undefined ? "" : ` ${problem.hint}`}</Text>)}
        {known === undefined && <Text size="sm">{error instanceof Error ? error.message : String(error)}</Text>}
        <Group gap="sm">
          {retry && <Button size="xs" variant="default" onClick={retry}>Try again</Button>}
          {known !== undefined && <Text size="xs" c="dimmed"><Code>{known.code}</Code>{known.requestId === undefined ? "" : ` request ${known.requestId}`}</Text>}
        </Group>
      </Stack>
    </Alert>
  );
}

/** @param page it stands for the whole page */
export function NotAllowed({ page = false }: { readonly page?: boolean }) {
  return (
    <Stack align="center" gap="xs" py={64} ta="center">
      <LockClosedIcon width={22} height={22} aria-hidden />
      <Title order={page ? 1 : 2} size="h3">You may not see this</Title>
      <Text c="dimmed" size="sm" maw={420}>Your role does not include it. Who manages people in your organisation can change that.</Text>
    </Stack>
  );
}

/** One of the four states, or the content. Old content stays on screen while it is fetched again. @param as of a page whose title is in what is loaded: what it is called until then, and when there is none. */
export function Loaded<Data>({ query, rows, as, children }: { readonly query: UseQueryResult<Data>; readonly rows?: number; readonly as?: Named; readonly children: (data: Data) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  return framed(as, query.isError ? <Failed error={query.error} retry={() => void query.refetch()} /> : <LoadingRows {...(rows === undefined ? {} : { rows })} />);
}

/** A page without what it is about. */
export interface Named { readonly title: string; readonly crumbs: readonly Crumb[] }
export const framed = (as: Named | undefined, content: ReactNode): ReactNode => (as === undefined ? content : <Page {...as}>{content}</Page>);
