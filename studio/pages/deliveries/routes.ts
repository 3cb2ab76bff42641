import { PaperPlaneIcon, Share1Icon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/deliveries", permission: "deliveries:read", load: () => import("./deliveries.tsx"), nav: { label: "Deliveries", section: "Operate", for: "all", icon: PaperPlaneIcon, words: "outgoing sent outbox retry breaker" } },
  { path: "/deliveries/pending", permission: "deliveries:read", load: () => import("./pending.tsx") },
  { path: "/deliveries/$delivery", permission: "deliveries:read", load: () => import("./delivery.tsx") },
  { path: "/outgoing-webhooks", permission: "webhooks:write", load: () => import("./endpoints.tsx"), nav: { label: "Outgoing webhooks", section: "Operate", for: "staff", icon: Share1Icon, words: "endpoint secret signing rotate" } },
];
