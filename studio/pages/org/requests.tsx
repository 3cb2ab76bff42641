/** Providers that an organisation would like to have, and what it was told. */
import { Page } from "../../ui/page.tsx";
import { OwnRequests } from "../requests/own-requests.tsx";
import { ForOwn } from "./own.tsx";

export default function Requests() {
  return <Page title="Ask for an integration" lead="A provider that is missing: say which one and what for. Whoever runs the platform answers here."><ForOwn>{() => <OwnRequests />}</ForOwn></Page>;
}
