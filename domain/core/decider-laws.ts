import { type Command, type Decider, type DomainEvent, fold } from './decider.js';
import { DomainError } from './domain-error.js';
import type { EventCatalog } from './event-codec.js';
import { SpecificationFailed, sameJson } from './specification.js';

/** Freezing all the way down turns a mutation into a TypeError. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}

export interface LawfulRun<State, E> {
  readonly state: State;
  readonly events: readonly E[];
  /** Codes of the commands that were refused, in order. */
  readonly refusals: readonly string[];
}

/**
 * Runs a sequence of commands and checks what holds for every decider, whatever the commands: nothing but DomainErrors
 * is thrown, nothing is mutated, every event survives the way through the log, and a replay of the log meets the state
 * of the live run. A command that `repeatable` names changes nothing when it comes again at once.
 *
 * @throws SpecificationFailed when a law is broken; whatever else the decider throws passes through
 */
export function runLawfully<State, C extends Command, E extends DomainEvent>(
  decider: Decider<State, C, E>,
  catalog: EventCatalog,
  commands: Iterable<C>,
  repeatable: (command: C) => boolean = () => false,
): LawfulRun<State, E> {
  let state = frozen(decider.initialState);
  const events: E[] = [];
  const stored: E[] = [];
  const refusals: string[] = [];
  const decide = (command: C): readonly E[] | DomainError => {
    try {
      return frozen(decider.decide(frozen(command), state));
    } catch (error) {
      if (error instanceof DomainError) return error;
      throw error;
    }
  };
  for (const command of commands) {
    const outcome = decide(command);
    if (outcome instanceof DomainError) {
      refusals.push(outcome.code);
      continue;
    }
    for (const event of outcome) {
      const { version, data } = catalog.encode(event);
      const read = frozen(catalog.decode(event.type, version, JSON.parse(JSON.stringify(data))));
      if (!sameJson(read, event)) throw new SpecificationFailed('an event changes on its way', event, read);
      state = frozen(decider.evolve(state, event));
      events.push(event);
      stored.push(read as E);
    }
    if (!repeatable(command)) continue;
    const again = decide(command);
    if (!(again instanceof DomainError) && again.length > 0) {
      throw new SpecificationFailed(`${command.type} repeated changes something`, [], again);
    }
  }
  const replayed = fold(decider, stored);
  if (!sameJson(replayed, state)) throw new SpecificationFailed('a replay meets another state', state, replayed);
  return { state, events, refusals };
}
