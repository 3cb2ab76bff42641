import type { Statement } from "../database.ts";

export const readCanary = (): Statement => ({ text: "select kek_id, sealed from key_canaries order by created_at limit 1", values: [] });

export const addCanary = (kekId: string, sealed: Buffer): Statement => ({
  text: "insert into key_canaries (kek_id, sealed) values ($1, $2) on conflict do nothing",
  values: [kekId, sealed],
});
