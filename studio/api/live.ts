/** Progress of runs as it happens. A line changes what is on screen; the end of a run makes the lists be asked again. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { urlOf } from "./client.ts";

export interface LiveRun { readonly run: string; readonly flow: string; readonly status: string; readonly counters: Readonly<Record<string, number>> | null; readonly checkpoint: string | null; readonly waiting: { readonly reason: string; readonly until: string } | null }

export function useLive(tenant: string | undefined, onRun: (line: LiveRun) => void, run?: string): void {
  const queries = useQueryClient();
  useEffect(() => {
    if (tenant === undefined) return;
    const source = new EventSource(urlOf("/api/live", { tenant, run }));
    source.addEventListener("run", (event) => {
      const line = JSON.parse((event as MessageEvent<string>).data) as LiveRun;
      onRun(line);
      if (line.status !== "running") void queries.invalidateQueries({ predicate: ({ queryKey: [first] }) => typeof first === "string" && /^\/api\/(?:runs|flows|integrations|connections|quarantine|records)/.test(first) });
    });
    return () => source.close();
  }, [tenant, run, queries]);    // the newest onRun is not needed to be heard: callers only set state
}
