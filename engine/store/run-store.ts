/** The RunStore of engine/run/ports.ts on PostgreSQL. */
import { PlugboardError } from "../errors/plugboard-error.ts";
import type { EntityPlan } from "../plan/types.ts";
import type { Json } from "../manifest/types.ts";
import type { Checkpoint, FlowKey, PageCommit, PageOutcome, ProbePoint, QuarantineEntry, RunStore, SweepOutcome } from "../run/ports.ts";
import { type PageTarget, quarantinePurpose, type Turn, writePage } from "./commit-page.ts";
import { type Database, type TenantTransaction, withTenant, withTenantId } from "./database.ts";
import { isDataFailure } from "./failures.ts";
import type { Keyring } from "./keyring.ts";
import { hasRoom } from "./limit.ts";
import { readyPage, type ReadyPage, type ReadyRecord, refused, stampOf } from "./page.ts";
import { type ChangeCause, countQuiet } from "./row-changes.ts";
import { endByKeys } from "./rows.ts";
import { fence, type FlowIds, forgetSeen, lengthenLease, takeOverFlow } from "./sql/checkpoints.ts";
import { selectUnseen, type StreamIds } from "./sql/contributions.ts";
import { lengthenRunLease, selectCancel } from "./sql/runs.ts";
import { resolveUnseen, type ReplayRow, selectToReplay } from "./sql/quarantine.ts";
import { addSwept, insertHold, supersedeHolds } from "./sql/sweeps.ts";

/** A sweep that misses more than both waits for a person: a provider that forgets half its records is more often broken. */
const HOLD_SHARE = 0.2;
const HOLD_COUNT = 50;
/** A page out of the quarantine: records, and bytes of them. */
const REPLAY = { count: 500, bytes: 16 << 20 };

export interface RunStoreOptions {
  readonly tenant: string;
  readonly flow: FlowKey;
  readonly stream: string;
  readonly entity: string;
  readonly entityPlan: EntityPlan;
  /** Stamped on every record. */
  readonly labels: Readonly<Record<string, string>>;
  readonly run: string;
  readonly revision: string;
  /** Names this worker, for people. */
  readonly owner: string;
  readonly leaseSeconds: number;
  /** Whether somebody asked to read everything again. */
  readonly resync?: boolean;
  /** The stream has neither a cursor nor a door for changes: every reading is a whole one. */
  readonly readWhole?: boolean;
  /** Kill points of the fault rig; absent outside it. */
  readonly probe?: (point: ProbePoint) => void | Promise<void>;
}

interface FenceRow { at: string; joined: boolean; begun_at: string | null; has_quarantine: boolean; watched: boolean }

export function runStore(db: Database, keyring: Keyring, options: RunStoreOptions): RunStore {
  const { tenant, entity, entityPlan: plan, leaseSeconds, probe } = options;
  const { connection, flow } = options.flow;
  const labels = JSON.stringify(options.labels);
  const joins = plan.match.length > 0;
  const stamp = stampOf(options.labels, plan);
  let tenantId: string | undefined;

  const inTransaction = async <Result>(work: (tx: TenantTransaction) => Promise<Result>): Promise<Result> =>
    tenantId === undefined ? withTenant(db, tenant, (tx) => { tenantId = tx.tenantId; return work(tx); }) : withTenantId(db, tenant, tenantId, work);
  const flowIds = (tx: TenantTransaction): FlowIds => ({ tenantId: tx.tenantId, connection, flow });
  const streamIds = (tx: TenantTransaction): StreamIds => ({ tenantId: tx.tenantId, connection, stream: options.stream, entity });
  const target = (tx: TenantTransaction, page: PageCommit): PageTarget => ({ cause: causeOf(page), stream: streamIds(tx), flow, plan, labels, run: options.run, revision: options.revision, leaseSeconds });
  /** A first load, a sweep and a resync re-read what is there; a stream that can only be read whole is polled by reading it whole. */
  const causeOf = ({ replayed, checkpoint: { pass, from } }: PageCommit): ChangeCause => {
    if (replayed !== undefined) return "replay";
    if (pass?.mode === "incremental") return "poll";
    if (from === undefined) return "first_load";
    return options.resync === true ? "resync" : options.readWhole === true ? "poll" : "sweep";
  };
  const fenced = (epoch: number) => new PlugboardError("RUN_FENCED", { flow, epoch });

  const passFence = async (tx: TenantTransaction, epoch: number, checkpoint: Checkpoint): Promise<Turn & { begunAt: string | null }> => {
    const [row] = await tx.run<FenceRow>(fence(flowIds(tx), epoch, checkpoint, leaseSeconds, entity, joins));
    if (!row) throw fenced(epoch);
    await probe?.("after_fence");
    return { at: row.at, joined: row.joined, hasQuarantine: row.has_quarantine, watched: row.watched, begunAt: row.begun_at };
  };

  const write = (page: PageCommit, ready: ReadyPage, epoch: number) => inTransaction(async (tx) => {
    const turn = await passFence(tx, epoch, page.checkpoint);
    const outcome = await writePage(tx, target(tx, page), await keyring.of(tx), page, ready, turn);
    await probe?.("after_write");
    return outcome;
  });

  /** Whether PostgreSQL takes these records: written as a page of their own, and rolled back. */
  const isTaken = async (page: PageCommit, records: readonly ReadyRecord[], epoch: number): Promise<boolean> => {
    const rollback = new Error("only tried");
    try {
      await inTransaction(async (tx) => {
        const turn = await passFence(tx, epoch, page.checkpoint);
        await writePage(tx, target(tx, page), await keyring.of(tx), page, { records, dropped: [], gone: [], quarantined: [], superseded: 0, filtered: 0, unchanged: 0 }, turn);
        throw rollback;
      });
      return true;
    } catch (error) {
      if (error === rollback) return true;
      if (isDataFailure(error)) return false;
      throw error;
    }
  };

  /** Halves the page until each record that PostgreSQL refuses stands alone. */
  const findRefused = async (page: PageCommit, records: readonly ReadyRecord[], epoch: number): Promise<ReadyRecord[]> => {
    if (records.length === 0 || await isTaken(page, records, epoch)) return [];
    if (records.length === 1) return [...records];
    const middle = Math.ceil(records.length / 2);
    return [...await findRefused(page, records.slice(0, middle), epoch), ...await findRefused(page, records.slice(middle), epoch)];
  };

  return {
    begin: () => inTransaction(async (tx) => {
      const [row] = await tx.run<{ epoch: number; checkpoint: Checkpoint | null }>(takeOverFlow(flowIds(tx), options.owner, options.revision, leaseSeconds));
      if (!row) throw new PlugboardError("TENANT_SUSPENDED", { tenant });
      if (row.checkpoint?.pass === undefined) await tx.run(forgetSeen(flowIds(tx)));
      return { epoch: row.epoch, checkpoint: row.checkpoint ?? undefined };
    }),

    async commitPage(page, epoch): Promise<PageOutcome> {
      const ready = readyPage(page, stamp);
      try {
        return await write(page, ready, epoch);
      } catch (error) {
        if (!isDataFailure(error)) throw error;
        const poison = new Set(await findRefused(page, ready.records, epoch));
        if (poison.size === 0) throw error;
        const detail = `PostgreSQL refuses it (${(error as Error).message})`;
        const quarantined = [...ready.quarantined, ...[...poison].map((record) => refused(record, detail))];
        return write(page, { ...ready, records: ready.records.filter((record) => !poison.has(record)), quarantined }, epoch);
      }
    },

    quarantineToReplay: (asked) => inTransaction(async (tx) => {
      const rows = await tx.run<ReplayRow>(selectToReplay(flowIds(tx), options.run, options.revision, asked, REPLAY, await hasRoom(tx, entity, plan)));
      if (rows.length === 0) return [];
      const sealer = await keyring.of(tx);
      return rows.map(({ id, key, raw, received_at }): QuarantineEntry => {
        try {
          return { id, received_at, raw: JSON.parse(sealer.open(quarantinePurpose(connection, flow, key, id), raw).toString("utf8")) as Json };
        } catch (thrown) {
          // One record that was damaged must not keep the others, nor the flow.
          return { id, received_at, raw: null, unreadable: `what the quarantine kept of it cannot be opened (${(thrown as Error).message})` };
        }
      });
    }),

    completePass: (checkpoint, sweep, epoch) => inTransaction(async (tx): Promise<SweepOutcome> => {
      const turn = await passFence(tx, epoch, checkpoint);
      const outcome = sweep ? await endUnseen(tx, sweep.number, turn) : { swept: 0 };
      await tx.run(forgetSeen(flowIds(tx)));
      await probe?.("after_write");
      return outcome;
    }),

    heartbeat: (epoch) => inTransaction(async (tx) => {
      const rows = await tx.run(lengthenLease(flowIds(tx), epoch, leaseSeconds));
      if (rows.length === 0) throw fenced(epoch);
      await tx.run(lengthenRunLease(tx.tenantId, options.run, leaseSeconds));
    }),

    cancelRequested: () => inTransaction(async (tx) => {
      const [row] = await tx.run<{ cancel_by: string }>(selectCancel(tx.tenantId, options.run));
      return row && { by: row.cancel_by };
    }),
  };

  async function endUnseen(tx: TenantTransaction, number: number, turn: Turn & { begunAt: string | null }): Promise<SweepOutcome> {
    const [found] = await tx.run<{ live: number; missing: string[] }>(selectUnseen(streamIds(tx), flow, number, turn.begunAt));
    const { live, missing } = found!;
    await tx.run(supersedeHolds(tx.tenantId, connection, flow));
    if (missing.length > HOLD_COUNT && missing.length > live * HOLD_SHARE) {
      await tx.run(insertHold(tx.tenantId, { run: options.run, connection, flow, stream: options.stream, entity, keys: missing, live }));
      return { swept: 0, held: { missing: missing.length, live } };
    }
    await tx.run(resolveUnseen(flowIds(tx), number, turn.begunAt));
    const swept = await endByKeys(tx, streamIds(tx), plan, turn.joined, missing, "swept", turn.at);
    if (swept > 0) await tx.run(addSwept(tx.tenantId, options.run, swept));
    await countQuiet(tx, options.entity, "sweep", swept);
    return { swept };
  }
}
