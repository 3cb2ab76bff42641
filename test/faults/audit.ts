/**
 * What the database itself saw, whoever wrote it and whatever the engine says of itself: triggers note every new epoch, every
 * move of the checkpoint and every write of records, with the name of the worker's connection. Read afterwards, they tell of
 * writes under an old epoch and of checkpoints that went back; the rows alone would often look fine by luck.
 */
import pg from "pg";

export interface AuditLine {
  readonly seq: number;
  /** `application_name` of the connection: one per worker process. */
  readonly worker: string;
  readonly what: "epoch" | "checkpoint" | "records";
  /** The epoch in force in the checkpoint's row when this was written. */
  readonly epoch: number;
  readonly checkpoint: Checkpoint | null;
  readonly rows: number;
}

interface Checkpoint { readonly from?: string; readonly pass?: { readonly begun_at: string; readonly pages: number }; readonly swept?: { readonly number: number } }

/** As the owner of the cluster: the audit is no part of the product, and must see what row-level security hides. */
export async function installAudit(client: pg.Client): Promise<void> {
  await client.query(`
    create schema audit;
    create table audit.lines (
      seq bigint generated always as identity primary key, at timestamptz not null default clock_timestamp(),
      worker text not null, what text not null, epoch bigint not null, checkpoint jsonb, rows bigint not null default 0);

    create table audit.ended (key text not null, reason text not null, worker text not null);

    create function audit.checkpoint() returns trigger language plpgsql security definer set search_path = audit as $$
    begin
      if tg_op = 'INSERT' or new.epoch is distinct from old.epoch then
        insert into lines (worker, what, epoch, checkpoint) values (current_setting('application_name'), 'epoch', new.epoch, new.checkpoint);
      end if;
      if tg_op = 'UPDATE' and new.checkpoint is distinct from old.checkpoint then
        insert into lines (worker, what, epoch, checkpoint) values (current_setting('application_name'), 'checkpoint', new.epoch, new.checkpoint);
      end if;
      return null;
    end $$;
    create trigger audit_checkpoint after insert or update on plugboard.checkpoints for each row execute function audit.checkpoint();

    create function audit.records() returns trigger language plpgsql security definer set search_path = audit as $$
    declare written bigint;
    begin
      select count(*) into written from changed;
      insert into ended select key, deleted_reason, current_setting('application_name') from changed where deleted_at is not null;
      if written > 0 then
        insert into lines (worker, what, epoch, rows)
          select current_setting('application_name'), 'records', coalesce((select max(epoch) from plugboard.checkpoints), 0), written;
      end if;
      return null;
    end $$;
    create trigger audit_inserted after insert on plugboard.contributions referencing new table as changed for each statement execute function audit.records();
    create trigger audit_updated after update on plugboard.contributions referencing new table as changed for each statement execute function audit.records();
  `);
}

export async function readAudit(client: pg.Client): Promise<AuditLine[]> {
  const { rows } = await client.query<{ seq: string; worker: string; what: AuditLine["what"]; epoch: string; checkpoint: Checkpoint | null; rows: string }>("select seq, worker, what, epoch, checkpoint, rows from audit.lines order by seq");
  return rows.map((row) => ({ ...row, seq: Number(row.seq), epoch: Number(row.epoch), rows: Number(row.rows) }));
}

/** Keys of records that were ever ended, whether they came back or not. */
export async function readEnded(client: pg.Client): Promise<string[]> {
  return (await client.query<{ key: string }>("select distinct key from audit.ended")).rows.map(({ key }) => key);
}

export interface AuditFindings {
  /** Writes of a worker after a later epoch was issued to another. */
  readonly staleWrites: number;
  /** Moves of the checkpoint to a place it had already passed. */
  readonly checkpointRegressions: number;
  /** Epochs that were not larger than the one before. */
  readonly epochRegressions: number;
  readonly epochs: number;
  /** The first few of them, for whoever looks for the cause. */
  readonly evidence: readonly string[];
}

/** Order among lines is the order of the writes: the checkpoint's row lock is held from the fence to the commit. */
export function judgeAudit(lines: readonly AuditLine[]): AuditFindings {
  let [staleWrites, checkpointRegressions, epochRegressions, epochs] = [0, 0, 0, 0];
  const evidence: string[] = [];
  const note = (line: AuditLine, text: string) => { if (evidence.length < 10) evidence.push(`#${line.seq} ${line.worker}: ${text}`); };
  const epochOf = new Map<string, number>();
  let epoch = 0;
  let before: Checkpoint | null = null;
  let lastBegun = "";
  for (const line of lines) {
    if (line.what === "epoch") {
      if (line.epoch <= epoch) {
        epochRegressions += 1;
        note(line, `epoch ${line.epoch} after ${epoch}`);
      }
      epoch = line.epoch;
      epochs += 1;
      epochOf.set(line.worker, line.epoch);
    } else if (epochOf.get(line.worker) !== epoch) {
      staleWrites += 1;
      note(line, `wrote ${line.what} under epoch ${epochOf.get(line.worker) ?? "none"}, in force is ${epoch}`);
    }
    if (line.what === "checkpoint") {
      if (wentBack(before, line.checkpoint)) {
        checkpointRegressions += 1;
        note(line, `checkpoint went from ${JSON.stringify(before)} to ${JSON.stringify(line.checkpoint)}`);
      }
      const begun = line.checkpoint?.pass?.begun_at;
      if (before?.pass === undefined && begun !== undefined && begun <= lastBegun) {
        checkpointRegressions += 1;
        note(line, `the pass of ${begun} was over, and goes on`);
      }
      if (begun !== undefined && begun > lastBegun) lastBegun = begun;
      before = line.checkpoint;
    }
  }
  return { staleWrites, checkpointRegressions, epochRegressions, epochs, evidence };
}

/**
 * Windows and sweeps only move on, or stay: two windows may end in the same second of the provider's clock. A pass that is over
 * stays over: the next one begins later. Within a pass the count of pages grows.
 */
function wentBack(before: Checkpoint | null, after: Checkpoint | null): boolean {
  if (before === null) return false;
  const instant = (text: string | undefined) => text === undefined ? -Infinity : Date.parse(text);
  const [from, fromBefore] = [instant(after?.from), instant(before.from)];
  if (from !== fromBefore) return from < fromBefore;
  const [swept, sweptBefore] = [after?.swept?.number ?? 0, before.swept?.number ?? 0];
  if (swept !== sweptBefore) return swept < sweptBefore;
  if (before.pass === undefined || after?.pass === undefined) return false;
  const [begun, begunBefore] = [instant(after.pass.begun_at), instant(before.pass.begun_at)];
  return begun === begunBefore ? after.pass.pages < before.pass.pages : begun < begunBefore;
}
