import { expect } from 'chai';
import { compareSales, tableOf } from './comparison.js';

const row = (month: string, country: string, orders: number, units: number, revenue: number) =>
  [`${month} ${country}`, { month, country, orders, units, revenue }] as const;

describe('shop and file', () => {
  const same = [row('2010-12', 'GB', 2, 10, 5_100), row('2011-01', 'FR', 1, 3, 299)];

  it('are compared by month and country', () => {
    const rows = compareSales(new Map([...same].reverse()), new Map(same));
    expect(rows.map(({ month, country, equal }) => [month, country, equal])).to.deep.equal([
      ['2010-12', 'GB', true],
      ['2011-01', 'FR', true],
    ]);
    expect(tableOf(rows)).to.match(/all .* 3 +3 +13 +13 +53\.99 +53\.99$/);
  });

  it('differ by a penny, a piece, an order, and where only one knows a country', () => {
    const others = [
      row('2010-12', 'GB', 2, 10, 5_101),
      row('2010-12', 'GB', 2, 11, 5_100),
      row('2010-12', 'GB', 3, 10, 5_100),
      row('2010-12', 'IE', 2, 10, 5_100),
    ];
    for (const other of others) {
      const rows = compareSales(new Map([other]), new Map(same.slice(0, 1)));
      expect(rows.some(({ equal }) => !equal)).to.equal(true);
      expect(tableOf(rows)).to.include('differ');
    }
  });
});
