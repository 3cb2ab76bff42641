import { LightningBoltIcon, Link2Icon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/events", permission: "events:read", load: () => import("./events.tsx"), nav: { label: "Events", section: "Operate", for: "all", icon: LightningBoltIcon, words: "webhooks inbox received" } },
  { path: "/events/refused", permission: "events:read", load: () => import("./refused.tsx") },
  { path: "/events/$event", permission: "events:read", load: () => import("./event.tsx") },
  { path: "/webhook-addresses", permission: "webhooks:write", load: () => import("./addresses.tsx"), nav: { label: "Webhook addresses", section: "Operate", for: "staff", icon: Link2Icon, words: "url token rotate incoming" } },
];
