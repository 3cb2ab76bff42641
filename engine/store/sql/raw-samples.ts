import type { Statement } from "../database.ts";
import type { StreamIds } from "./contributions.ts";

/** Of the records that are there now, those that changed last. */
export const selectNewestRaw = (stream: StreamIds, limit: number): Statement => ({
  text: `select key, raw from contributions where tenant_id = $1 and connection = $2 and stream = $3 and entity = $4 and deleted_at is null and raw is not null
         order by updated_at desc, key limit $5`,
  values: [stream.tenantId, stream.connection, stream.stream, stream.entity, limit],
});
