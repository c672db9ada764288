/** What waits: one document, or a whole stream where it cannot be told which document an event belongs to. */
export type ParkedKind = 'document' | 'stream';

export interface ParkedKey {
  readonly kind: ParkedKind;
  /** The document's id, or the stream's name. */
  readonly key: string;
}

/** Why an event could not be folded. `message` holds no personal data. */
export interface ParkedFault {
  readonly code: string;
  readonly message: string;
}

/** An event that a projection leaves out, and where the log has it. */
export interface ParkedEvent extends ParkedKey {
  readonly position: bigint;
  readonly stream: string;
  readonly revision: bigint;
  readonly eventId: string;
  readonly eventType: string;
  /** undefined where it only waits behind another one */
  readonly fault: ParkedFault | undefined;
}

/** An event that is left out, by its place. */
export interface LeftOut extends ParkedKey {
  readonly position: bigint;
  /** left out for good, by somebody's word */
  readonly discarded: boolean;
}

/**
 * What a projection leaves out. Everything of a document, or of a stream, waits from its first parked event on, so that
 * nothing is ever folded past a gap; what was discarded is passed over for good.
 */
export interface Parking {
  /** Whether an event at this position has to wait. */
  waits(kind: ParkedKind, key: string, position: bigint): boolean;
  isDiscarded(kind: ParkedKind, key: string, position: bigint): boolean;
}

export const nothingParked: Parking = { waits: () => false, isDiscarded: () => false };

/** How much waits. */
export interface ParkedCount {
  readonly documents: number;
  readonly streams: number;
  readonly events: number;
}

/** A projection's parking as its process knows it. */
export interface KnownParking extends Parking {
  /** Adds events; those that are known already change nothing. */
  add(events: readonly LeftOut[]): void;
  /** Forgets what waits of a document or a stream, and takes these instead. */
  replace(key: ParkedKey, events: readonly LeftOut[]): void;
  clear(): void;
  count(): ParkedCount;
  /** What `count` would be with these added. */
  countWith(events: readonly LeftOut[]): ParkedCount;
}

const nameOf = ({ kind, key }: ParkedKey) => `${kind} ${key}`;

export function knownParking(events: readonly LeftOut[] = []): KnownParking {
  const waiting = new Map<string, Set<bigint>>();
  const first = new Map<string, bigint>();
  const discarded = new Map<string, Set<bigint>>();

  const add = (event: LeftOut) => {
    const name = nameOf(event);
    const into = event.discarded ? discarded : waiting;
    const known = into.get(name);
    if (known === undefined) into.set(name, new Set([event.position]));
    else known.add(event.position);
    if (event.discarded) return;
    const before = first.get(name);
    if (before === undefined || event.position < before) first.set(name, event.position);
  };
  events.forEach(add);

  const countWith = (more: readonly LeftOut[]): ParkedCount => {
    const fresh = more.filter((event) => !event.discarded && !waiting.get(nameOf(event))?.has(event.position));
    const names = new Set([...waiting.keys(), ...fresh.map(nameOf)]);
    const streams = [...names].filter((name) => name.startsWith('stream ')).length;
    const held = [...waiting.values()].reduce((sum, positions) => sum + positions.size, 0);
    const added = new Set(fresh.map((event) => `${nameOf(event)} ${event.position}`)).size;
    return { documents: names.size - streams, streams, events: held + added };
  };

  return {
    waits(kind, key, position) {
      if (first.size === 0) return false;
      const from = first.get(`${kind} ${key}`);
      return from !== undefined && position >= from;
    },
    isDiscarded(kind, key, position) {
      if (discarded.size === 0) return false;
      return discarded.get(`${kind} ${key}`)?.has(position) === true;
    },
    add(more) {
      more.forEach(add);
    },
    replace(key, now) {
      const name = nameOf(key);
      waiting.delete(name);
      first.delete(name);
      discarded.delete(name);
      now.forEach(add);
    },
    clear() {
      waiting.clear();
      first.clear();
      discarded.clear();
    },
    count: () => countWith([]),
    countWith,
  };
}
