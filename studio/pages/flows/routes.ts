import { Share1Icon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/flows", permission: "flows:read", load: () => import("./flows.tsx"), nav: { label: "Flows", section: "Build", for: "staff", icon: Share1Icon, words: "graph pipelines schedules presets health" } },
];
