/** What the API says of presets, as far as these pages show it. */
import type { FlowGraph } from "../flows/types.ts";

export interface Preset {
  readonly preset: string; readonly title: string; readonly description: string | null; readonly recommended: boolean; readonly releases: readonly number[]; readonly newest: number | null;
  readonly tenants: readonly { readonly id: string; readonly release: number | "head" }[];
  readonly connections: readonly { readonly connection: string; readonly connector: string; readonly title: string }[];
}
export interface PresetValue { readonly path: string; readonly pointer: string; readonly value: unknown; readonly origin: { readonly layer: string; readonly file: string; readonly line: number } }
export interface WholePreset extends Preset { readonly release: number | "head"; readonly graph: FlowGraph; readonly inputs: Readonly<Record<string, { readonly title?: string; readonly help?: string; readonly default?: unknown; readonly enum?: readonly unknown[] }>>; readonly values: readonly PresetValue[] }

/** Organisations that are not where a new one would be. */
export const behind = ({ tenants, newest }: Preset): number => newest === null ? 0 : tenants.filter(({ release }) => release !== newest).length;
