import { expect } from 'chai';
import type { Command, Decider, DomainEvent } from './decider.js';
import { DomainError } from './domain-error.js';
import { given, SpecificationFailed, sameJson } from './specification.js';

type Turned = DomainEvent<'lamp.turned', { on: boolean; by?: string | undefined }>;
type Broke = DomainEvent<'lamp.broke', Record<string, never>>;
type Turn = Command<'Turn', { on: boolean }>;
type Smash = Command<'Smash', { how: 'once' | 'fault' }>;

const lamp: Decider<{ on: boolean; broken: boolean }, Turn | Smash, Turned | Broke> = {
  initialState: { on: false, broken: false },
  decide(command, state) {
    if (command.type === 'Smash') {
      if (command.data.how === 'fault') throw new TypeError('a fault of the program');
      return [
        { type: 'lamp.turned', data: { on: false } },
        { type: 'lamp.broke', data: {} },
      ];
    }
    if (state.broken) throw new DomainError('order-ended', 'broken');
    return state.on === command.data.on ? [] : [{ type: 'lamp.turned', data: { on: command.data.on } }];
  },
  evolve: (state, event) =>
    event.type === 'lamp.broke' ? { ...state, broken: true } : { ...state, on: event.data.on },
};

const metadata = { now: '2026-03-01T09:30:00.000Z' };
const turn = (on: boolean): Turn => ({ type: 'Turn', data: { on }, metadata });
const smash = (how: 'once' | 'fault' = 'once'): Smash => ({ type: 'Smash', data: { how }, metadata });
const turned = (on: boolean): Turned => ({ type: 'lamp.turned', data: { on } });
const broke: Broke = { type: 'lamp.broke', data: {} };

const fails = (act: () => unknown) => expect(act).to.throw(SpecificationFailed);

describe('then', () => {
  it('holds for exactly these events, decided on the given history', () => {
    given(lamp).when(turn(true)).then(turned(true));
    given(lamp, turned(true)).when(turn(false)).then(turned(false));
    given(lamp).when(smash()).then(turned(false), broke);
    given(lamp).when(turn(false)).then();
  });

  it('fails on other data, another type, fewer, more, or another order', () => {
    fails(() => given(lamp).when(turn(true)).then(turned(false)));
    fails(() => given(lamp).when(turn(true)).then(broke));
    fails(() => given(lamp).when(smash()).then(turned(false)));
    fails(() => given(lamp).when(turn(true)).then(turned(true), broke));
    fails(() => given(lamp).when(smash()).then(broke, turned(false)));
    fails(() => given(lamp).when(turn(false)).then(turned(false)));
    fails(() => given(lamp).when(turn(true)).then());
    fails(() =>
      given(lamp)
        .when(turn(true))
        .then({ type: 'lamp.turned', data: { on: true, by: 'x' } }),
    );
  });

  it('fails with the refusal when the command was refused', () => {
    expect(() => given(lamp, broke).when(turn(true)).then(turned(true)))
      .to.throw(DomainError)
      .with.property('code', 'order-ended');
  });

  it('shows what was expected and what came', () => {
    try {
      given(lamp).when(turn(true)).then(broke);
      expect.fail('it held');
    } catch (error) {
      expect(error)
        .to.be.instanceOf(SpecificationFailed)
        .and.to.deep.include({
          expected: [broke],
          actual: [turned(true)],
          showDiff: true,
        });
    }
  });
});

describe('thenTypes', () => {
  it('holds for events of exactly these types, whatever their data', () => {
    given(lamp).when(smash()).thenTypes('lamp.turned', 'lamp.broke');
    given(lamp).when(turn(false)).thenTypes();
  });

  it('fails on other types, fewer, more, another order, or a refusal', () => {
    fails(() => given(lamp).when(turn(true)).thenTypes('lamp.broke'));
    fails(() => given(lamp).when(smash()).thenTypes('lamp.turned'));
    fails(() => given(lamp).when(turn(true)).thenTypes('lamp.turned', 'lamp.broke'));
    fails(() => given(lamp).when(smash()).thenTypes('lamp.broke', 'lamp.turned'));
    expect(() => given(lamp, broke).when(turn(true)).thenTypes('lamp.turned')).to.throw(DomainError);
  });
});

describe('thenNothing', () => {
  it('holds when nothing happens', () => {
    given(lamp).when(turn(false)).thenNothing();
  });

  it('fails on an event, and on a refusal, which is no "nothing"', () => {
    fails(() => given(lamp).when(turn(true)).thenNothing());
    expect(() => given(lamp, broke).when(turn(true)).thenNothing()).to.throw(DomainError);
  });
});

describe('thenRefused', () => {
  it('holds for a refusal with this code', () => {
    given(lamp, broke).when(turn(true)).thenRefused('order-ended');
  });

  it('fails on another code, on events, and on nothing', () => {
    fails(() => given(lamp, broke).when(turn(true)).thenRefused('order-empty'));
    fails(() => given(lamp).when(turn(true)).thenRefused('order-ended'));
    fails(() => given(lamp).when(turn(false)).thenRefused('order-ended'));
  });
});

describe('events', () => {
  it('gives the events, or throws the refusal', () => {
    expect(given(lamp).when(turn(true)).events()).to.deep.equal([turned(true)]);
    expect(() => given(lamp, broke).when(turn(true)).events()).to.throw(DomainError);
  });
});

describe('a fault of the program', () => {
  it('passes through as it is and is never taken for a refusal', () => {
    expect(() => given(lamp).when(smash('fault'))).to.throw(TypeError);
  });
});

describe('sameJson', () => {
  const equal: [unknown, unknown][] = [
    [1, 1],
    [null, null],
    [
      { a: 1, b: [1, { c: 2 }] },
      { b: [1, { c: 2 }], a: 1 },
    ],
    [{ a: undefined }, {}],
    [[], []],
  ];
  const different: [unknown, unknown][] = [
    [1, '1'],
    [0, false],
    [null, undefined],
    [null, {}],
    [{}, []],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, 2]],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: { b: 1 } }, { a: { b: 2 } }],
    [{ a: null }, {}],
    [{ toString: 1 }, {}],
  ];

  it('compares as data, both ways', () => {
    for (const [a, b] of equal) expect(sameJson(a, b) && sameJson(b, a), JSON.stringify([a, b])).to.equal(true);
    for (const [a, b] of different) expect(sameJson(a, b) || sameJson(b, a), JSON.stringify([a, b])).to.equal(false);
  });
});
