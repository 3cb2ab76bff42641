import { LayersIcon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/super-admin/integration-defaults", permission: "configuration:propose", load: () => import("./list.tsx"), nav: { label: "Integration defaults", section: "Customers", for: "staff", icon: LayersIcon, words: "presets releases upgrade compare" } },
  { path: "/super-admin/integration-defaults/$preset", permission: "configuration:propose", load: () => import("./preset.tsx") },
];
