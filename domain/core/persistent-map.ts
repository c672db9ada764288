const fanOut = 32;

type Bucket<V> = readonly (readonly [string, V])[];
type Branch<V> = readonly (Bucket<V> | undefined)[];

function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function replaced<T>(list: readonly T[], index: number, value: T): readonly T[] {
  const copy = list.slice();
  copy[index] = value;
  return copy;
}

/**
 * An immutable map from text to values whose `set` and `delete` share structure with the map they came from: a stream
 * with thousands of open reservations must not be copied for each event.
 */
export class PersistentMap<V> implements Iterable<readonly [string, V]> {
  private constructor(
    private readonly branches: readonly (Branch<V> | undefined)[],
    readonly size: number,
  ) {}

  static empty<V>(): PersistentMap<V> {
    return new PersistentMap<V>([], 0);
  }

  private bucket(hash: number): Bucket<V> {
    return this.branches[hash % fanOut]?.[Math.floor(hash / fanOut) % fanOut] ?? [];
  }

  private with(hash: number, bucket: Bucket<V>, size: number): PersistentMap<V> {
    const outer = hash % fanOut;
    const branch = this.branches[outer] ?? [];
    return new PersistentMap(
      replaced(this.branches, outer, replaced(branch, Math.floor(hash / fanOut) % fanOut, bucket)),
      size,
    );
  }

  get(key: string): V | undefined {
    return this.bucket(hashOf(key)).find(([k]) => k === key)?.[1];
  }

  set(key: string, value: V): PersistentMap<V> {
    const hash = hashOf(key);
    const bucket = this.bucket(hash);
    const at = bucket.findIndex(([k]) => k === key);
    return at === -1
      ? this.with(hash, [...bucket, [key, value]], this.size + 1)
      : this.with(hash, replaced(bucket, at, [key, value] as const), this.size);
  }

  delete(key: string): PersistentMap<V> {
    const hash = hashOf(key);
    const bucket = this.bucket(hash);
    const rest = bucket.filter(([k]) => k !== key);
    return rest.length === bucket.length ? this : this.with(hash, rest, this.size - 1);
  }

  /** Entries in no order that a reader may rely on, the same for equal histories. */
  *[Symbol.iterator](): Iterator<readonly [string, V]> {
    for (const branch of this.branches) {
      if (branch === undefined) continue;
      for (const bucket of branch) if (bucket !== undefined) yield* bucket;
    }
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this) yield value;
  }
}
