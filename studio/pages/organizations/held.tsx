/** How much a connection brought, counted now: what erasing it, or starting over, takes away. */
import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { whole } from "../operate/types.ts";

export interface Held { readonly records: number; readonly quarantined: number; readonly checkpoints: number }

export const useHeld = (tenant: string, connection: string) => useQuery({ queryKey: [`/api/connections/${connection}/accounts`, tenant, "held"], staleTime: 0, gcTime: 0, queryFn: async ({ signal }) => (await api.get<{ forgets: Held }>(`/api/connections/${connection}/accounts`, { tenant }, signal)).forgets });

export const inWords = ({ records, quarantined }: Held): string => [`${whole(records)} ${records === 1 ? "record" : "records"}`, ...(quarantined === 0 ? [] : [`${whole(quarantined)} in quarantine`])].join(", ");

export function HeldInWords({ tenant, connection }: { readonly tenant: string; readonly connection: string }) {
  const held = useHeld(tenant, connection);
  if (held.data === undefined) return held.isError ? null : <Skeleton component="span" display="inline-block" h={12} w={140} />;
  return <>That is {inWords(held.data)}{held.data.checkpoints > 0 ? ", and how far it had read" : ""}.</>;
}
