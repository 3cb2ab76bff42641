import { HandIcon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/holds", permission: "holds:read", load: () => import("./holds.tsx"), nav: { label: "Waits for approval", section: "Operate", for: "tenant", icon: HandIcon, words: "holds approve reject" } },
  { path: "/holds/$hold", permission: "holds:read", load: () => import("./hold.tsx") },
];
