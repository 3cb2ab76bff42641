import { CommitIcon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/changes", permission: "changes:read", load: () => import("./changes.tsx"), nav: { label: "Changes", section: "Build", for: "all", icon: CommitIcon, words: "git review propose approve drift rollback revision" } },
  { path: "/changes/$id", permission: "changes:read", load: () => import("./change.tsx") },
];
