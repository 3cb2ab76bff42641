/**
 * Names only: `a.b.c`, `$config.x.y`. Most mapped fields are this, so they are read directly, at the speed of the record.
 * The meaning is the reference's: own properties only, lists map and flatten, a list of one that came from mapping unwraps.
 */

/**
 * Value of `names` below `start`, which is what a step before them gave. `mapped` gets the list when the path mapped over one
 * and gave more than one item.
 */
export function readPath(start: unknown, names: readonly string[], mapped: (items: unknown[]) => unknown = (items) => items): unknown {
  let value = start;
  const last = names.length - 1;
  for (let step = 0; step <= last; step++) {
    if (Array.isArray(value)) return mapPath(value, names, step, mapped);
    value = own(value, names[step] as string);
    if (value === undefined) return undefined;
  }
  return value;
}

/** From the first list on: each step maps over the items, drops what is absent and flattens one level. */
function mapPath(list: readonly unknown[], names: readonly string[], from: number, mapped: (items: unknown[]) => unknown): unknown {
  let items: unknown[] = list as unknown[];
  for (let step = from; step < names.length; step++) {
    const name = names[step] as string;
    const found: unknown[] = [];
    const melting = new Set<unknown>();
    for (const item of items) {
      let value: unknown;
      if (Array.isArray(item)) {
        const inner = mapNested(item, name);
        if (inner.length > 1) melting.add(inner);
        value = inner.length > 1 ? inner : inner[0];
      } else {
        value = own(item, name);
      }
      if (value !== undefined) found.push(value);
    }
    // One list of the record itself stays the list it is; lists that came from mapping melt into one.
    if (step === names.length - 1 && found.length === 1 && Array.isArray(found[0]) && !melting.has(found[0])) return found[0];
    items = found.some(Array.isArray) ? found.flat(1) : found;
    if (items.length === 0) return undefined;
  }
  return items.length === 1 ? items[0] : mapped(items);
}

function mapNested(list: readonly unknown[], name: string): unknown[] {
  const found: unknown[] = [];
  for (const item of list) {
    if (Array.isArray(item)) found.push(...mapNested(item, name));
    else {
      const value = own(item, name);
      if (Array.isArray(value)) found.push(...value);
      else if (value !== undefined) found.push(value);
    }
  }
  return found;
}

function own(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
