import { useParams } from "@tanstack/react-router";
import { Page } from "../../ui/page.tsx";
import { Integrations } from "./integrations.tsx";

export default function IntegrationsPage() {
  const { tenant } = useParams({ strict: false }) as { tenant: string };
  return <Page title="Integrations" crumbs={[{ label: "Organisations", to: "/super-admin/organizations" }, { label: tenant, to: `/super-admin/organizations/${tenant}` }, { label: "Integrations" }]}><Integrations tenant={tenant} /></Page>;
}
