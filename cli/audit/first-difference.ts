/** Where two documents differ first, and what stands there in each. */
export interface Difference {
  /** Dotted, with indexes: `items.2.shipped`. Empty for the whole. */
  readonly field: string;
  readonly expected: string;
  readonly seen: string;
}

const longest = 120;

/** A value as a person reads it, cut where it is long. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? '?';
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/**
 * Compares two documents canonically: the order of keys does not count, and what is undefined counts as null, as the
 * store keeps it. Keys are compared in alphabetical order.
 *
 * @returns undefined where they are equal
 */
export function firstDifference(expected: unknown, seen: unknown, field = ''): Difference | undefined {
  const within = (key: string | number) => (field === '' ? String(key) : `${field}.${key}`);
  if (Array.isArray(expected) && Array.isArray(seen)) {
    if (expected.length !== seen.length) {
      return { field, expected: `${expected.length} entries`, seen: `${seen.length} entries` };
    }
    for (const [index, item] of expected.entries()) {
      const difference = firstDifference(item ?? null, seen[index], within(index));
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  if (isRecord(expected) && isRecord(seen)) {
    for (const key of [...new Set([...Object.keys(expected), ...Object.keys(seen)])].sort()) {
      const wanted = key in expected ? (expected[key] ?? null) : undefined;
      const difference = firstDifference(wanted, seen[key], within(key));
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  const same =
    expected instanceof Date && seen instanceof Date
      ? expected.getTime() === seen.getTime()
      : Object.is(expected, seen) || (expected === 0 && seen === 0);
  return same ? undefined : { field, expected: shown(expected), seen: shown(seen) };
}
