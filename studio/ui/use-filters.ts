/** What a page shows stands in its address: filters that one can send to somebody, and go back from. */
import { useNavigate, useSearch } from "@tanstack/react-router";

export type Filters<Name extends string> = { readonly [name in Name]?: string };

/** The filters, and how to change them; undefined or an empty text takes one away. */
export function useFilters<Name extends string>(): readonly [Filters<Name>, (change: { readonly [name in Name]?: string | null | undefined }) => void] {
  const search = useSearch({ strict: false }) as Readonly<Record<string, unknown>>;
  const navigate = useNavigate();
  // The router reads `?event=7` as a number: here everything is text.
  const filters = Object.fromEntries(Object.entries(search).map(([name, value]) => [name, value === undefined || value === null ? undefined : typeof value === "string" ? value : JSON.stringify(value)]));
  const narrow = (change: Readonly<Record<string, string | null | undefined>>): void => {
    void navigate({ to: ".", replace: true, search: (old: Record<string, unknown>) => ({ ...old, ...Object.fromEntries(Object.entries(change).map(([name, value]) => [name, value === null || value === "" ? undefined : plain(value)])) }) } as never);
  };
  return [filters as Filters<Name>, narrow];
}

/** The router writes a text of digits in quotation marks, and a number without. */
const plain = (value: string | undefined): string | number | undefined => value !== undefined && /^(?:0|[1-9]\d{0,14})$/.test(value) ? Number(value) : value;
