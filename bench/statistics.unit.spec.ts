import { expect } from 'chai';
import { growth, median, quantile, spreadOf } from './statistics.js';

describe('statistics of samples', () => {
  it('find the middle of an odd and an even number of samples, in any order', () => {
    expect(median([5, 1, 3])).to.equal(3);
    expect(median([10, 1, 3, 2])).to.equal(2.5);
    expect(median([7])).to.equal(7);
  });

  it('compare numbers as numbers', () => {
    expect(median([10, 9, 100])).to.equal(10);
  });

  it('lie between two samples where the share does', () => {
    expect(quantile([0, 10], 0.25)).to.equal(2.5);
    expect(quantile([1, 2, 3, 4, 5], 0)).to.equal(1);
    expect(quantile([1, 2, 3, 4, 5], 1)).to.equal(5);
    expect(spreadOf([4, 1, 5, 3, 2])).to.deep.equal({ median: 3, lower: 2, upper: 4 });
  });

  it('are not moved by one wild sample', () => {
    expect(spreadOf([1, 1, 1, 1, 1, 1, 1, 1, 1_000])).to.deep.equal({ median: 1, lower: 1, upper: 1 });
  });

  it('leave the samples as they are', () => {
    const samples = [3, 1, 2];
    median(samples);
    expect(samples).to.deep.equal([3, 1, 2]);
  });

  for (const samples of [[], [1, Number.NaN], [1, Number.POSITIVE_INFINITY]]) {
    it(`refuse [${samples}]`, () => {
      expect(() => median(samples)).to.throw(RangeError);
    });
  }
});

describe('growth over sizes', () => {
  it('is the power of the size', () => {
    const sizes = [10, 100, 1_000];
    const grown = (power: number) => growth(sizes.map((size) => [size, 3 * size ** power]));
    for (const power of [0, 0.5, 1, 2, -1]) expect(grown(power)).to.be.closeTo(power, 1e-9);
  });

  it('runs through the middle of figures on no straight line', () => {
    expect(
      growth([
        [1, 1],
        [10, 100],
        [100, 100],
      ]),
    ).to.be.closeTo(1, 1e-9);
  });

  it('needs two sizes and figures above 0', () => {
    expect(() =>
      growth([
        [10, 1],
        [10, 2],
      ]),
    ).to.throw(RangeError);
    expect(() =>
      growth([
        [10, 0],
        [100, 2],
      ]),
    ).to.throw(RangeError);
  });
});
