/** What tests ask of the memory store: its live keys and rows. */
import { memoryRows, type MemoryRow, type MemoryRows } from "../../engine/run/memory-store.ts";

export { memoryRows };

export const liveKeys = (rows: MemoryRows): string[] => [...rows.rows.values()].filter((row) => row.ended === undefined).map((row) => row.key).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));

export const rowOf = (rows: MemoryRows, key: string): MemoryRow | undefined => rows.rows.get(key);
