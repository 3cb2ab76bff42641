/** Pages of an organisation's own people; the operator's have others for all of them. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { isStaff, useSession } from "../../api/session.ts";
import { Empty } from "../../ui/states.tsx";
import { useTenant } from "../../ui/tenant.tsx";

export function ForOwn({ children }: { readonly children: (tenant: string) => ReactNode }) {
  const session = useSession();
  const tenant = useTenant();
  if (isStaff(session)) return <Empty title="This is for organisations' own people" action={<Button component={Link} to="/super-admin/organizations" variant="default" mt="sm">Go to organisations</Button>}>Choose the organisation there, or act as one of its people.</Empty>;
  return tenant === undefined ? <Empty title="No organisation" /> : <>{children(tenant)}</>;
}
