import { useSession } from "../../api/session.ts";
import { Page } from "../../ui/page.tsx";

export default function Start() {
  const { user } = useSession();
  return <Page title="Overview" lead={`Signed in as ${user.email}.`}><></></Page>;
}
