import { expect } from 'chai';
import type { Reply } from '../shop-client.js';
import { compareSales } from './comparison.js';
import { type PatientClient, Refused } from './patient-client.js';
import type { PlannedOrder } from './plan.js';
import { Progress } from './progress.js';
import { salesInStore } from './sales-in-store.js';

const lines = [{ code: '85123A', quantity: 3, pence: 255 }];
const orderOf = (reference: string): PlannedOrder => ({
  reference,
  placedAt: '2010-12-01T08:26:00.000Z',
  customer: undefined,
  country: 'GB',
  lines,
});
const key = '2010-12 GB';
const file = new Map([[key, { month: '2010-12', country: 'GB', orders: 2, units: 6, revenue: 1_530 }]]);
const rowOf = (orders: object, units: number, revenue: string) => ({
  month: '2010-12',
  country: 'GB',
  currency: 'GBP',
  orders: { placed: 0, confirmed: 0, failed: 0, cancelled: 0, ...orders },
  units,
  revenue,
});
const confirmed = {
  status: 'confirmed',
  placed_at: '2010-12-01T08:26:00Z',
  country: 'GB',
  items: [{ quantity: 3, amount: '7.65' }],
};
const failed = { ...confirmed, status: 'failed', order_number: 'ORD-2010-00002', failure: { reason: 'card_declined' } };

/** A shop with these sales and these orders, of which the import asked for two. */
function found(row: ReturnType<typeof rowOf>, orders: Readonly<Record<string, object>> = {}) {
  const client = {
    look: async () => ({ data: { rows: [row] }, stale: false }) as Partial<Reply>,
    get: async (path: string) => {
      const data = orders[path.replace('/orders/', '')];
      if (data === undefined) throw new Refused('not-found', path, 404);
      return { data } as Partial<Reply>;
    },
  } as unknown as PatientClient;
  const progress = new Progress({ isTTY: false, write: () => {} });
  const imported = { orderIds: ['one', 'two'], position: 1n };
  return salesInStore(client, [orderOf('536365'), orderOf('536366')], imported, progress, 2);
}

describe('sales in the shop', () => {
  const equal = async (...asked: Parameters<typeof found>) =>
    compareSales((await found(...asked)).sales, file).every((row) => row.equal);

  it('are those of the read model where the orders are the import alone', async () => {
    expect(await equal(rowOf({ placed: 2, confirmed: 2 }, 6, '15.30'))).to.equal(true);
    expect(await equal(rowOf({ placed: 2, confirmed: 2 }, 6, '15.31'))).to.equal(false);
    expect(await equal(rowOf({ placed: 2, confirmed: 2 }, 5, '15.30'))).to.equal(false);
  });

  it('are without the orders that failed, which are named, however many others stand in for them', async () => {
    for (const others of [0, 1]) {
      const row = rowOf({ placed: 2 + others, confirmed: 1 + others, failed: 1 }, 6, '15.30');
      const { lost, sales } = await found(row, { one: confirmed, two: failed });
      expect(lost).to.deep.equal(['ORD-2010-00002 is failed (card_declined)']);
      expect(sales.get(key)).to.include({ orders: 1, units: 3, revenue: 765 });
      expect(compareSales(sales, file)[0]?.equal).to.equal(false);
    }
  });

  it('are not to be had where the read model lacks an order', async () => {
    const row = rowOf({ placed: 1, confirmed: 1 }, 6, '15.30');
    const fault = await found(row, { one: confirmed }).catch((error: unknown) => error);
    expect(fault).to.be.instanceOf(Refused);
  });
});
