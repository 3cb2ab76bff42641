/** Pages about one organisation: a tenant's own people see theirs, staff pick one; the choice stands in the address. */
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api, type Page } from "../api/client.ts";
import { isStaff, useMay, useSession } from "../api/session.ts";
import { Empty, framed, type Named } from "./states.tsx";

export interface TenantLine { readonly tenant: string; readonly title: string; readonly subdomain: string | null; readonly kind?: string; readonly status?: string }

export function useTenants() {
  const may = useMay();
  return useQuery({ queryKey: ["/api/tenants"], queryFn: ({ signal }) => api.get<Page<TenantLine>>("/api/tenants", { limit: 1000 }, signal), enabled: may("tenants:read"), staleTime: 30_000 });
}

/** Undefined: staff who have picked none yet. */
export function useTenant(): string | undefined {
  const session = useSession();
  const { tenant } = useSearch({ strict: false }) as { tenant?: string };
  return isStaff(session) ? tenant : session.tenant ?? undefined;
}

export function TenantPicker() {
  const session = useSession();
  const tenants = useTenants();
  const tenant = useTenant();
  const navigate = useNavigate();
  if (!isStaff(session)) return null;
  return (
    <Select aria-label="Organisation" placeholder="Choose an organisation" searchable w={240} nothingFoundMessage="No organisation is called that" value={tenant ?? null} allowDeselect={false}
      data={(tenants.data?.data ?? []).map((each) => ({ value: each.tenant, label: each.title }))}
      onChange={(value) => { if (value) void navigate({ to: ".", search: (old: Record<string, unknown>) => ({ ...old, tenant: value }) } as never); }} />
  );
}

/** The content, once there is a tenant to show it for. */
export function ForTenant({ as, children }: { /** Of a page whose title is inside. */ readonly as?: Named; readonly children: (tenant: string) => ReactNode }) {
  const tenant = useTenant();
  return <>{tenant === undefined ? framed(as, <Empty title="Which organisation?" action={<TenantPicker />}>This page shows one organisation at a time.</Empty>) : children(tenant)}</>;
}
