import { expect } from 'chai';
import { columns, judgeLine, type LeftReason } from './sales-lines.js';

const sale: Record<(typeof columns)[number], string> = {
  InvoiceNo: '536365',
  StockCode: '85123A',
  Description: 'WHITE HANGING HEART',
  Quantity: '6',
  InvoiceDate: '2010-12-01 08:26:00',
  UnitPrice: '2.55',
  CustomerID: '17850',
  Country: 'United Kingdom',
};
const judge = (change: Partial<typeof sale> = {}) =>
  judgeLine(columns.map((column) => ({ ...sale, ...change })[column]));

describe('a line of an ordinary invoice', () => {
  it('is a sale', () => {
    expect(judge().line).to.deep.equal({
      invoice: '536365',
      code: '85123A',
      description: 'WHITE HANGING HEART',
      quantity: 6,
      pence: 255,
      placedAt: '2010-12-01T08:26:00.000Z',
      customer: '17850',
      country: 'GB',
    });
  });

  it('has its stock code in upper case, and neither customer nor description where they are NA or empty', () => {
    for (const missing of ['NA', '', ' ']) {
      const { line } = judge({ StockCode: ' 85123a', CustomerID: missing, Description: missing });
      expect(line).to.include({ code: '85123A', customer: undefined, description: undefined });
    }
  });

  const prices: [string, number][] = [
    ['2', 200],
    ['2.5', 250],
    ['0.01', 1],
    ['1.10', 110],
    ['1.100', 110],
    ['38970.00', 3_897_000],
    ['0.29', 29],
    ['1.15', 115],
  ];
  for (const [price, pence] of prices) {
    it(`at ${price} costs ${pence} pence`, () => {
      expect(judge({ UnitPrice: price }).line?.pence).to.equal(pence);
    });
  }

  it('of goods with letters for a code is a sale', () => {
    for (const StockCode of ['DCGS0076', 'DCGSSBOY', 'PADS', '15056BL'])
      expect(judge({ StockCode }).left).to.equal(undefined);
  });
});

describe('a line is left out', () => {
  const reasons: [LeftReason, Partial<typeof sale>[]][] = [
    [
      'unreadable',
      [
        { Quantity: 'six' },
        { Quantity: '1.5' },
        { UnitPrice: '' },
        { UnitPrice: '1e2' },
        { InvoiceDate: '2011-02-30 08:26:00' },
        { InvoiceDate: '01/12/2010' },
        { InvoiceNo: '' },
        { StockCode: '' },
      ],
    ],
    ['cancellation', [{ InvoiceNo: 'C536379' }, { InvoiceNo: 'c536379' }]],
    ['adjustment', [{ InvoiceNo: 'A563185' }]],
    [
      'charge',
      ['POST', 'DOT', 'M', 'm', 'D', 'C2', 'S', 'B', 'BANK CHARGES', 'AMAZONFEE', 'CRUK', 'gift_0001_20'].map(
        (StockCode) => ({ StockCode }),
      ),
    ],
    ['quantity-not-positive', [{ Quantity: '0' }, { Quantity: '-5' }]],
    ['quantity-too-large', [{ Quantity: '100001' }]],
    ['price-negative', [{ UnitPrice: '-11062.06' }]],
    ['price-zero', [{ UnitPrice: '0' }, { UnitPrice: '0.00' }]],
    ['price-fraction', [{ UnitPrice: '0.001' }, { UnitPrice: '2.555' }]],
    ['country-unknown', [{ Country: 'Atlantis' }, { Country: 'constructor' }]],
  ];
  for (const [reason, changes] of reasons) {
    it(`as ${reason}`, () => {
      for (const change of changes) expect(judge(change).left, JSON.stringify(change)).to.equal(reason);
    });
  }

  it('for the first reason that fits', () => {
    expect(judge({ InvoiceNo: 'C1', StockCode: 'POST', Quantity: '-1', UnitPrice: '0' }).left).to.equal('cancellation');
    expect(judge({ StockCode: 'POST', Quantity: '-1', UnitPrice: '0' }).left).to.equal('charge');
    expect(judge({ Quantity: '-1', UnitPrice: '0' }).left).to.equal('quantity-not-positive');
    expect(judge({ UnitPrice: '0.001', Country: 'Atlantis' }).left).to.equal('price-fraction');
  });

  it('where a record is too short', () => {
    expect(judgeLine(['536365', '85123A']).left).to.equal('unreadable');
  });
});
