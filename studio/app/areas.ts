/**
 * The areas of Studio. An area is a folder of pages/ that exports its routes; adding one is a line here. Pages load when they
 * are opened, so an editor costs nothing to who never opens it.
 */
import type { ComponentType } from "react";

export interface PageRoute {
  /** As the router writes it: `/runs/$run`. */
  readonly path: string;
  /** The page is shown to who has it (any grant); absent: anyone signed in. */
  readonly permission?: string;
  readonly load: () => Promise<{ readonly default: ComponentType }>;
  /** Stands in the navigation, and in the command palette. */
  readonly nav?: {
    readonly label: string;
    readonly section: "Customers" | "Build" | "Operate" | "Settings" | "My organisation";
    /** `staff`, or a tenant's own people. */
    readonly for: "staff" | "tenant" | "all";
    readonly icon: ComponentType<{ width?: number; height?: number }>;
    /** Other words one might look for it by. */
    readonly words?: string;
  };
}

import { routes as changes } from "../pages/changes/routes.ts";
import { routes as connectors } from "../pages/connectors/routes.ts";
import { routes as defaults } from "../pages/integration-defaults/routes.ts";
import { routes as flows } from "../pages/flows/routes.ts";
import { routes as platform } from "../pages/platform/routes.ts";
import { routes as requests } from "../pages/requests/routes.ts";
import { routes as mappings } from "../pages/mappings/routes.ts";
import { routes as operate } from "../pages/operate/routes.ts";
import { routes as organizations } from "../pages/organizations/routes.ts";
import { routes as account } from "../pages/account/routes.ts";
import { routes as audit } from "../pages/audit/routes.ts";
import { routes as deliveries } from "../pages/deliveries/routes.ts";
import { routes as events } from "../pages/events/routes.ts";
import { routes as holds } from "../pages/holds/routes.ts";
import { routes as org } from "../pages/org/routes.ts";
import { routes as settings } from "../pages/settings/routes.ts";
import { routes as start } from "../pages/start/routes.ts";

export const areas: readonly PageRoute[] = [...start, ...operate, ...events, ...deliveries, ...holds, ...org, ...audit, ...settings, ...account, ...organizations, ...defaults, ...platform, ...requests, ...mappings, ...connectors, ...flows, ...changes];
