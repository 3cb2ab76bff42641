/** Somebody is back from a provider's sign-in: the address says how it ended. It is said once, and what is left to do is asked. */
import { Modal } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { api } from "../../api/client.ts";
import { AccountPick } from "./account-pick.tsx";
import type { Connection } from "./types.ts";

/** The latest sign-in's own words. */
const whyNot = (tenant: string, connection: string): Promise<string> => api.get<{ sign_in: { said: { message: string; hint?: string } | null } }>(`/api/connections/${encodeURIComponent(connection)}/accounts`, { tenant })
  .then(({ sign_in: { said } }) => [said?.message, said?.hint].filter(Boolean).join(" ") || "The sign-in was not finished. Begin it again.", () => "The sign-in was not finished. Begin it again.");

export function CameBack({ tenant, connections }: { readonly tenant: string; readonly connections: readonly Connection[] }) {
  const { connection, outcome } = useSearch({ strict: false }) as { connection?: string; outcome?: string };
  const navigate = useNavigate();
  const found = connections.find((each) => each.connection === connection);
  const forget = () => void navigate({ to: ".", search: ({ connection: _connection, outcome: _outcome, ...others }: Record<string, unknown>) => others, replace: true } as never);
  const asks = outcome === "choose" || outcome === "account_changed";
  useEffect(() => {
    if (found === undefined || outcome === undefined || asks) return;
    if (outcome === "connected") notifications.show({ message: `${found.title} is connected.` });
    else void whyNot(tenant, found.connection).then((why) => notifications.show({ color: "red", title: found.signed_in ? `${found.title} was not signed in to anew` : `${found.title} is not connected`, message: why, autoClose: 15_000 }));
    forget();
  }, [outcome, connection, found === undefined]);
  return <Modal opened={asks && found !== undefined} onClose={forget} title={outcome === "choose" ? "Which account?" : "This is another account"}>{asks && found && <AccountPick tenant={tenant} connection={found.connection} title={found.title} done={forget} />}</Modal>;
}
