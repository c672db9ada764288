import { expect } from 'chai';
import { type OrderDocument, ordersModel } from '../../projections/orders/document.js';
import { ensureIndexes } from '../../runtime/document-store/read-model.js';
import type { Caller } from '../../runtime/http/internal-token.js';
import { alice, bob, idOfNumber, orderDocument } from '../spec-documents.js';
import { startReadSide } from '../spec-server.js';

interface Listed {
  orders: Record<string, unknown>[];
  next_cursor: string | null;
}

const customer: Caller = { userId: alice, roles: ['customer'] };
const other: Caller = { userId: bob, roles: ['customer', 'seller'] };
const auditor: Caller = { userId: idOfNumber(3), roles: ['auditor'] };
const sealed = { subject: `user:${alice}`, fields: { name: 'v1.n', address_line1: 'v1.a', city: 'v1.c' } };

describe('orders over HTTP', function () {
  this.timeout(20_000);
  let side: Awaited<ReturnType<typeof startReadSide>>;
  let erased = false;

  before(async () => {
    side = await startReadSide(async ({ fields }) => {
      if (erased) return undefined;
      return Object.fromEntries(Object.keys(fields).map((field) => [field, `open ${field}`]));
    });
    await ensureIndexes(side.db, ordersModel);
    await side.db.collection<OrderDocument>('orders-v1').insertMany([
      orderDocument(10, { personal: sealed }),
      orderDocument(11, { status: 'failed', failure: { stage: 'payment', reason: 'card_declined' } }),
      orderDocument(12),
      orderDocument(13, { user_id: bob }),
      orderDocument(14, { user_id: null }),
      // Placed at the very same moment as 12.
      orderDocument(15, { placed_at: orderDocument(12).placed_at }),
      orderDocument(16, { user_id: bob, currency: 'JPY', total: 2_595 }),
    ]);
  });
  after(async () => {
    await side.close();
  });

  const list = async (caller: Caller, query = '') => {
    const { status, data } = await side.get(`/orders${query}`, caller);
    expect(status).to.equal(200);
    return data as Listed;
  };
  const numbers = ({ orders }: Listed) => orders.map(({ order_id }) => Number(String(order_id).slice(-12)));

  it('are listed newest first, a customer sees only her own', async () => {
    expect(numbers(await list(customer))).to.deep.equal([15, 12, 11, 10]);
    expect(numbers(await list(other))).to.deep.equal([16, 13]);
  });

  it('show amounts as decimals of their currency, and no personal field in a list', async () => {
    const [yen] = (await list(other)).orders;
    expect(yen).to.deep.include({ currency: 'JPY', total: 2_595 });
    const [, pounds] = (await list(other)).orders;
    expect(pounds).to.deep.include({ currency: 'GBP', total: 25.95, shipping: 4.95, item_total: 21 });
    expect(pounds).to.not.have.any.keys('personal', 'shipping_address', 'items', 'timeline', '_id', 'position');
  });

  it('are filtered by status', async () => {
    expect(numbers(await list(customer, '?status=failed'))).to.deep.equal([11]);
    expect(numbers(await list(customer, '?status=pending'))).to.deep.equal([]);
  });

  it('are paged without gap or repeat, at equal times too', async () => {
    const seen: number[] = [];
    let query = '?limit=1';
    for (let page = 0; page < 4; page += 1) {
      const listed = await list(customer, query);
      seen.push(...numbers(listed));
      expect(listed.next_cursor === null).to.equal(page === 3);
      query = `?limit=1&cursor=${listed.next_cursor}`;
    }
    expect(seen).to.deep.equal([15, 12, 11, 10]);
  });

  it('are all there for admin, support and auditor, guests included, and by user', async () => {
    for (const role of ['admin', 'support', 'auditor']) {
      expect(numbers(await list({ userId: bob, roles: [role] }))).to.deep.equal([16, 14, 13, 15, 12, 11, 10]);
    }
    expect(numbers(await list(auditor, `?user_id=${bob}`))).to.deep.equal([16, 13]);
  });

  it("of another are not to be had: 403 for the list, 404 for the order as if it weren't there", async () => {
    expect(await side.get(`/orders?user_id=${bob}`, customer)).to.deep.include({ status: 403, code: 'forbidden' });
    expect(await list(customer, `?user_id=${alice}`))
      .to.have.property('orders')
      .with.length(4);
    for (const id of [idOfNumber(13), idOfNumber(14), idOfNumber(999), 'not-an-id', '%00']) {
      expect(await side.get(`/orders/${id}`, customer)).to.deep.include({ status: 404, code: 'not-found' });
    }
  });

  it('are shown in full to their owner, with address and timeline', async () => {
    const { status, data } = await side.get(`/orders/${idOfNumber(10)}`, customer);
    expect(status).to.equal(200);
    expect(data).to.deep.include({
      order_id: idOfNumber(10),
      order_number: 'ORD-2026-00010',
      status: 'confirmed',
      total: 25.95,
      email: null,
      name: 'open name',
      shipping_address: { address_line1: 'open address_line1', city: 'open city', country: 'GB' },
    });
    const { items, timeline } = data as { items: unknown[]; timeline: unknown[] };
    expect(items[0]).to.deep.include({ sku: 'MUG-1', quantity: 2, price: 10.5, amount: 21 });
    expect(timeline[0]).to.deep.include({
      type: 'order.created',
      facts: { channel: 'web', lines: 1, amount: 25.95 },
    });
    expect(JSON.stringify(data)).not.to.contain('v1.');
  });

  it('that were imported are opened by an importer too, without personal fields, and no others', async () => {
    const orders = side.db.collection<OrderDocument>('orders-v1');
    const imported = orderDocument(17, { channel: 'import', user_id: bob, personal: sealed });
    await orders.insertOne(imported);
    const importer: Caller = { userId: idOfNumber(4), roles: ['importer'] };
    const { status, data } = await side.get(`/orders/${imported._id}`, importer);
    expect(status).to.equal(200);
    expect(data).to.include({ order_id: imported._id, channel: 'import' }).and.not.have.any.keys('name', 'email');
    expect((await side.get(`/orders/${idOfNumber(10)}`, importer)).status).to.equal(404);
    expect((await side.get(`/orders/${imported._id}`, customer)).status).to.equal(404);
    expect(numbers(await list(importer))).to.deep.equal([]);
    await orders.deleteOne({ _id: imported._id });
  });

  it('are found by an id in capitals', async () => {
    expect((await side.get(`/orders/${idOfNumber(10).toUpperCase()}`, customer)).status).to.equal(200);
  });

  it('show no personal field to others, nor after erasure', async () => {
    const { data } = await side.get(`/orders/${idOfNumber(10)}`, auditor);
    expect(data)
      .to.include({ order_id: idOfNumber(10) })
      .and.not.have.any.keys('name', 'email', 'shipping_address');
    expect(JSON.stringify(data)).not.to.contain('v1.');
    erased = true;
    const after = await side.get(`/orders/${idOfNumber(10)}`, customer);
    erased = false;
    expect(after.data).to.deep.include({ name: null, email: null, shipping_address: null, total: 25.95 });
  });

  it('are for those who are logged in, through the gateway', async () => {
    for (const path of ['/orders', `/orders/${idOfNumber(10)}`]) {
      expect(await side.get(path, 'anonymous')).to.deep.include({ status: 401, code: 'unauthenticated' });
      const bare = await fetch(`${side.url}${path}`, { headers: { 'x-user-id': alice } });
      expect(bare.status).to.equal(401);
      const forged = await fetch(`${side.url}${path}`, { headers: { 'x-internal-token': 'a.b.c' } });
      expect(forged.status).to.equal(401);
    }
  });

  for (const query of [
    'status[$ne]=failed',
    'status=shiny',
    'status=failed&status=paid',
    'limit=0',
    'limit=101',
    'limit=-1',
    'limit=1e1',
    'limit=',
    'offset=5',
    'user_id[$gt]=',
    'user_id=everybody',
    'cursor=abc',
    `cursor=${Buffer.from('[{"$gt":""},"x"]').toString('base64url')}`,
    `cursor=${Buffer.from(`["2026-01-05T09:00:00Z",{"$gt":""}]`).toString('base64url')}`,
    '$where=1',
    '__proto__=1',
  ]) {
    it(`are refused with ?${query}`, async () => {
      expect(await side.get(`/orders?${query}`, customer)).to.deep.include({ status: 422, code: 'validation-failed' });
    });
  }

  it('refuse keys on a single order', async () => {
    expect((await side.get(`/orders/${idOfNumber(10)}?user_id=${bob}`, customer)).status).to.equal(422);
  });
});
