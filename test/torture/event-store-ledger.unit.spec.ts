import { jsonEvent } from '@eventstore/db-client';
import { expect } from 'chai';
import type { Recorded } from './event-store-content.js';
import { type Append, type Ledger, openLedger } from './event-store-ledger.js';
import { Violation } from './violation.js';

const event = (n: number) => jsonEvent({ type: 'counted', data: { n } });

async function* logOf(events: readonly Recorded[]): AsyncGenerator<Recorded> {
  yield* events;
}

/** The events of appends as a store would hold them, one after the other. */
function stored(...appends: Append[]): Recorded[] {
  const revisions = new Map<string, number>();
  return appends
    .flatMap(({ stream, events }) => events.map((sent) => ({ stream, sent })))
    .map(({ stream, sent }, index) => {
      const revision = revisions.get(stream) ?? 0;
      revisions.set(stream, revision + 1);
      return { ...sent, streamId: stream, revision: BigInt(revision), position: { commit: BigInt(index + 1) } };
    });
}

async function violation(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (err) {
    if (err instanceof Violation) return err.message;
    throw err;
  }
}

describe('the ledger of a torture', () => {
  let ledger: Ledger;
  let one: Append;
  let two: Append;
  beforeEach(() => {
    ledger = openLedger();
    one = ledger.send('s', 'no_stream', [event(1), event(2)]);
    two = ledger.send('t', 'any', [event(3)]);
  });
  const settle = (events: readonly Recorded[]) => ledger.settle(logOf(events));
  const acknowledgeBoth = () => {
    ledger.acknowledge(one, { revision: 1, position: 2 });
    ledger.acknowledge(two, { revision: 0, position: 3 });
  };

  it('finds a log right that holds what was acknowledged', async () => {
    acknowledgeBoth();
    expect(await settle(stored(one, two))).to.deep.equal([]);
    expect(ledger.log.map(({ stream, revision }) => `${stream}-${revision}`)).to.deep.equal(['s-0', 's-1', 't-0']);
  });

  it('leaves it open whether an append without outcome is stored, and tells which is', async () => {
    expect(await settle(stored(two))).to.have.members([one, two]);
    expect([one.stored, two.stored]).to.deep.equal([undefined, { revision: 0, position: 1 }]);
    expect(ledger.counts).to.include({ unknown: 2, unknownStored: 1 });
  });

  const wrongs: Record<string, () => Recorded[]> = {
    'lacks what was acknowledged': () => {
      acknowledgeBoth();
      return stored(one);
    },
    'holds an acknowledged append elsewhere': () => {
      acknowledgeBoth();
      return stored(two, one);
    },
    'holds half an append': () => stored(one).slice(0, 1),
    'holds half an append before another': () => {
      const [first] = stored(one);
      return first === undefined ? [] : [first, { ...(stored(two)[0] ?? first), position: { commit: 2n } }];
    },
    'holds what was refused': () => {
      ledger.refuse(two);
      return stored(two);
    },
    'holds what was never sent': () => stored(one, { ...two, events: [event(4)] }),
    'holds another content': () => stored({ ...two, events: [{ ...event(4), id: two.events[0]?.id ?? '' }] }),
    'holds an event in another stream': () => stored({ ...two, stream: 'u' }),
    'holds an event twice': () => stored(two, two),
    'has a gap': () => stored(one, two).filter((_, index) => index !== 1),
    'has a gap in a stream': () => stored(two).map((stray) => ({ ...stray, revision: 1n })),
    'ends a stream before the revision that was told': () => {
      ledger.learn('t', 1);
      return stored(two);
    },
    'puts what was sent later before what had been acknowledged': () => {
      ledger.acknowledge(two, { revision: 0, position: 1 });
      const late = ledger.send('u', 'any', [event(5)]);
      return stored(late, two);
    },
    'puts an append at another revision than it was sent for': () => {
      const exact = ledger.send('v', 5n, [event(6)]);
      return stored(exact);
    },
  };
  for (const [what, log] of Object.entries(wrongs)) {
    it(`names it when the log ${what}`, async () => {
      expect(await violation(() => settle(log()))).to.be.a('string');
    });
  }

  it('takes a repeat as an answer once more, at the place of the first and at no other', async () => {
    acknowledgeBoth();
    await settle(stored(one, two));
    ledger.sendAgain(two);
    expect(await violation(() => ledger.acknowledge(two, { revision: 0, position: 3 }))).to.equal(undefined);
    expect(await violation(() => ledger.acknowledge(two, { revision: 1, position: 4 }))).to.be.a('string');
    expect(await violation(() => ledger.refuse(two))).to.be.a('string');
  });

  it('still holds the store to an acknowledged append whose repeat had no outcome', async () => {
    ledger.acknowledge(two, { revision: 0, position: 1 });
    ledger.sendAgain(two);
    expect(await violation(() => settle([]))).to.be.a('string');
  });
});
