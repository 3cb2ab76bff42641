import { BarChartIcon, Link2Icon, Pencil2Icon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/org", load: () => import("./org.tsx") },
  { path: "/org/integrations", permission: "connections:read", load: () => import("./integrations.tsx"), nav: { label: "Integrations", section: "My organisation", for: "tenant", icon: Link2Icon, words: "connections connect sync" } },
  { path: "/org/reports", permission: "reports:read", load: () => import("./reports.tsx"), nav: { label: "Reports", section: "My organisation", for: "tenant", icon: BarChartIcon, words: "power bi" } },
  { path: "/org/requests", permission: "requests:read", load: () => import("./requests.tsx"), nav: { label: "Ask for an integration", section: "My organisation", for: "tenant", icon: Pencil2Icon, words: "request provider" } },
];
