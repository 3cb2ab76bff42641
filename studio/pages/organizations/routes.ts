import { PersonIcon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/super-admin/organizations", permission: "tenants:read", load: () => import("./list.tsx"), nav: { label: "Organisations", section: "Customers", for: "staff", icon: PersonIcon, words: "tenants customers" } },
  { path: "/super-admin/organizations/new", permission: "tenants:write", load: () => import("./wizard.tsx") },
  { path: "/super-admin/organizations/$tenant", permission: "tenants:read", load: () => import("./organization.tsx") },
  { path: "/super-admin/organizations/$tenant/integrations", permission: "connections:read", load: () => import("./integrations-page.tsx") },
];
