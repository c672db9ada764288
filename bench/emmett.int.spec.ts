import { expect } from 'chai';
import { emmett } from './emmett.js';
import { canMeter } from './meter.js';
import { askSmall, goalsOf } from './small-scale.js';

describe('the question emmett', () => {
  before(function () {
    if (!canMeter) this.skip();
  });

  it('is answered in full, on a small scale', async () => {
    const { rows } = await askSmall(emmett, { 'arm-ms': 20 });

    expect(goalsOf(rows)).to.deep.equal({ 'P17 {"atLeast":4.5}': 2, 'P17 {"atLeast":150}': 2 });
    const rates = rows.filter(({ unit }) => unit === '1/s');
    expect(rates).to.have.length(8);
    for (const { measure, cpu } of rates) expect(cpu?.client.median, measure).to.be.greaterThan(0);
  }).timeout(60_000);
});
