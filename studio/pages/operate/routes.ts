import { ActivityLogIcon, ArchiveIcon, TableIcon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/runs", permission: "runs:read", load: () => import("./runs.tsx"), nav: { label: "Runs", section: "Operate", for: "all", icon: ActivityLogIcon, words: "syncs history jobs log" } },
  { path: "/runs/$run", permission: "runs:read", load: () => import("./run.tsx") },
  { path: "/quarantine", permission: "quarantine:read", load: () => import("./quarantine.tsx"), nav: { label: "Quarantine", section: "Operate", for: "all", icon: ArchiveIcon, words: "errors failed records replay dead letter" } },
  // Which entities there are is read from the flows.
  { path: "/records", permission: "flows:read", load: () => import("./records.tsx"), nav: { label: "Records", section: "Operate", for: "all", icon: TableIcon, words: "data entities rows" } },
  { path: "/records/$entity/$id", permission: "records:read", load: () => import("./record.tsx") },
];
