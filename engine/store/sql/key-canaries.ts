import type { Statement } from "../database.ts";

export const readCanaries = (): Statement => ({ text: "select kek_id, sealed from key_canaries order by created_at", values: [] });

export const addCanary = (kekId: string, sealed: Buffer): Statement => ({
  text: "insert into key_canaries (kek_id, sealed) values ($1, $2) on conflict do nothing",
  values: [kekId, sealed],
});

/** Those of every other key. */
export const dropCanariesBut = (kekId: string): Statement => ({ text: "delete from key_canaries where kek_id <> $1", values: [kekId] });
