import { type Command, type Decider, type DomainEvent, fold } from './decider.js';
import { DomainError, type ErrorCode } from './domain-error.js';

/** Raised when a specification does not hold; `expected` and `actual` let a test runner show the difference. */
export class SpecificationFailed extends Error {
  override readonly name = 'SpecificationFailed';
  readonly showDiff = true;

  constructor(
    message: string,
    readonly expected: unknown,
    readonly actual: unknown,
  ) {
    super(message);
  }
}

/** Equal as data, whatever the order of keys; a field that is undefined equals one that is absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => sameJson(left[key], right[key]));
}

export interface Outcome<E extends DomainEvent> {
  /** Exactly these events, in this order. */
  then(...expected: readonly E[]): void;
  /** Events of exactly these types, in this order. */
  thenTypes(...expected: readonly E['type'][]): void;
  /** Already true: no event, no refusal. */
  thenNothing(): void;
  /** Refused with this code. */
  thenRefused(code: ErrorCode): void;
  /** The events, for what the shapes above cannot say. @throws DomainError if the command was refused */
  events(): readonly E[];
}

/**
 * Specifies a decider: `given(order, created).when(cancel).then(cancelled)`.
 *
 * @throws SpecificationFailed when the outcome is another one; anything but a DomainError passes through
 */
export function given<State, C extends Command, E extends DomainEvent>(
  decider: Decider<State, C, E>,
  ...history: readonly E[]
): { when(command: C): Outcome<E> } {
  return {
    when(command) {
      let events: readonly E[] = [];
      let refusal: DomainError | undefined;
      try {
        events = decider.decide(command, fold(decider, history));
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        refusal = error;
      }
      const accepted = (): readonly E[] => {
        if (refusal !== undefined) throw refusal;
        return events;
      };
      const check = (holds: boolean, message: string, expected: unknown, actual: unknown) => {
        if (!holds) throw new SpecificationFailed(message, expected, actual);
      };
      return {
        then: (...expected) => check(sameJson(expected, accepted()), 'other events', expected, events),
        thenTypes(...expected) {
          const types = accepted().map((event) => event.type);
          check(sameJson(expected, types), 'events of other types', expected, types);
        },
        thenNothing: () => check(accepted().length === 0, 'events where none were expected', [], events),
        thenRefused: (code) => check(refusal?.code === code, 'not refused as expected', code, refusal?.code ?? events),
        events: accepted,
      };
    },
  };
}
