import { expect } from 'chai';
import { Latencies, RateMeter } from './figures.js';

describe('a meter of a persistent subscription', () => {
  it('tells the last whole second, what came since, and all', () => {
    let now = 10_000;
    const meter = new RateMeter(() => now);
    for (let n = 0; n < 5; n += 1) meter.count();
    expect([meter.total, meter.perSecond, meter.sinceSecond]).to.deep.equal([5, 0, 5]);
    now = 11_200;
    meter.count();
    expect([meter.total, meter.perSecond, meter.sinceSecond]).to.deep.equal([6, 5, 1]);
    now = 14_000;
    expect([meter.total, meter.perSecond, meter.sinceSecond]).to.deep.equal([6, 0, 0]);
  });

  it('measures the last thousand answers', () => {
    const latencies = new Latencies();
    expect(latencies.measurements()).to.deep.equal([]);
    for (let ms = 1; ms <= 1_100; ms += 1) latencies.observe(ms);
    const measured = Object.fromEntries(latencies.measurements());
    expect(measured).to.include({ Fastest: 101, Median: 601, 'Quintile 1': 301, '90%': 1_001, Highest: 1_100 });
  });
});
