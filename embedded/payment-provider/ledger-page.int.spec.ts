import { expect } from 'chai';
import { order, type PaymentFixture, refused, secretKey, startPaymentFixture } from './payment-fixture.js';

describe('the page of the ledger', () => {
  let fixture: PaymentFixture;

  beforeEach(async () => {
    // Nothing listens at the discard port.
    fixture = await startPaymentFixture({ url: 'http://127.0.0.1:9/', secret: 'whsec_0123456789abcdef' });
  });
  afterEach(() => fixture.close());

  const page = async (path = '/') => {
    const answer = await fixture.raw(path);
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };

  it('shows captures, refunds, totals, and what is open', async () => {
    const paid = await fixture.stripe.paymentIntents.create(order);
    const refund = await fixture.stripe.refunds.create({ payment_intent: paid.id, amount: 1000 });
    const yen = await fixture.stripe.paymentIntents.create({ ...order, amount: 1234567, currency: 'jpy' });
    const open = await fixture.stripe.paymentIntents.create({ ...order, payment_method: 'pm_card_lateSuccess_900s' });
    const { text, status } = await page('/ledger.html');
    expect(status).to.equal(200);
    for (const shown of [paid.id, refund.id, yen.id, open.id, '29.99 USD', '10.00 USD', '19.99 USD', '1,234,567 JPY']) {
      expect(text).to.include(shown);
    }
    expect(text).to.include('Open payment intents (1)').and.to.include('Charges still to be settled (1)');
    expect(text).to.match(/Webhooks not delivered \(4\)/);
    expect((await page('/')).text).to.include(paid.id);
  });

  it('shows no more than the latest', async () => {
    await Promise.all(Array.from({ length: 101 }, () => fixture.stripe.paymentIntents.create(order)));
    const [first, second] = (await fixture.ledger()).captures as { payment_intent: string }[];
    const { text } = await page();
    expect(text).to.include(second?.payment_intent).and.not.to.include(first?.payment_intent);
  });

  it('runs nothing that a client sent, and asks no other server', async () => {
    const evil = `<script>alert('"&')</script>`;
    await fixture.stripe.paymentIntents.create({ ...order, metadata: { [`<b>${'k'}`]: evil } });
    await refused(fixture.stripe.paymentIntents.create({ ...order, payment_method: evil }));
    const { text, headers } = await page();
    expect(text).to.include('&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;');
    expect(text).not.to.match(/<script|<b>|<img|<link|src=|https?:/);
    expect(headers.get('content-security-policy')).to.match(/^default-src 'none'; style-src 'sha256-/);
    expect(headers.get('content-type')).to.equal('text/html; charset=utf-8');
  });

  it('is for those who have the key, which a browser asks for', async () => {
    const { url } = fixture.provider;
    for (const path of ['/', '/ledger.html', '/ledger']) {
      const answer = await fetch(`${url}${path}`);
      expect(answer.status).to.equal(401);
      expect(answer.headers.get('www-authenticate')).to.match(/^Basic realm=/);
    }
    const authorization = `Basic ${Buffer.from(`${secretKey}:`).toString('base64')}`;
    expect((await fetch(`${url}/`, { headers: { authorization } })).status).to.equal(200);
  });

  it('loads itself anew when it is asked to', async () => {
    expect((await page('/?refresh=5')).text).to.include('<meta http-equiv="refresh" content="5">');
    expect((await page()).text).not.to.include('http-equiv');
    for (const wrong of ['refresh=0', 'refresh=%3Cb%3E', 'refresh=3601', 'other=1']) {
      expect((await page(`/?${wrong}`)).status).to.equal(400);
    }
  });
});
