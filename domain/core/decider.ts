/** A business fact. `type` is the stored name (`order.created`), `data` the stored shape of the newest version. */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** What a command carries beside its own data: time and ids arrive from outside, the domain never asks for them. */
export interface CommandMetadata {
  /** ISO 8601, UTC */
  readonly now: string;
}

/** An intention, imperative + noun: `{ type: 'PlaceOrder', data, metadata }`. */
export interface Command<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  readonly metadata: CommandMetadata;
}

/**
 * The pure half of an aggregate.
 *
 * `decide` answers what happens because of a command: events, nothing (`[]`, already true), or a thrown DomainError
 * (the caller's mistake). `evolve` never throws, logs or mutates.
 */
export interface Decider<State, C extends Command, E extends DomainEvent> {
  readonly initialState: State;
  decide(command: C, state: State): readonly E[];
  evolve(state: State, event: E): State;
}

/** Folds a history into a state. */
export function fold<State, E extends DomainEvent>(
  decider: { readonly initialState: State; evolve(state: State, event: E): State },
  events: Iterable<E>,
): State {
  let state = decider.initialState;
  for (const event of events) state = decider.evolve(state, event);
  return state;
}
