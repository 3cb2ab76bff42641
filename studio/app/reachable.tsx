/** Says when the server cannot be reached, asks until it can, and then has everything that is shown asked for again. */
import { Affix, Alert, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { tellUnreachable, whenUnreachable } from "../api/client.ts";

const ASK_MILLISECONDS = 2000;

const isThere = (): Promise<boolean> => fetch("/healthz").then(({ ok }) => ok, () => false);

/** Asks until it answers. @returns how to stop. */
function untilBack(isBack: () => void): () => void {
  const timer = setInterval(() => void isThere().then((there) => { if (there) { clearInterval(timer); isBack(); } }), ASK_MILLISECONDS);
  return () => clearInterval(timer);
}

/** Loads a page's code: while the server is away, until it comes. What a server that is there has not, is another matter. */
export const patiently = <Module,>(load: () => Promise<Module>) => async (): Promise<Module> => {
  for (;;) {
    try {
      return await load();
    } catch (thrown) {
      if (await isThere()) throw thrown;
      tellUnreachable();
      await new Promise<void>((resolve) => { untilBack(resolve); });
    }
  }
};

export function Reachable() {
  const queries = useQueryClient();
  const router = useRouter();
  const [away, setAway] = useState(false);
  useEffect(() => whenUnreachable(() => setAway(true)), []);
  useEffect(() => away ? untilBack(() => { setAway(false); void router.invalidate(); void queries.invalidateQueries(); }) : undefined, [away, queries, router]);
  return away && <Affix position={{ top: 64, right: 16 }} maw="calc(100vw - 32px)"><Alert color="yellow" variant="filled" autoContrast role="status" title="Plugboard cannot be reached"><Text size="sm">What you see is from before. It is tried again every two seconds, and goes on by itself.</Text></Alert></Affix>;
}

/** Of a page that could not begin without the server. */
export function useReloadWhenBack(when: boolean): void {
  useEffect(() => when ? untilBack(() => location.reload()) : undefined, [when]);
}
