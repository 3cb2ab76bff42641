import { CubeIcon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/connectors", permission: "configuration:propose", load: () => import("./gallery.tsx"), nav: { label: "Connectors", section: "Build", for: "staff", icon: CubeIcon, words: "providers integrations catalogue yaml" } },
  { path: "/connectors/$connector", permission: "configuration:propose", load: () => import("./connector.tsx") },
];
