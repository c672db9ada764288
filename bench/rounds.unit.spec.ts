import { expect } from 'chai';
import { interleave, pairedRatios } from './rounds.js';
import { median } from './statistics.js';

describe('rounds of a comparison', () => {
  it('run the arms in turn, one at a time, and drop what came first', async () => {
    const ran: string[] = [];
    let running = 0;
    const arm = (name: string) => async (round: number) => {
      running += 1;
      expect(running).to.equal(1);
      await new Promise((resolve) => setImmediate(resolve));
      ran.push(`${name}${round}`);
      running -= 1;
      return round;
    };
    const told: string[] = [];
    const rounds = await interleave(
      { a: arm('a'), b: arm('b') },
      { rounds: 3, onArm: (name, round, of) => told.push(`${name}${round}/${of}`) },
    );
    expect(ran).to.deep.equal(['a1', 'b1', 'a2', 'b2', 'a3', 'b3', 'a4', 'b4']);
    expect(told).to.deep.equal(['a1/4', 'b1/4', 'a2/4', 'b2/4', 'a3/4', 'b3/4', 'a4/4', 'b4/4']);
    expect(rounds).to.deep.equal([
      { a: 2, b: 2 },
      { a: 3, b: 3 },
      { a: 4, b: 4 },
    ]);
  });

  it('keep all of them when told so', async () => {
    const rounds = await interleave({ a: async (round) => round }, { rounds: 2, dropped: 0 });
    expect(rounds).to.deep.equal([{ a: 1 }, { a: 2 }]);
  });

  it('end with the first fault of an arm', async () => {
    const ran: number[] = [];
    const fault = new Error('broken');
    const run = interleave(
      {
        a: async (round) => {
          ran.push(round);
          if (round === 2) throw fault;
        },
      },
      { rounds: 9 },
    );
    expect(await run.catch((err: unknown) => err)).to.equal(fault);
    expect(ran).to.deep.equal([1, 2]);
  });

  it('are compared each with itself: a machine that slows down changes no ratio', async () => {
    const slowdown = [1, 1, 3, 0.5, 8];
    const rounds = await interleave(
      {
        fast: async (round) => ({ perSecond: 600 / (slowdown[round - 1] ?? 1) }),
        slow: async (round) => ({ perSecond: 100 / (slowdown[round - 1] ?? 1) }),
      },
      { rounds: 4 },
    );
    const ratios = pairedRatios(rounds, 'fast', 'slow', ({ perSecond }) => perSecond);
    expect(ratios).to.have.length(4);
    expect(median(ratios)).to.be.closeTo(6, 1e-9);
    for (const ratio of ratios) expect(ratio).to.be.closeTo(6, 1e-9);
  });
});
