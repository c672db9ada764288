import { expect } from 'chai';
import { canMeter } from './meter.js';
import { askSmall, goalsOf } from './small-scale.js';
import { writePath } from './write-path.js';

describe('the question write-path', () => {
  before(function () {
    if (!canMeter) this.skip();
  });

  it('is answered in full, on a small scale', async () => {
    const { rows, told } = await askSmall(writePath, { 'arm-ms': 20 });

    expect(goalsOf(rows)).to.deep.equal({
      'P1 {"atLeast":0.9}': 8,
      'P2 {"atLeast":5}': 2,
      'P3 {"atLeast":50}': 1,
      'P4 {"atLeast":2}': 1,
    });
    const rates = rows.filter(({ unit }) => unit === '1/s');
    expect(rates).to.have.length(12 + 4 + 3);
    for (const { measure, cpu } of rates) expect(cpu?.client.median, measure).to.be.greaterThan(0);
    expect(told).to.include('hot stream, round 1 of 3: one stream, tail read and retry');
  }).timeout(60_000);
});
