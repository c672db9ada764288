import { expect } from 'chai';
import { z } from 'zod';
import type { Command, Decider, DomainEvent } from './decider.js';
import { runLawfully } from './decider-laws.js';
import { DomainError } from './domain-error.js';
import { createCatalog, DecodeError, defineEvent } from './event-codec.js';
import { SpecificationFailed } from './specification.js';

type Counted = DomainEvent<'test.counted', { by: number }>;
type Count = Command<'Count', { by: number }>;
interface State {
  readonly sum: number;
  readonly seen: readonly number[];
}

const catalog = createCatalog([defineEvent({ type: 'test.counted', data: z.strictObject({ by: z.int() }) })]);
const count = (by: number): Count => ({ type: 'Count', data: { by }, metadata: { now: '2026-03-01T09:30:00.000Z' } });
const counted = (by: number): Counted => ({ type: 'test.counted', data: { by } });

const lawful: Decider<State, Count, Counted> = {
  initialState: { sum: 0, seen: [] },
  decide({ data }, state) {
    if (data.by < 0) throw new DomainError('quantity-not-positive', 'negative');
    return state.seen.includes(data.by) ? [] : [counted(data.by)];
  },
  evolve: (state, { data }) => ({ sum: state.sum + data.by, seen: [...state.seen, data.by] }),
};

const run = (decider: Decider<State, Count, Counted>, ...by: number[]) =>
  runLawfully(decider, catalog, by.map(count), () => true);

describe('a lawful decider', () => {
  it('passes, and the run tells its state, events and refusals', () => {
    expect(run(lawful, 1, -1, 2, 1)).to.deep.equal({
      state: { sum: 3, seen: [1, 2] },
      events: [counted(1), counted(2)],
      refusals: ['quantity-not-positive'],
    });
  });
});

describe('a decider that breaks a law', () => {
  it('by mutating its state is caught', () => {
    const evolve = (state: State, { data }: Counted) => {
      (state.seen as number[]).push(data.by);
      return state;
    };
    expect(() => run({ ...lawful, evolve }, 1)).to.throw(TypeError);
  });

  it('by mutating the state while it decides is caught', () => {
    const decide = (command: Count, state: State) => {
      (state as { sum: number }).sum += 1;
      return lawful.decide(command, state);
    };
    expect(() => run({ ...lawful, initialState: { sum: 0, seen: [] }, decide }, 1)).to.throw(TypeError);
  });

  it('by an evolve that throws is caught', () => {
    const evolve = (): State => {
      throw new DomainError('order-ended', 'no');
    };
    expect(() => run({ ...lawful, evolve }, 1)).to.throw(DomainError);
  });

  it('by throwing something else than a DomainError is caught', () => {
    const decide = (): Counted[] => {
      throw new RangeError('a fault');
    };
    expect(() => run({ ...lawful, decide }, 1)).to.throw(RangeError);
  });

  it('by an event that the contract does not hold is caught', () => {
    expect(() => run({ ...lawful, decide: () => [counted(0.5)] }, 1)).to.throw(DecodeError);
  });

  it('by an event that comes back from the log as another is caught', () => {
    const rounding = createCatalog([
      defineEvent({ type: 'test.counted', data: z.strictObject({ by: z.number().overwrite(Math.floor) }) }),
    ]);
    const decider = { ...lawful, decide: () => [counted(1.5)] };
    expect(() => runLawfully(decider, rounding, [count(1)])).to.throw(SpecificationFailed);
  });

  it('by a state that a replay does not meet is caught', () => {
    let calls = 0;
    const evolve = (state: State, event: Counted) => {
      calls += 1;
      return { ...lawful.evolve(state, event), sum: calls };
    };
    expect(() => run({ ...lawful, evolve }, 1, 2)).to.throw(SpecificationFailed);
  });

  it('by a repeat that changes something is caught, unless the command is not repeatable', () => {
    const decider = { ...lawful, decide: ({ data }: Count) => [counted(data.by)] };
    expect(() => run(decider, 1)).to.throw(SpecificationFailed);
    expect(runLawfully(decider, catalog, [count(1)]).events).to.have.length(1);
  });
});
