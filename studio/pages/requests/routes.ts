import { ChatBubbleIcon } from "@radix-ui/react-icons";
import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/requests", permission: "requests:read", load: () => import("./requests.tsx"), nav: { label: "Requests", section: "Customers", for: "staff", icon: ChatBubbleIcon, words: "integration wishes asked" } },
];
