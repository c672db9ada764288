import { expect } from 'chai';
import { newId } from '../../runtime/ids.js';
import { orderBody, type StockedProduct, stockShop } from '../support/catalogue.js';
import { eventually } from '../support/eventually.js';
import { type Answer, startTestShop, type TestShop } from '../support/shop.js';

describe('what an importer tells', () => {
  let shop: TestShop;
  let importer: string;
  let products: StockedProduct[];

  before(async () => {
    shop = await startTestShop();
    ({ products } = await stockShop(shop, [
      { price: 10, stock: 5_000 },
      { price: 20, stock: 5_000 },
    ]));
    ({ token: importer } = await shop.logIn(['importer']));
  });
  after(() => shop.close());

  const post = (path: string, body: unknown, key = newId(), token = importer): Promise<Answer> =>
    shop.call('POST', `/api/v1${path}`, body, { token, headers: { 'idempotency-key': key } });
  const storedOf = async (type: string, field: string, value: unknown) =>
    (await shop.events()).filter((event) => event.type === type && event.data[field] === value);

  describe('of a user', () => {
    it('makes one who has nothing to log in with, and seals name and address', async () => {
      const external_id = newId();
      const answer = await post('/users', { external_id, name: 'Grace Example', email: 'grace@example.com' });
      expect([answer.status, answer.body.data.external_id]).to.deep.equal([201, external_id]);
      const [created, ...more] = await storedOf('user.created', 'external_id', external_id);
      expect(more).to.deep.equal([]);
      expect(created?.data).to.deep.include({ email_hmac: null, roles: ['customer'] });
      expect(JSON.stringify(created?.data)).not.to.match(/Grace|grace/);
    });

    it('meets the same user under every key, and under many at once', async () => {
      const external_id = newId();
      const answers = await Promise.all([1, 2, 3, 4].map(() => post('/users', { external_id })));
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 200, 200, 201]);
      await shop.restartCommandApi();
      answers.push(await post('/users', { external_id, name: 'Another' }));
      expect(new Set(answers.map(({ body }) => body.data.user_id)).size).to.equal(1);
      expect(await storedOf('user.created', 'external_id', external_id)).to.have.length(1);
    });

    it('is refused with what it does not take, and from others', async () => {
      for (const body of [
        {},
        { external_id: '' },
        { external_id: 'a\u0000b' },
        { external_id: 'x', roles: ['admin'] },
      ]) {
        expect((await post('/users', body)).body.code).to.equal('validation-failed');
      }
      const { token } = await shop.logIn(['customer', 'seller']);
      expect((await post('/users', { external_id: 'x' }, newId(), token)).status).to.equal(403);
    });
  });

  describe('of an order', () => {
    const invoice = (change: object = {}) => ({
      channel: 'import',
      external_reference: newId(),
      placed_at: '2010-12-01T08:26:00Z',
      user_id: null,
      currency: 'GBP',
      items: [{ ...products[0], quantity: 2, price: '2.55' }],
      payment_method: 'pm_card_visa',
      shipping_address: { country: 'GB' },
      ...change,
    });
    const ended = async (orderId: string) => {
      const flow = () => shop.flowOf(orderId);
      await eventually('the order to end', async () => (await flow()).some(({ type }) => type === 'fulfilment.ended'));
      return flow();
    };

    it('takes its time, owner, reference and agreed prices, and ends confirmed', async () => {
      const user = await post('/users', { external_id: newId() });
      const body = invoice({ user_id: user.body.data.user_id, external_reference: '536365' });
      const answer = await post('/orders', body);
      expect(answer.status, JSON.stringify(answer.body)).to.equal(202);
      expect(answer.body.data.order_number).to.match(/^ORD-2010-/);
      expect(answer.body.data.total).to.equal(5.1);
      const [created, ...rest] = await ended(answer.body.data.order_id);
      expect(created?.data).to.deep.include({
        channel: 'import',
        external_reference: '536365',
        placed_at: '2010-12-01T08:26:00.000Z',
        user_id: body.user_id,
        total: 510,
      });
      expect(rest.map(({ type }) => type)).to.include('order.confirmed');
    });

    it("of a guest has the order's own key for personal data, and none where there are none", async () => {
      const named = await post('/orders', invoice({ shipping_address: { country: 'FR', name: 'Guest Example' } }));
      const orderId = named.body.data.order_id;
      const [created] = await storedOf('order.created', 'order_id', orderId);
      expect(created?.data['user_id']).to.equal(null);
      expect(created?.data['personal']).to.have.property('subject', `order:${orderId}`);
      const bare = await post('/orders', invoice());
      const [without] = await storedOf('order.created', 'order_id', bare.body.data.order_id);
      expect(without?.data).not.to.have.property('personal');
    });

    it('keeps several lines of one variant apart, and reserves their sum', async () => {
      const line = (quantity: number, price: string) => ({ ...products[1], quantity, price });
      const answer = await post('/orders', invoice({ items: [line(1, '1.00'), line(2, '0.90'), line(3, '1.00')] }));
      const flow = await ended(answer.body.data.order_id);
      expect(flow[0]?.data['items']).to.have.length(3);
      expect(flow[0]?.data['total']).to.equal(580);
      const reserved = flow.filter(({ type }) => type === 'inventory.reserved');
      expect(reserved.map(({ data }) => (data['reservations'] as { quantity: number }[])[0]?.quantity)).to.deep.equal([
        6,
      ]);
    });

    it('takes 1,114 lines', async () => {
      const items = Array.from({ length: 1_114 }, (_, i) => ({ ...products[i % 2], quantity: 1, price: '123.45' }));
      const answer = await post('/orders', invoice({ items }));
      expect([answer.status, answer.body.data?.total]).to.deep.equal([202, 137_523.3]);
      const flow = await ended(answer.body.data.order_id);
      expect(flow.some(({ type }) => type === 'order.confirmed')).to.equal(true);
    });

    it('sent again answers alike and writes nothing, not even a block of numbers, after a restart either', async () => {
      const body = invoice({ placed_at: '1999-06-01T00:00:00Z' });
      const key = newId();
      const first = await post('/orders', body, key);
      await ended(first.body.data.order_id);
      await shop.restartCommandApi();
      const before = (await shop.events()).length;
      for (let i = 0; i < 3; i += 1) {
        const again = await post('/orders', body, key);
        expect([again.status, again.body.data]).to.deep.equal([202, first.body.data]);
        expect(again.headers.get('idempotent-replayed')).to.equal('true');
      }
      const other = await post('/orders', { ...body, user_id: null, currency: 'EUR' }, key);
      expect([other.status, other.body.code]).to.deep.equal([422, 'idempotency-key-reused']);
      expect((await shop.events()).length).to.equal(before);
    });

    it('is not made a second time under another key', async () => {
      const body = invoice();
      const answers = await Promise.all([1, 2, 3].map(() => post('/orders', body)));
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([202, 409, 409]);
      await shop.restartCommandApi();
      const late = await post('/orders', body);
      expect([late.status, late.body.code]).to.deep.equal([409, 'order-already-exists']);
      expect(await storedOf('order.created', 'external_reference', body.external_reference)).to.have.length(1);
    });

    const refused: [string, () => object, number, string][] = [
      [
        'a price of three decimals',
        () => ({ items: [{ ...products[0], quantity: 1, price: 0.001 }] }),
        422,
        'price-precision',
      ],
      ['a negative price', () => ({ items: [{ ...products[0], quantity: 1, price: -1 }] }), 422, 'validation-failed'],
      ['a line without a price', () => ({ items: [{ ...products[0], quantity: 1 }] }), 422, 'validation-failed'],
      ['another currency', () => ({ currency: 'EUR' }), 422, 'currency-mismatch'],
      ['an unknown user', () => ({ user_id: newId() }), 404, 'user-not-found'],
      ['a time before 1970', () => ({ placed_at: '1969-12-31T23:59:59Z' }), 422, 'validation-failed'],
      ['a time with a zone', () => ({ placed_at: '2010-12-01T08:26:00+01:00' }), 422, 'validation-failed'],
      ['another channel', () => ({ channel: 'web' }), 422, 'validation-failed'],
      ['a number of its own choice', () => ({ order_number: 'ORD-2010-00001' }), 422, 'validation-failed'],
    ];
    for (const [name, change, status, code] of refused) {
      it(`with ${name} is refused`, async () => {
        const answer = await post('/orders', invoice(change()));
        expect([answer.status, answer.body.code]).to.deep.equal([status, code]);
      });
    }

    it('is for importers alone: neither customers nor admins may set what it sets', async () => {
      for (const role of ['customer', 'seller', 'admin'] as const) {
        const { token } = await shop.logIn([role]);
        expect((await post('/orders', invoice(), newId(), token)).status).to.equal(403);
        const items = [{ ...products[0], quantity: 1, price: 0.01 }];
        const dressed = await post('/orders', { ...orderBody(products), items }, newId(), token);
        expect([dressed.status, dressed.body.code]).to.deep.equal([422, 'validation-failed']);
      }
    });
  });
});
