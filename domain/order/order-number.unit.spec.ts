import { expect } from 'chai';
import fc from 'fast-check';
import { runLawfully } from '../core/decider-laws.js';
import { given } from '../core/specification.js';
import { eventCatalog } from '../event-catalog.js';
import { orderNumber } from './order-events.js';
import { type DrawNumberBlock, formatOrderNumber, orderNumberDecider } from './order-number.js';

const draw = (size: number): DrawNumberBlock => ({
  type: 'DrawNumberBlock',
  data: { year: 2026, size },
  metadata: { now: '2026-03-01T09:30:00.000Z' },
});
const drawn = (from: number, to: number) => ({
  type: 'ordernumber.block_drawn' as const,
  data: { year: 2026, from, to },
});

describe('order numbers', () => {
  it('begin with one, and a block goes on where the last one ended', () => {
    given(orderNumberDecider).when(draw(100)).then(drawn(1, 100));
    given(orderNumberDecider, drawn(1, 100)).when(draw(50)).then(drawn(101, 150));
    given(orderNumberDecider, drawn(1, 100), drawn(101, 150)).when(draw(1)).then(drawn(151, 151));
  });

  it('are drawn in blocks that never overlap and leave nothing out', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 50 }), (sizes) => {
        const { events } = runLawfully(orderNumberDecider, eventCatalog, sizes.map(draw));
        let last = 0;
        for (const [i, { data }] of events.entries()) {
          expect(data.from).to.equal(last + 1);
          expect(data.to - data.from + 1).to.equal(sizes[i]);
          last = data.to;
        }
        expect(events).to.have.length(sizes.length);
      }),
    );
  });

  it('are shown with five digits, and more where a year needs them', () => {
    expect(formatOrderNumber(2026, 1)).to.equal('ORD-2026-00001');
    expect(formatOrderNumber(2026, 99_999)).to.equal('ORD-2026-99999');
    expect(formatOrderNumber(2026, 100_000)).to.equal('ORD-2026-100000');
    expect(formatOrderNumber(987, 12_345_678)).to.equal('ORD-0987-12345678');
  });

  it('are what events accept, and differ where year or number differ', () => {
    const number = fc.tuple(fc.integer({ min: 1970, max: 9999 }), fc.integer({ min: 1, max: 10_000_000 }));
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(orderNumber.safeParse(formatOrderNumber(...a)).success).to.equal(true);
        expect(formatOrderNumber(...a) === formatOrderNumber(...b)).to.equal(a[0] === b[0] && a[1] === b[1]);
      }),
    );
  });
});
