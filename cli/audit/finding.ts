import type { StoredEvent } from '../../runtime/event-store/event-log.js';

/** The invariants of the system that an audit can show, by the ids of the reliability page. */
export type InvariantId = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I7' | 'I9' | 'I14' | 'I19';

/** Where an invariant does not hold, and what was found instead of what had to be. */
export interface Violation {
  /** A stream with revision and position, an order, or a document with its field. */
  readonly where: string;
  readonly expected: string;
  readonly seen: string;
}

/** What became of one invariant. */
export interface Finding {
  readonly id: InvariantId;
  readonly holds: string;
  /** How many of what was looked at. */
  readonly counts: Readonly<Record<string, number>>;
  readonly violations: number;
  readonly first: Violation | undefined;
  /** What is no violation, and should be known. */
  readonly notes: readonly string[];
}

/** Counts what an invariant's check looks at, and keeps its first violation. */
export interface Tally {
  count(what: string, by?: number): void;
  violated(where: string, expected: string, seen: string): void;
  note(text: string): void;
  finding(): Finding;
}

/** @param names what will be counted, so that a zero is shown too */
export function tally(id: InvariantId, holds: string, names: readonly string[]): Tally {
  const counts: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]));
  const notes: string[] = [];
  let violations = 0;
  let first: Violation | undefined;
  return {
    count(what, by = 1) {
      counts[what] = (counts[what] ?? 0) + by;
    },
    violated(where, expected, seen) {
      violations += 1;
      first ??= { where, expected, seen };
    },
    note: (text) => void notes.push(text),
    finding: () => ({ id, holds, counts, violations, first, notes }),
  };
}

export function placeOf({ stream, revision, position }: StoredEvent): string {
  return `${stream} revision ${revision}, position ${position}`;
}
