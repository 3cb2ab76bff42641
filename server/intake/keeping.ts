/** What every request asks for, kept for a few seconds. */

const KEPT_MILLISECONDS = 5000;
const MOST_KEPT = 5000;

/** Promises by name for a few seconds; whoever asks meanwhile shares them. A failure is not kept. */
export function keeping<Value>() {
  const kept = new Map<string, { readonly value: Promise<Value>; readonly until: number }>();
  return {
    get(name: string, fresh: boolean, make: () => Promise<Value>): Promise<Value> {
      const known = kept.get(name);
      if (known !== undefined && !fresh && known.until > Date.now()) return known.value;
      const value = make();
      if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value!);
      kept.delete(name);
      kept.set(name, { value, until: Date.now() + KEPT_MILLISECONDS });
      value.catch(() => kept.delete(name));
      return value;
    },
    forget: (name: string): void => void kept.delete(name),
  };
}
