/** Addresses to pages. Every address can be sent to somebody else: what a page shows stands in its path and search. */
import { Box, Center } from "@mantine/core";
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import type { QueryClient } from "@tanstack/react-query";
import { ApiError } from "../api/client.ts";
import { sessionQuery } from "../api/session.ts";
import { Failed } from "../ui/states.tsx";
import { areas } from "./areas.ts";
import { Frame } from "./frame.tsx";
import { guarded, NotFound } from "./guarded.tsx";
import { patiently, useReloadWhenBack } from "./reachable.tsx";

export function makeRouter(queries: QueryClient) {
  const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: NotBegun });
  const signIn = createRoute({ getParentRoute: () => root, path: "/sign-in", component: lazyRouteComponent(() => import("../pages/sign-in/sign-in.tsx")) });
  const invitation = createRoute({ getParentRoute: () => root, path: "/invitation", component: lazyRouteComponent(() => import("../pages/sign-in/invitation.tsx")) });
  const passwordReset = createRoute({ getParentRoute: () => root, path: "/password-reset", component: lazyRouteComponent(() => import("../pages/sign-in/password-reset.tsx")) });
  const frame = createRoute({
    getParentRoute: () => root, id: "frame", component: Frame,
    beforeLoad: async ({ location }) => {
      const session = await queries.ensureQueryData(sessionQuery);
      if (!session) throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { to: location.href } });
    },
  });
  const pages = areas.map(({ path, permission, load }) => createRoute({ getParentRoute: () => frame, path, component: guarded(permission, lazyRouteComponent(patiently(load))), errorComponent: ({ error, reset }) => <Failed error={error} retry={reset} /> }));
  return createRouter({ routeTree: root.addChildren([signIn, invitation, passwordReset, frame.addChildren(pages)]), defaultPreload: "intent", defaultNotFoundComponent: NotFound });
}

/** Without an answer of the server there is no page yet; it comes by itself once there is one. */
function NotBegun({ error }: { readonly error: unknown }) {
  useReloadWhenBack(error instanceof ApiError && error.code === "NETWORK");
  return <Center mih="100vh" p="md" component="main"><Box maw={520} w="100%"><Failed error={error} retry={() => location.reload()} /></Box></Center>;
}
