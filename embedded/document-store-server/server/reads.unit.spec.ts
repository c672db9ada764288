import { expect } from 'chai';
import type { Batches } from '../query/pipeline.js';
import type { Context } from './context.js';
import { withinTime } from './reads.js';

function burn(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

describe('the time that a client gives to a result', () => {
  it('passes while batches are made, not between them', async () => {
    const given = performance.now() + 300;
    const context = { deadline: given } as Context;
    const left: number[] = [];
    async function* source(): Batches {
      for (;;) {
        left.push(context.deadline - performance.now());
        burn(20);
        yield [Buffer.alloc(5)];
      }
    }
    const batches = withinTime(context, source());
    await batches.next();
    // the client takes longer than all the time it gave
    burn(given - performance.now() + 1);
    await batches.next();
    await batches.next();
    const [first = 0, second = 0, third = 0] = left;
    expect(second).to.be.greaterThan(0);
    expect(first - second).to.be.at.least(20);
    expect(second - third).to.be.at.least(20);
    await batches.return();
  });
});
