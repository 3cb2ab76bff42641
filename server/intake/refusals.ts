/** Refused requests, for whoever looks after the connection: counted here, written now and then. An attacker fills no table. */
import { addRefusals, type Database, type OpenEndpoint, type Refusal } from "../../engine/store/index.ts";

export interface Refusals {
  note(endpoint: Omit<OpenEndpoint, "id">, reason: string, nowMilliseconds: number): void;
  /** Writes what was noted. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const WRITE_MILLISECONDS = 2000;
/** Different reasons that are kept between two writes; they quote the sender here and there. */
const MOST_REASONS = 200;

export function createRefusals(db: Database, onError: (cause: Error) => void): Refusals {
  let noted = new Map<string, { tenant: string; tenantId: string; refusal: { -readonly [Key in keyof Refusal]: Refusal[Key] } }>();
  let timer: NodeJS.Timeout | undefined;
  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const taken = noted;
    noted = new Map();
    for (const ofTenant of Map.groupBy(taken.values(), ({ tenantId }) => tenantId).values()) {
      await addRefusals(db, ofTenant[0]!.tenant, ofTenant[0]!.tenantId, ofTenant.map(({ refusal }) => refusal)).catch((thrown: unknown) => onError(thrown as Error));
    }
  };
  return {
    note({ tenant, tenantId, connector, connection = "", feed }, reason, now) {
      const name = JSON.stringify([tenantId, connector, connection, feed, reason]);
      const known = noted.get(name);
      if (known !== undefined) Object.assign(known.refusal, { count: known.refusal.count + 1, last_at: new Date(now).toISOString() });
      else if (noted.size < MOST_REASONS) noted.set(name, { tenant, tenantId, refusal: { connector, connection, feed, reason, count: 1, last_at: new Date(now).toISOString() } });
      timer ??= setTimeout(() => void flush(), WRITE_MILLISECONDS);
      timer.unref();
    },
    flush,
    close: flush,
  };
}
