/** The token behind `#`, read once and taken out of the address: it stays out of the history and of what is shared. */
import { useEffect, useState } from "react";

export function useFragment(): string {
  const [token] = useState(() => location.hash.slice(1));
  useEffect(() => { if (location.hash !== "") history.replaceState(history.state, "", location.pathname + location.search); }, []);
  return token;
}
