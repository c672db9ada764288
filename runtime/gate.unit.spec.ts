import { expect } from 'chai';
import { createGate, within } from './gate.js';

describe('a gate', () => {
  it('lets so many through at a time, in the order in which they came, faults or not', async () => {
    const gate = createGate(3);
    const began: number[] = [];
    let inside = 0;
    let most = 0;
    const work = async (n: number) => {
      began.push(n);
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      if (n % 4 === 0) throw new Error(String(n));
    };
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    const outcomes = await Promise.allSettled(numbers.map((n) => within(gate, () => work(n))));
    expect([most, inside]).to.deep.equal([3, 0]);
    expect(began).to.deep.equal(numbers);
    expect(outcomes.filter(({ status }) => status === 'rejected')).to.have.length(5);
    expect(gate.enter()).to.equal(undefined);
  });
});
