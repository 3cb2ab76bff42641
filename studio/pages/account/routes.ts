import type { PageRoute } from "../../app/areas.ts";

export const routes: readonly PageRoute[] = [
  { path: "/account", load: () => import("./account.tsx") },
];
