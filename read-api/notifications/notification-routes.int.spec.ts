import { expect } from 'chai';
import { type NotificationDocument, notificationsModel } from '../../projections/notifications/document.js';
import { ensureIndexes, readModelId } from '../../runtime/document-store/read-model.js';
import { alice, bob, idOfNumber, notificationDocument } from '../spec-documents.js';
import { startReadSide } from '../spec-server.js';

const user = (userId: string, ...roles: string[]) => ({ userId, roles: ['customer', ...roles] });

interface Listed {
  notifications: Record<string, unknown>[];
  next_cursor: string | null;
}

const minute = (number: number) => new Date(Date.UTC(2026, 0, 5, 9, number)).toISOString();

describe('notifications over HTTP', function () {
  this.timeout(20_000);
  let side: Awaited<ReturnType<typeof startReadSide>>;

  before(async () => {
    side = await startReadSide();
    await ensureIndexes(side.db, notificationsModel);
    await side.db.collection<NotificationDocument>(readModelId(notificationsModel)).insertMany([
      notificationDocument(10, 'order_received', { at: minute(1) }),
      notificationDocument(10, 'payment_declined', { at: minute(2), reason: 'card_declined', times: 2 }),
      // at the same moment
      notificationDocument(11, 'order_received', { at: minute(2) }),
      notificationDocument(10, 'order_failed', { at: minute(3), amount: null, reason: 'card_declined' }),
      notificationDocument(20, 'order_received', { at: minute(1), user_id: bob }),
      notificationDocument(20, 'order_confirmed', { at: minute(9), user_id: bob }),
    ]);
  });
  after(() => side.close());

  const list = async (query = '', caller = user(alice)) => {
    const { status, data } = await side.get(`/notifications${query}`, caller);
    expect(status).to.equal(200);
    return data as Listed;
  };
  const ids = ({ notifications }: Listed) => notifications.map(({ notification_id }) => notification_id);

  it('are shown to their owner, latest first, with decimal amounts and nothing internal', async () => {
    const found = await list();
    expect(ids(found)).to.deep.equal([
      `${idOfNumber(10)}:order_failed`,
      `${idOfNumber(11)}:order_received`,
      `${idOfNumber(10)}:payment_declined`,
      `${idOfNumber(10)}:order_received`,
    ]);
    expect(found.notifications[2]).to.deep.equal({
      notification_id: `${idOfNumber(10)}:payment_declined`,
      kind: 'payment_declined',
      order_id: idOfNumber(10),
      order_number: 'ORD-2026-00010',
      at: '2026-01-05T09:02:00.000Z',
      times: 2,
      amount: 25.95,
      currency: 'GBP',
      reason: 'card_declined',
    });
    expect(found.notifications[0]).to.deep.include({ amount: null, currency: null });
  });

  it('are shown to nobody else, whatever their role', async () => {
    expect(ids(await list('', user(bob)))).to.deep.equal([
      `${idOfNumber(20)}:order_confirmed`,
      `${idOfNumber(20)}:order_received`,
    ]);
    expect(ids(await list('', user(idOfNumber(2_000), 'admin', 'support', 'auditor')))).to.deep.equal([]);
    expect(await side.get('/notifications', 'anonymous')).to.deep.include({ status: 401, code: 'unauthenticated' });
  });

  it('are not reached through another’s cursor', async () => {
    const { next_cursor } = await list('?limit=1', user(bob));
    const found = await list(`?cursor=${next_cursor}`);
    for (const { order_id } of found.notifications) expect(order_id).to.not.equal(idOfNumber(20));
  });

  it('are narrowed to a kind', async () => {
    expect(ids(await list('?kind=order_received'))).to.deep.equal([
      `${idOfNumber(11)}:order_received`,
      `${idOfNumber(10)}:order_received`,
    ]);
  });

  for (const query of ['', 'kind=order_received&']) {
    it(`are paged with ?${query}`, async () => {
      const whole = ids(await list(`?${query}`));
      const found: unknown[] = [];
      let after: string | null = '';
      while (after !== null) {
        const page = await list(`?${query}limit=1${after === '' ? '' : `&cursor=${after}`}`);
        found.push(...ids(page));
        after = page.next_cursor;
      }
      expect(found).to.deep.equal(whole);
    });
  }

  it('wait for what the caller wrote, and say so when it takes too long', async () => {
    const headers = { 'x-consistency-token': '99', 'x-consistency-wait': '20' };
    expect(await side.get('/notifications', user(alice), headers)).to.deep.include({
      status: 504,
      code: 'consistency-timeout',
    });
  });

  const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  for (const query of [
    'kind=order_paid',
    'kind[$ne]=order_paid',
    `user_id=${bob}`,
    'limit=0',
    'limit=101',
    'cursor=x',
    '__proto__=1',
    `cursor=${made(['2026-01-05T09:00:00.000Z', { $gt: '' }])}`,
    `cursor=${made([{ $gt: '' }, 'x'])}`,
  ]) {
    it(`are refused with ?${query}`, async () => {
      expect(await side.get(`/notifications?${query}`, user(alice))).to.deep.include({
        status: 422,
        code: 'validation-failed',
      });
    });
  }
});
