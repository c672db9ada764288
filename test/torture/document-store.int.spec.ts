import { expect } from 'chai';
import { planned, tableOf, torture } from './document-store.js';

const seed = 7;

/** A slice of `npm run torture -- document-store`. */
describe('five rounds of torturing the document store', function () {
  this.timeout(230_000);

  it(`leave everything acknowledged in place, whole, and nothing else (seed ${seed})`, async () => {
    const done = await torture({ seed, rounds: [1, 2, 3, 4, 5], kindOf: planned, say: () => {} });
    expect(done.rounds, tableOf(done)).to.deep.equal({ writes: 1, build: 1, stop: 1, sweep: 1, start: 0, twice: 1 });
    expect(done.counts.acknowledged).to.be.greaterThan(100);
    expect(done.counts.unknown).to.be.greaterThan(10);
    expect(done.counts.verified).to.be.greaterThan(5_000);
    expect(done.verified).to.be.at.least(done.counts.verified);
    expect(done.seen).to.be.greaterThan(1_000);
    expect(done.deadCursors).to.be.greaterThan(4);
  });
});
