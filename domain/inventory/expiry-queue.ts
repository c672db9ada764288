interface Entry {
  readonly id: string;
  /** milliseconds since 1970 */
  readonly expiresAt: number;
}

interface Node extends Entry {
  readonly rank: number;
  readonly left: ExpiryQueue;
  readonly right: ExpiryQueue;
}

/**
 * Reservations by when they lapse, the earliest on top: an immutable leftist heap, because a stream with thousands of
 * open reservations must not be searched for each one that ends.
 */
export type ExpiryQueue = Node | undefined;

export function isEarlier(a: Entry, b: Entry): boolean {
  return a.expiresAt === b.expiresAt ? a.id < b.id : a.expiresAt < b.expiresAt;
}

function merged(a: ExpiryQueue, b: ExpiryQueue): ExpiryQueue {
  if (a === undefined) return b;
  if (b === undefined) return a;
  const [top, other] = isEarlier(b, a) ? [b, a] : [a, b];
  const right = merged(top.right, other);
  const swap = (top.left?.rank ?? 0) < (right?.rank ?? 0);
  const [far, near] = swap ? [right, top.left] : [top.left, right];
  return { id: top.id, expiresAt: top.expiresAt, rank: (near?.rank ?? 0) + 1, left: far, right: near };
}

export function withEntry(queue: ExpiryQueue, { id, expiresAt }: Entry): ExpiryQueue {
  return merged(queue, { id, expiresAt, rank: 1, left: undefined, right: undefined });
}

/** The queue without its earliest entry. */
export function withoutTop(queue: ExpiryQueue): ExpiryQueue {
  return queue === undefined ? undefined : merged(queue.left, queue.right);
}
