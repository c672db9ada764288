import { expect } from 'chai';
import { allProjections } from '../projections/all-projections.js';
import { canMeter } from './meter.js';
import { projecting } from './projections.js';
import { askSmall, goalsOf } from './small-scale.js';

describe('the question projections', () => {
  before(function () {
    if (!canMeter) this.skip();
  });

  it('is answered in full, on a small scale', async () => {
    const { rows } = await askSmall(projecting, { orders: 20 });

    expect(goalsOf(rows)).to.deep.equal({ 'P6 {"atLeast":0.7}': allProjections.length });
    expect(rows.filter(({ unit }) => unit === '1/s')).to.have.length(allProjections.length + 2);
  }).timeout(120_000);
});
