import { Page } from "../../ui/page.tsx";
import { Integrations } from "../organizations/integrations.tsx";
import { ForOwn } from "./own.tsx";

export default function OwnIntegrations() {
  return <Page title="Integrations" lead="Where your data comes from and goes to, how each of them does, and when it reads next."><ForOwn>{(tenant) => <Integrations tenant={tenant} />}</ForOwn></Page>;
}
