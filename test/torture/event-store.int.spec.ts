import { expect } from 'chai';
import { planned, tableOf, torture } from './event-store.js';

// Garbles pages of every kind, those of stream names included.
const seed = 5;

/** A slice of `npm run torture -- event-store`. */
describe('ten rounds of torturing the event store', function () {
  this.timeout(230_000);

  it(`leave everything acknowledged in place and nothing else served (seed ${seed})`, async () => {
    const rounds = Array.from({ length: 10 }, (_, n) => n + 1);
    const done = await torture({ seed, rounds, kindOf: planned, copies: 3, say: () => {} });
    expect(done.rounds, tableOf(done)).to.deep.equal({ kill: 5, cut: 2, flip: 2, full: 1 });
    expect(done.acknowledged).to.be.greaterThan(100);
    expect(done.unknown).to.be.greaterThan(10);
    expect(done.verified).to.be.at.least(done.acknowledged);
    expect(done.watched).to.be.greaterThan(done.verified);
    expect(done.refusedForRoom).to.be.greaterThan(0);
    const { cut, flip } = done.damaged;
    expect(cut.complete + cut.refused + cut.dead).to.equal(6);
    expect(flip.complete + flip.refused + flip.dead).to.equal(6);
  });
});
