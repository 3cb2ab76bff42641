/** The door of an organisation's own people: to what they came for. */
import { Navigate } from "@tanstack/react-router";
import { isStaff, useMay, useSession } from "../../api/session.ts";

export default function Org() {
  const session = useSession();
  const may = useMay();
  return <Navigate to={isStaff(session) ? "/super-admin/organizations" : may("connections:read") ? "/org/integrations" : "/"} replace />;
}
