import { expect } from 'chai';
import { findRedis } from '../embedded/redis.js';
import { ask } from './harness.js';
import { canMeter } from './meter.js';
import { orders } from './orders.js';
import { goalsOf } from './small-scale.js';

describe('the question orders', () => {
  before(function () {
    if (!canMeter || findRedis() === undefined) this.skip();
  });

  it('is answered in full, on a small scale, and an order is eleven appends in both arms', async () => {
    const told: string[] = [];
    const settings = { sizes: { orders: 4, 'in-flight': 2 }, rounds: 1, seed: 1 };
    const rows = await ask(orders, { ...settings, progress: (text) => told.push(text) });

    expect(goalsOf(rows)).to.deep.equal({ 'P12 {"atLeast":0.35}': 1 });
    const medianOf = (measure: string) => rows.find((one) => one.measure === measure)?.value.median ?? Number.NaN;
    expect(medianOf('events an order, their appends alone')).to.be.at.least(11);
    expect(medianOf('appends an order, whole orders')).to.be.at.least(11);
    expect(medianOf('orders, whole orders')).to.be.greaterThan(0);
    expect(rows.filter(({ measure }) => measure.startsWith('CPU of an order'))).to.have.length(14);
    expect(told.filter((text) => text.startsWith('could not tidy up'))).to.deep.equal([]);
  }).timeout(120_000);
});
