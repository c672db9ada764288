import { expect } from 'chai';
import { Long } from 'mongodb';
import { newId } from '../../runtime/ids.js';
import { orderBody, type StockedProduct, stockShop } from '../../test/support/catalogue.js';
import { entryPoint } from '../../test/support/entry-point.js';
import { eventually } from '../../test/support/eventually.js';
import { startTestShop, type TestShop } from '../../test/support/shop.js';
import { runEntry } from '../../test/support/spawn-entry.js';
import type { AuditReport } from './audit.js';

describe('an audit of a shop that has sold', function () {
  this.timeout(60_000);
  let shop: TestShop;
  let products: StockedProduct[];
  let orderId: string;

  const firstOf = ({ findings }: AuditReport, wanted: string) => findings.find(({ id }) => id === wanted)?.first;
  const place = async (token: string, payment_method = 'pm_card_visa'): Promise<string> => {
    const headers = { 'idempotency-key': newId() };
    const placed = await shop.call('POST', '/api/v1/orders', orderBody(products, 2, payment_method), {
      token,
      headers,
    });
    return placed.body.data.order_id;
  };
  const command = () =>
    runEntry(
      entryPoint(import.meta.url, '../main'),
      [
        ['audit', '--event-store', shop.eventStoreUrl, '--mongodb', shop.documentStore.url, '--database', 'shop'],
        ['--provider', shop.providerUrl],
      ].flat(),
      { env: { PAYMENT_SECRET_KEY: shop.providerKey } },
    );

  before(async () => {
    shop = await startTestShop();
    ({ products } = await stockShop(shop, [
      { price: 10, stock: 100 },
      { price: 5, stock: 100 },
    ]));
    const { token } = await shop.logIn();
    orderId = await place(token);
    await place(token, 'pm_card_chargeDeclinedLostCard');
    await eventually(
      'both orders to end',
      async () => (await shop.events()).filter(({ type }) => type === 'fulfilment.ended').length === 2,
    );
  });
  after(() => shop.close());

  it('is clean, counts what it looked at and ends with 0', async () => {
    const { code, stdout } = await command();
    expect(stdout).to.match(/^I1 {2}holds: .*\n {4}\d+ prefixes, 2 variants\n/);
    expect(stdout).to.match(/^I3 {2}holds: .*\n {4}1 confirmed, 1 failed, 0 cancelled, 0 open, 0 owed\n/m);
    expect(stdout).to.match(/\nclean: \d+ events up to position \d+/);
    expect(code).to.equal(0);
  });

  it('names a document that was changed, its field, and ends with 1', async () => {
    const orders = shop.documentStore.db.collection<{ _id: string }>('orders-v1');
    const before = await orders.findOneAndUpdate({ _id: orderId }, { $set: { 'items.1.quantity': 3 } });
    const { code, stdout } = await command();
    expect(stdout).to.match(/^I9 {2}VIOLATED 1 times/m);
    expect(stdout).to.contain(`first: orders-v1 ${orderId}, items.1.quantity: expected 2; seen: 3`);
    expect(code).to.equal(1);
    if (before !== null) await orders.replaceOne({ _id: orderId }, before);
    expect((await shop.audit()).clean).to.equal(true);
  });

  it('names a document that is gone, one that nobody made, and figures that do not add up', async () => {
    const { db } = shop.documentStore;
    const orders = db.collection<{ _id: string }>('orders-v1');
    const gone = await orders.findOneAndDelete({ _id: orderId });
    expect(firstOf(await shop.audit(), 'I9')).to.include({ where: `orders-v1 ${orderId}`, seen: 'none' });
    if (gone !== null) await orders.insertOne({ ...gone, _id: 'nobody' });
    expect(firstOf(await shop.audit(), 'I9')?.where).to.equal('orders-v1 nobody');
    await orders.deleteOne({ _id: 'nobody' });
    if (gone !== null) await orders.insertOne(gone);
    const sales = db.collection('analytics-sales-v1');
    await sales.updateOne({}, { $inc: { captured: Long.fromNumber(1) } });
    expect(firstOf(await shop.audit(), 'I5')?.where).to.contain('analytics, GBP captured');
    await sales.updateOne({}, { $inc: { captured: Long.fromNumber(-1) } });
    expect((await shop.audit()).clean).to.equal(true);
  });

  it('names money that the provider took and the log never heard of', async () => {
    const intent = new URLSearchParams({
      amount: '700',
      currency: 'gbp',
      payment_method: 'pm_card_visa',
      confirm: 'true',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
      'metadata[order_id]': orderId,
    });
    const headers = { authorization: `Bearer ${shop.providerKey}` };
    const taken = await fetch(`${shop.providerUrl}/v1/payment_intents`, { method: 'POST', headers, body: intent });
    expect(taken.status).to.equal(200);
    const report = await shop.audit();
    expect(firstOf(report, 'I3')?.seen).to.equal('3700 GBP at the provider');
    expect(firstOf(report, 'I4')).to.include({ expected: 'one payment kept' });
    expect(firstOf(report, 'I5')?.seen).to.match(/^pi_\S+ at the provider/);
    expect(report.clean).to.equal(false);
  });

  it('names stock that was sold without being there', async () => {
    const { eventLog } = shop.writeSide;
    const stream = `inventory-${products[0]?.variant_id}`;
    const last = await eventLog.readLast(stream);
    if (last === undefined) throw new Error('the variant has no stream');
    const received = (await shop.events()).find(({ type }) => type === 'inventory.received');
    const data = { ...received?.data, variant_id: products[0]?.variant_id, available: 10_096, quantity: 1 };
    const { hash: _, ...metadata } = last.metadata;
    // What came in is 10,000 less than the event says is left.
    const forged = { id: newId(), type: 'inventory.received', data, metadata };
    await eventLog.append(stream, [forged], last.revision);
    const report = await shop.audit();
    expect(firstOf(report, 'I1')?.where).to.contain(`${stream} revision ${last.revision + 1n}`);
    expect(firstOf(report, 'I1')?.seen).to.equal('available 10096');
    expect(report.clean).to.equal(false);
  });

  it('says which event cannot be read', async () => {
    const { eventLog } = shop.writeSide;
    const stream = `order-${newId()}`;
    await eventLog.append(stream, [{ id: newId(), type: 'order.paid', data: {}, metadata: {} }], 'no-stream');
    const { hindrances } = await shop.audit({ waitMs: 1_000 });
    expect(hindrances.join()).to.contain(`${stream} revision 0`);
  });
});
