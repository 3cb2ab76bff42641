/** Short-lived tokens of one process, for runs without a database, checks and tests. */
import type { Token } from "../components/kinds.ts";
import type { RunPorts } from "./ports.ts";

export function createMemoryTokens(): RunPorts["token"] {
  const tokens = new Map<string, Token>();
  return (authenticator) => ({
    read: async () => tokens.get(authenticator),
    write: async (token) => { tokens.set(authenticator, token); },
    clear: async () => { tokens.delete(authenticator); },
  });
}
