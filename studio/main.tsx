import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./studio.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { ApiError, whenSignedOut } from "./api/client.ts";
import { sessionQuery } from "./api/session.ts";
import { makeRouter } from "./app/router.tsx";
import { theme } from "./theme.ts";

/** What failed because the server, or its database, was away is asked for again by itself. */
const AGAIN_MILLISECONDS = 5_000;
const isAway = (error: unknown): boolean => error instanceof ApiError && (error.status === 0 || error.status >= 500);

const queries = new QueryClient({
  // Also where the browser believes that it is offline: what fails is said, what waits in silence is not.
  defaultOptions: { mutations: { networkMode: "always" }, queries: { networkMode: "always", refetchInterval: ({ state }) => state.status === "error" && isAway(state.error) ? AGAIN_MILLISECONDS : false, staleTime: 5_000, retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500), refetchOnWindowFocus: true } },
});
const router = makeRouter(queries);
whenSignedOut(() => {
  queries.setQueryData(sessionQuery.queryKey, null);
  void router.invalidate();
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <Notifications position="bottom-right" />
        <Suspense><RouterProvider router={router} /></Suspense>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
