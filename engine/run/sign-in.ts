/** A person's sign-in at a provider: where the browser goes, what the code is exchanged for, how the consent ends. */
import type { Renewed, Variables } from "../components/kinds.ts";
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { CheckPorts, CheckRequest } from "./check-connection.ts";
import { createExchange } from "./exchange.ts";
import { createPause } from "./pause.ts";
import { createRedactor } from "./redact.ts";
import { checkHost } from "./request-builder.ts";
import { Waiting } from "./stops.ts";
import { effectiveConfig, secretsOf } from "./variables.ts";

export interface SignInAt {
  /** Name of the connector's authenticator that is signed in with. */
  readonly authenticator: string;
  /** @throws PlugboardError AUTH_MISSING_CREDENTIAL (the operator's app), AUTH_HOST_NOT_ALLOWED */
  authorizeUrl(asked: { readonly state: string; readonly redirectUri: string; readonly challenge: string }): Promise<URL>;
  /** @throws PlugboardError AUTH_TOKEN_REQUEST, AUTH_HOST_NOT_ALLOWED, RUN_ (the way to the provider); without secrets. */
  exchange(given: { readonly code: string; readonly redirectUri: string; readonly verifier: string }): Promise<Renewed>;
  /** False: the manifest names no address for it. @throws as exchange */
  revoke(consent: Renewed): Promise<boolean>;
}

/** Undefined: the connection's authenticator is none that a person signs in with. */
export async function signInAt({ connector, connection, tenant, plan, values, signal }: CheckRequest, ports: CheckPorts): Promise<SignInAt | undefined> {
  const { http } = connector;
  if (http === undefined) return undefined;
  const config = effectiveConfig(connector, plan, values.config);
  const redactor = createRedactor(secretsOf(connector, config), tenant.id);
  const variables: Variables = { config, account: values.account, tenant, inputs: {}, connection: { id: connection }, with: {}, now: ports.clock.now(), run: { id: "sign-in", started_at: new Date(ports.clock.now()).toISOString(), mode: "full" } };
  const exchange = createExchange({
    connector, http, config, ports, signal, redactor, spent: { requests: 0, retries: 0, bytes: 0 },
    owner: { connector: connector.id, tenant: tenant.id, connection, account: values.account?.id },
    pause: createPause({ clock: ports.clock, signal, show: () => {} }),
    log: (line) => { ports.log({ ...line, message: redactor.text(line.message) }); },
    probe: () => {},
  });
  const found = await exchange.authenticator(variables);
  if (found?.auth.signIn === undefined) return undefined;
  const { name, auth: { signIn }, context } = found;
  const cleanly = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      if (thrown instanceof PlugboardError) throw redactor.error(thrown);
      if (thrown instanceof Waiting) throw new PlugboardError("RUN_WAITING", { until: new Date(thrown.until).toISOString(), say: redactor.text(thrown.reason) });
      throw thrown;
    }
  };
  return {
    authenticator: name,
    authorizeUrl: (asked) => cleanly(async () => {
      const url = await signIn.authorizeUrl(context, asked);
      // No credential goes there, but a person does: where a template decides the host, the manifest lists it.
      if (/^[^/?#]*(\/\/[^/?#]*)?\{\{/.test(String(http.auth?.named[name]?.["authorize_url"]))) checkHost(url, http, connector.id);
      if (url.protocol !== "https:" && url.protocol !== "http:") throw new PlugboardError("AUTH_HOST_NOT_ALLOWED", { connector: connector.id, host: url.protocol, allowed: http.hosts.join(", ") });
      return url;
    }),
    exchange: (given) => cleanly(() => signIn.exchange(context, given)),
    revoke: (consent) => cleanly(() => signIn.revoke(context, consent)),
  };
}
