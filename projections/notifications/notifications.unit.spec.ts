import { expect } from 'chai';
import type { Positioned } from '../../runtime/document-store/positioned.js';
import { foldDocuments } from '../fold-batch.js';
import type { Projection } from '../projection.js';
import { asRecorded, idFor, orderOf } from '../spec-histories.js';
import type { NotificationBody } from './document.js';
import { type NotificationEvent, notificationsProjection } from './notifications.js';

const order = orderOf('a');

type Inbox = ReadonlyMap<string, NotificationBody>;

/** The documents after a history that is cut into batches of a size. */
function given(events: readonly NotificationEvent[], batchSize = events.length): Inbox {
  const projection = notificationsProjection as unknown as Projection;
  const stored = new Map<string, Positioned>();
  const recorded = asRecorded(events);
  for (let from = 0; from < recorded.length; from += batchSize) {
    const touched = new Map<string, typeof recorded>();
    for (const event of recorded.slice(from, from + batchSize)) {
      for (const id of notificationsProjection.ids(event)) touched.set(id, [...(touched.get(id) ?? []), event]);
    }
    for (const document of foldDocuments(projection, stored, touched as never).documents) {
      stored.set(document._id, document);
    }
  }
  return stored as unknown as Inbox;
}

const kindsOf = (inbox: Inbox) => [...inbox.values()].map(({ kind }) => kind);
const news = (inbox: Inbox, kind: string) => inbox.get(`${order.order_id}:${kind}`);
const declined = (retryable: boolean): NotificationEvent => {
  const event = order.paymentFailed();
  return { ...event, data: { ...event.data, retryable } };
};
const changed = (event: NotificationEvent, changes: object): NotificationEvent =>
  ({ ...event, data: { ...event.data, ...changes } }) as NotificationEvent;

describe('the inbox', () => {
  it('says that an order was received, with what it comes to', () => {
    expect(news(given([order.created()]), 'order_received')).to.deep.include({
      user_id: order.user_id,
      kind: 'order_received',
      order_id: order.order_id,
      order_number: 'ORD-2026-00042',
      at: '2026-01-05T09:00:00.000Z',
      times: 1,
      amount: order.total,
      currency: 'GBP',
      reason: null,
    });
  });

  it('has an entry for each kind of news', () => {
    const whole = [
      order.created(),
      declined(true),
      order.confirmed(),
      order.shipped(),
      order.delivered(),
      order.paymentRefunded(),
    ];
    expect(kindsOf(given(whole))).to.deep.equal([
      'order_received',
      'payment_declined',
      'order_confirmed',
      'order_shipped',
      'order_delivered',
      'payment_refunded',
    ]);
    expect(kindsOf(given([order.failed()]))).to.deep.equal(['order_failed']);
    expect(kindsOf(given([order.cancelled()]))).to.deep.equal(['order_cancelled']);
  });

  it('asks for another card only while the order waits for one', () => {
    expect(news(given([declined(true)]), 'payment_declined')).to.deep.include({
      amount: order.total,
      reason: 'card_declined',
    });
    expect(kindsOf(given([declined(false), order.failed()]))).to.deep.equal(['order_failed']);
  });

  it('counts what happens again, and adds up what was given back', () => {
    const twice = given([declined(true), declined(true)]);
    expect(news(twice, 'payment_declined')).to.deep.include({ times: 2, at: '2026-01-05T09:00:01.000Z' });
    const parts = [300, 200].map((amount) => changed(order.paymentRefunded(), { amount }));
    expect(news(given(parts), 'payment_refunded')).to.deep.include({ times: 2, amount: 500 });
  });

  it('holds nothing of what a customer wrote', () => {
    expect(
      JSON.stringify([...given([order.cancelled()]).values()].map((body) => ({ ...body, position: 0 }))),
    ).to.not.include('Elm Road');
  });

  it('has nothing for guests and of imported orders', () => {
    const all = [order.created(), declined(true), order.confirmed(), order.shipped(), order.paymentRefunded()];
    expect(given(all.map((event) => changed(event, { user_id: null }))).size).to.equal(0);
    expect(given(all.map((event) => changed(event, { channel: 'import' }))).size).to.equal(0);
  });

  it('is the same however the log is cut into batches, and keeps orders apart', () => {
    const other = orderOf('b');
    const history = [
      order.created(),
      other.created(),
      declined(true),
      declined(true),
      other.failed(),
      order.confirmed(),
      order.shipped(),
      order.shipped(),
      order.paymentRefunded(),
    ];
    const whole = given(history);
    for (const size of [1, 2, 3, 5]) expect(given(history, size)).to.deep.equal(whole);
    expect([...whole.values()].filter(({ user_id }) => user_id === idFor('user', 'b'))).to.have.length(2);
  });

  it('is unchanged by events it has seen', () => {
    const projection = notificationsProjection as unknown as Projection;
    const recorded = asRecorded([declined(true), declined(true)]);
    const id = `${order.order_id}:payment_declined`;
    const first = foldDocuments(projection, new Map(), new Map([[id, recorded]]) as never).documents;
    const again = foldDocuments(projection, new Map([[id, first[0]]]) as never, new Map([[id, recorded]]) as never);
    expect(again.documents).to.deep.equal([]);
  });
});
