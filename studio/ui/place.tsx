/** Pages about one organisation's people and keys, or the operator's own: staff choose, others have theirs. */
import { Select } from "@mantine/core";
import { isStaff, useMay, useSession } from "../api/session.ts";
import { useTenant, useTenants } from "./tenant.tsx";
import { useFilters } from "./use-filters.ts";

const OWN = "";

/** Undefined: the operator's own. */
export const usePlace = useTenant;

export function PlacePicker({ own }: { /** What the operator's own is called. */ readonly own: string }) {
  const session = useSession();
  const may = useMay();
  const tenants = useTenants();
  const place = usePlace();
  const [, narrow] = useFilters<"tenant">();
  if (!isStaff(session) || !may("tenants:read")) return null;
  return <Select aria-label="Of whom" searchable w={240} allowDeselect={false} value={place ?? OWN} data={[{ value: OWN, label: own }, ...(tenants.data?.data ?? []).filter(({ kind }) => kind !== "platform").map(({ tenant, title }) => ({ value: tenant, label: title }))]} onChange={(value) => narrow({ tenant: value })} />;
}
