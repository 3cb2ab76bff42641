import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ComponentType, ReactElement } from "react";
import { useMay } from "../api/session.ts";
import { Empty, NotAllowed } from "../ui/states.tsx";

/** The page, for who may see it. The server decides; this spares people an error. */
export function guarded(permission: string | undefined, Content: ComponentType): () => ReactElement {
  return function Guarded() {
    const may = useMay();
    return permission === undefined || may(permission) ? <Content /> : <NotAllowed page />;
  };
}

export function NotFound() {
  return <Empty page title="There is no such page" action={<Button component={Link} to="/" variant="default" mt="sm">Go to the start</Button>}>The address may be misspelt, or what it showed is gone.</Empty>;
}
