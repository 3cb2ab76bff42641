import type { Json } from "../../engine/manifest/types.ts";

/** The value with one place changed: a member gone, renamed or null, a scalar of another kind. */
export function* broken(value: Json): Generator<Json> {
  if (Array.isArray(value)) {
    yield {};
    for (const [index, item] of value.entries()) for (const other of broken(item as Json)) yield value.with(index, other);
  } else if (typeof value === "object" && value !== null) {
    yield [];
    yield { ...value, zzz: 1 };
    for (const [key, member] of Object.entries(value)) {
      const { [key]: _gone, ...rest } = value as Record<string, Json>;
      yield rest;
      yield { ...rest, [`${key}_`]: member };
      yield { ...rest, [key]: null };
      for (const other of broken(member as Json)) yield { ...rest, [key]: other };
    }
  } else for (const other of ["other text", -1.5, true, {}]) yield other;
}

/** At most `most` of them, evenly over the value. */
export function someBroken(value: Json, most: number): Json[] {
  const all = [...broken(value)];
  const step = Math.ceil(all.length / most);
  return all.filter((_, index) => index % step === 0);
}
