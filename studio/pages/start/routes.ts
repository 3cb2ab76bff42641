import { HomeIcon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/", load: () => import("./start.tsx"), nav: { label: "Overview", section: "Operate", for: "all", icon: HomeIcon, words: "home start dashboard" } },
];
