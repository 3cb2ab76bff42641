/**
 * What a key of `limits` names: an entity, by its id or in the plural. `learners: 500` and `learner: 500` say the same.
 * Plural: `s`; `es` after s, x, z, ch and sh; `ies` for a y after a consonant.
 */
export function pluralOf(entity: string): string {
  if (/[^aeiou]y$/.test(entity)) return `${entity.slice(0, -1)}ies`;
  return /(s|x|z|ch|sh)$/.test(entity) ? `${entity}es` : `${entity}s`;
}

/** The entity; undefined: none of these is called so. */
export function limitedEntity(name: string, entities: Iterable<string>): string | undefined {
  const known = [...entities];
  return known.find((id) => id === name) ?? known.find((id) => pluralOf(id) === name);
}
