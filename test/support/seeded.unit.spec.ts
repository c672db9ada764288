import { expect } from 'chai';
import { seeded } from './seeded.js';

const some = (...seed: (string | number)[]) => {
  const random = seeded(...seed);
  return Array.from({ length: 1_000 }, () => random.next());
};

describe('a seeded generator', () => {
  it('gives the same numbers for the same seed and others for another', () => {
    expect(some('a', 1)).to.deep.equal(some('a', 1));
    expect(some('a', 1)).to.not.deep.equal(some('a', 2));
  });

  it('reaches every number of a range, both ends included, about as often', () => {
    const random = seeded('range');
    const counts = new Map<number, number>();
    for (let i = 0; i < 10_000; i += 1) {
      const number = random.between(-1, 3);
      counts.set(number, (counts.get(number) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).to.deep.equal([-1, 0, 1, 2, 3]);
    for (const count of counts.values()) expect(count).to.be.within(1_700, 2_300);
  });

  it('makes ids of version 4, none twice', () => {
    const random = seeded('ids');
    const ids = Array.from({ length: 1_000 }, () => random.uuid());
    for (const id of ids) expect(id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(ids)).to.have.length(1_000);
  });

  it('has nothing to pick from an empty list', () => {
    expect(() => seeded('none').pick([])).to.throw(RangeError);
  });
});
