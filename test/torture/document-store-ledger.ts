import { type Content, canonical } from './document-store-content.js';
import { demand, Violation } from './violation.js';

/** What one statement makes of one document; undefined where it leaves none. */
export interface Change {
  /** collection and `_id` */
  readonly key: string;
  readonly after: Content | undefined;
}

/** A statement of a write, or a write of its own. Killed halfway it may have changed some of its documents, each wholly. */
export interface Step {
  readonly changes: readonly Change[];
  /** the code it must be refused with; it then changes nothing */
  readonly refusal?: number | undefined;
  /** whether a document of another writer may have it refused with 11000 */
  readonly mayCollide?: boolean;
  /** all of its changes are made, or none */
  readonly whole?: boolean;
}

/** What one writer sends and waits for. Its documents are touched by no other write that is in flight. */
export interface Write {
  readonly what: string;
  readonly steps: readonly Step[];
  /** stops at the first refusal; unordered, no document is in two steps */
  readonly ordered: boolean;
}

export interface Ledger {
  readonly counts: {
    /** writes, and the statements in them that were done */
    acknowledged: number;
    statements: number;
    /** statements refused */
    refused: number;
    /** writes without an answer, and those of them that were found stored, in whole or in part */
    unknown: number;
    unknownStored: number;
    /** documents compared with what they must be */
    verified: number;
  };
  /** A document as it is known to be stored, which its writer alone may ask. */
  get(key: string): Content | undefined;
  keys(): Iterable<string>;
  send(write: Write): void;
  /**
   * Takes the answer to a write.
   *
   * @param refused the refused statements, by number, with their codes
   * @throws Violation when they are not those that had to be refused
   */
  answer(write: Write, refused: ReadonlyMap<number, number>): void;
  /** The whole write was refused: nothing of it may be there. */
  refuse(write: Write): void;
  /**
   * Compares all that is stored with what was sent, when no write is in flight any more; then takes it for known.
   *
   * @throws Violation
   */
  settle(stored: ReadonlyMap<string, Content>): void;
}

export const keyOf = (collection: string, id: string): string => `${collection}/${id}`;

/** What writers sent to a document store over all its lives, and what each document must therefore be. */
export function openLedger(): Ledger {
  const counts = { acknowledged: 0, statements: 0, refused: 0, unknown: 0, unknownStored: 0, verified: 0 };
  const known = new Map<string, Content>();
  const pending = new Set<Write>();
  const put = ({ key, after }: Change) => {
    if (after === undefined) known.delete(key);
    else known.set(key, after);
  };

  /** How far an unanswered write got. @throws Violation when it is where it cannot be */
  const reached = (write: Write, stored: ReadonlyMap<string, Content>): void => {
    const before = new Map<string, string>();
    for (const { changes } of write.steps) for (const { key } of changes) before.set(key, canonical(known.get(key)));
    const found = new Map([...before.keys()].map((key) => [key, canonical(stored.get(key))]));
    const isAt = (state: ReadonlyMap<string, string>, step: ReadonlyMap<string, string>) =>
      [...found].every(([key, text]) => text === state.get(key) || text === step.get(key));
    const afterOf = ({ changes, refusal }: Step) =>
      new Map(refusal === undefined ? changes.map(({ key, after }) => [key, canonical(after)]) : []);
    counts.unknown += 1;
    if (isAt(before, new Map())) return;
    counts.unknownStored += 1;
    if (!write.ordered) {
      if (isAt(before, new Map(write.steps.flatMap((step) => [...afterOf(step)])))) return;
    } else {
      const state = new Map(before);
      for (const step of write.steps) {
        if (step.refusal !== undefined) break;
        const after = afterOf(step);
        if (step.whole !== true && isAt(state, after)) return;
        for (const [key, text] of after) state.set(key, text);
        if (isAt(state, new Map())) return;
      }
    }
    const stray = [...found.keys()].slice(0, 5).join(', ');
    throw new Violation(`${write.what} had no answer and is stored as no part of it would be: ${stray}`);
  };

  return {
    counts,
    get: (key) => known.get(key),
    keys: () => known.keys(),
    send(write) {
      pending.add(write);
    },
    answer(write, refused) {
      pending.delete(write);
      counts.acknowledged += 1;
      for (const [number, step] of write.steps.entries()) {
        const code = refused.get(number);
        const name = () => `statement ${number + 1} of ${write.what}`;
        if (step.refusal !== undefined) {
          demand(code === step.refusal, () => `${name()} was answered with ${code ?? 'ok'}, not with ${step.refusal}`);
        } else if (code !== undefined) {
          demand(step.mayCollide === true && code === 11000, () => `${name()} was refused with ${code}`);
        }
        if (code !== undefined) {
          counts.refused += 1;
          if (write.ordered) return;
          continue;
        }
        counts.statements += 1;
        step.changes.forEach(put);
      }
    },
    refuse(write) {
      pending.delete(write);
      counts.refused += write.steps.length;
    },
    settle(stored) {
      const open = new Set<string>();
      for (const write of pending) {
        reached(write, stored);
        for (const { changes } of write.steps) for (const { key } of changes) open.add(key);
      }
      pending.clear();
      for (const key of open) put({ key, after: stored.get(key) });
      for (const [key, content] of known) {
        const found = stored.get(key);
        demand(found !== undefined, () => `${key} was acknowledged and is not stored`);
        demand(
          canonical(found) === canonical(content),
          () => `${key} is stored as ${tell(found)}, not ${tell(content)}`,
        );
        counts.verified += 1;
      }
      for (const key of stored.keys()) demand(known.has(key), () => `${key} is stored and must not be there`);
    },
  };
}

function tell(content: Content | undefined): string {
  const text = JSON.stringify(content);
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
