import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Key, open } from 'lmdb';
import { projectFolder } from '../../test/support/titled-tests.js';
import { order, type PaymentFixture, startPaymentFixture } from './payment-fixture.js';

const golden = join(projectFolder(), 'embedded/payment-provider/golden-format-1.json');

describe('data of format 1', () => {
  let fixture: PaymentFixture;

  beforeEach(async () => {
    fixture = await startPaymentFixture();
    await fixture.provider.close();
    const db = open<unknown, Key>({ path: join(fixture.dataDir, 'ledger.lmdb'), encoding: 'json' });
    db.clearSync();
    for (const [key, value] of JSON.parse(readFileSync(golden, 'utf8')) as [Key, unknown][]) db.putSync(key, value);
    await db.close();
    await fixture.start();
  });
  afterEach(() => fixture.close());

  it('are opened with all their money, and go on', async () => {
    const { captures, refunds, totals } = await fixture.ledger();
    expect([captures.length, refunds.length]).to.deep.equal([1, 1]);
    expect(totals).to.deep.equal({ usd: { captured: 2999, refunded: 1000, captures: 1, refunds: 1 } });
    const again = await fixture.stripe.paymentIntents.create(order, { idempotencyKey: 'order-7-1' });
    expect([again.id, again.status]).to.deep.equal([captures[0].payment_intent, 'succeeded']);
    const rest = await fixture.stripe.refunds.create({ payment_intent: again.id });
    expect(rest.amount).to.equal(1999);
    await fixture.restart();
    expect((await fixture.ledger()).totals.usd.refunded).to.equal(2999);
  });

  it('show what is open', async () => {
    const page = await (await fixture.raw('/ledger.html')).text();
    expect(page).to.match(/Open payment intents \(2\)/);
    expect(page).to.include('lost_card').and.to.include('requires_confirmation').and.not.to.include('canceled');
    expect(page).to.match(/Webhooks not delivered \(1\)/);
  });
});
