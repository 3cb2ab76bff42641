/** A click that proposes something: the change opens once it is there, and nothing happens where nothing would change. */
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";

/** What routes that propose answer: the change, inside `change` or as a whole. */
export interface ProposalAnswer { readonly id?: string; readonly change?: { readonly id: string } | null }

export function useProposal<Wanted = void>(ask: (wanted: Wanted) => Promise<ProposalAnswer>) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ask,
    onSuccess: (said) => {
      const id = said.change?.id ?? said.id;
      void queries.invalidateQueries({ queryKey: ["/api/changes"] });
      if (id === undefined) notifications.show({ message: "Nothing to change: it says so already." });
      else void navigate({ to: `/changes/${id}` });
    },
  });
}
