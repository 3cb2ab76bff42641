/** What every sealed value is bound to, besides its tenant and the version of its key. */
import type { Purpose } from "./keyring.ts";

export const secretPurpose = (connection: string, field: string, version: number): Purpose => ["plugboard/secret/v1", connection, field, String(version)];

export const tokenPurpose = (connection: string, authenticator: string): Purpose => ["plugboard/token/v1", connection, authenticator];

export const consentPurpose = (id: string, version: number): Purpose => ["plugboard/consent/v1", id, String(version)];

export const verifierPurpose = (id: string): Purpose => ["plugboard/sign-in/v1", id];

export const rawPurpose = (connection: string, stream: string, entity: string, key: string): Purpose => ["plugboard/raw/v1", connection, stream, entity, key];

export const deliveryPurpose = (id: string): Purpose => ["plugboard/delivery/v1", id];

/** Requests and answers of one attempt. */
export const attemptPurpose = (id: string): Purpose => ["plugboard/attempt/v1", id];

export const endpointSecretPurpose = (id: string): Purpose => ["plugboard/endpoint-secret/v1", id];

/** A quarantined record's raw body: its key, or when it has none its row. */
export const quarantinePurpose = (connection: string, flow: string, key: string | null, id: string): Purpose =>
  ["plugboard/quarantine/v1", connection, flow, key === null ? "id" : "key", key ?? id];

/** A request as it came, and one item of it. */
export const requestPurpose = (id: string): Purpose => ["plugboard/request/v1", id];
export const itemPurpose = (id: string): Purpose => ["plugboard/event/v1", id];

/** What we show a sign-in provider to be its client: bound to whose client, and at which issuer. */
export const signInProviderPurpose = (id: string, issuer: string, clientId: string): Purpose => ["plugboard/sign-in-provider/v1", id, issuer, clientId];
