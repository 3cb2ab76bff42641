import { ReaderIcon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/audit", permission: "audit:read", load: () => import("./audit.tsx"), nav: { label: "Audit log", section: "Settings", for: "all", icon: ReaderIcon, words: "who did what history export" } },
];
