import { MixIcon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/mappings", permission: "configuration:propose", load: () => import("./list.tsx"), nav: { label: "Mappings", section: "Build", for: "staff", icon: MixIcon, words: "fields transform jsonata graph" } },
  { path: "/mappings/$connector/$name", permission: "configuration:propose", load: () => import("./mapping.tsx") },
  { path: "/super-admin/organizations/$tenant/mappings/$flow", permission: "overrides:read", load: () => import("./flow-mapping.tsx") },
];
