import { Link2Icon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/platform", permission: "tenants:read", load: () => import("./platform.tsx"), nav: { label: "Platform connections", section: "Customers", for: "staff", icon: Link2Icon, words: "own operator company app credentials" } },
];
