/** Who is signed in, what they may do, and for which tenant. */
import { queryOptions, useMutation, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { api, ApiError, rememberCsrf } from "./client.ts";

export interface Session {
  readonly user: { readonly id: string; readonly email: string; readonly name: string | null };
  /** Sent back with every change. */
  readonly csrf_token: string;
  /** The role in force: staff's, or that of the one tenant. Null: none there any more, or the organisation is suspended. */
  readonly role: string | null;
  /** The tenant of the session; null for staff. */
  readonly tenant: string | null;
  readonly memberships: readonly { readonly tenant: string | null; readonly title?: string | null; readonly role: string }[];
  readonly grants: Readonly<Record<string, "full" | "narrow">>;
  readonly impersonation?: { readonly by: string; readonly reason: string; readonly until: string } | null;
}

const CHOSEN = "plugboard-organisation";

/** From now on in another of one's organisations; everything that was fetched is of the one before. */
export function workIn(tenant: string): void {
  localStorage.setItem(CHOSEN, tenant);
  location.assign("/");
}

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async (): Promise<Session | null> => {
    try {
      let session = await api.get<Session>("/api/session");
      // Who belongs to several organisations works in one at a time.
      if (session.tenant === null && session.role === null && session.memberships.length > 1) {
        const chosen = session.memberships.find(({ tenant }) => tenant === localStorage.getItem(CHOSEN)) ?? session.memberships[0]!;
        session = await api.get<Session>("/api/session", { tenant: chosen.tenant });
      }
      rememberCsrf(session.csrf_token);
      return session;
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status === 401) return null;
      throw thrown;
    }
  },
  staleTime: 60_000,
});

export const useMaybeSession = (): Session | null => useSuspenseQuery(sessionQuery).data;

/** Within pages: there is one, or the page would not be shown. */
export function useSession(): Session {
  const session = useMaybeSession();
  if (!session) throw new Error("no session");
  return session;
}

export const useMay = (): ((permission: string) => boolean) => {
  const { grants } = useSession();
  return (permission) => Object.hasOwn(grants, permission);
};

export const isStaff = ({ role }: Session): boolean => role === "super_admin" || role === "integration_engineer";

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => api.delete("/api/session"),
    onSettled: () => { rememberCsrf(undefined); queries.clear(); location.assign("/sign-in"); },
  });
}
