import { expect } from 'chai';
import { eventCatalog } from '../../domain/event-catalog.js';
import { refundId } from '../../domain/payment/payment-events.js';
import { deriveId } from '../../runtime/ids.js';
import { asRecorded, orderOf } from '../spec-histories.js';
import { confirmedOrder, declinedOrder } from '../spec-stories.js';
import type { OrderBody } from './document.js';
import type { OrderModelEvent } from './order-model-events.js';
import { ordersProjection } from './orders.js';
import { timelineLimit } from './timeline.js';

const order = orderOf('a');

function folded(...events: readonly OrderModelEvent[]): OrderBody | undefined {
  let document: OrderBody | undefined;
  for (const event of asRecorded(events)) document = ordersProjection.evolve(document, event, event.data.order_id);
  return document;
}

function given(...events: readonly OrderModelEvent[]): OrderBody {
  const document = folded(...events);
  if (document === undefined) throw new Error('there is no document');
  return document;
}

function withoutKey({ provider_key: _, ...data }: ReturnType<typeof order.refundRequested>['data']) {
  return data;
}

const handled = (events: readonly { type: string }[]) =>
  events.filter((event): event is OrderModelEvent => ordersProjection.types.has(event.type));

describe('the orders read model', () => {
  it('starts pending, with lines, amounts and keys of order.created', () => {
    const document = given(order.created());
    expect(document).to.deep.include({
      order_number: 'ORD-2026-00042',
      user_id: order.user_id,
      status: 'pending',
      channel: 'web',
      placed_at: '2026-01-05T09:00:00.000Z',
      country: 'GB',
      currency: 'GBP',
      item_total: 2_000,
      shipping: 495,
      total: 2_495,
      refunded: 0,
      personal: null,
      payment: null,
      failure: null,
    });
    expect(document.items).to.have.length(2);
    expect(document.items[0]).to.deep.equal({ ...order.items[0], shipped: 0, delivered: 0 });
    expect(document.timeline).to.deep.equal([
      {
        type: 'order.created',
        event_id: asRecorded([order.created()])[0]?.eventId,
        occurred_at: '2026-01-05T09:00:00.000Z',
        recorded_at: '2026-01-05T09:00:00.005Z',
        facts: { channel: 'web', lines: 2, amount: 2_495 },
      },
    ]);
  });

  it('keeps personal fields sealed, and the payment token out', () => {
    const personal = { subject: `user:${order.user_id}`, fields: { name: 'v1.sealed' } };
    const document = given(order.created({ personal }));
    expect(document.personal).to.deep.equal(personal);
    expect(JSON.stringify(document)).not.to.contain('pm_card_visa');
  });

  it('goes pending, reserved, paid, confirmed, shipped, delivered', () => {
    const steps: readonly OrderModelEvent[] = [
      order.created(),
      order.paymentInitiated(),
      order.started(),
      order.paymentSucceeded(),
      order.paid(),
      order.confirmed(),
      order.ended(),
      order.shipped(),
      order.delivered(),
    ];
    const statuses = steps.map((_, index) => given(...steps.slice(0, index + 1)).status);
    expect(statuses).to.deep.equal([
      'pending',
      'reserved',
      'reserved',
      'reserved',
      'paid',
      'confirmed',
      'confirmed',
      'shipped',
      'delivered',
    ]);
    expect(given(...steps).timeline.map(({ type }) => type)).to.deep.equal(steps.map(({ type }) => type));
  });

  it('leaves reserved stock out of the timeline, and takes up the failures', () => {
    expect(handled(confirmedOrder('a')).map(({ type }) => type)).not.to.include('inventory.reserved');
    const document = given(order.created(), order.reservationFailed(1), order.failed('reserving', 'stock'));
    expect(document.timeline[1]).to.deep.include({ type: 'inventory.reservation.failed' });
    expect(document.timeline[1]?.facts).to.deep.include({ requested: 2, available: 1, reason: 'insufficient_stock' });
  });

  it('is not ended by a failed payment: a second attempt can go through', () => {
    const tried = [order.created(), order.paymentInitiated(1), order.paymentFailed(1)];
    expect(given(...tried).status).to.equal('reserved');
    expect(given(...tried).payment).to.deep.include({ status: 'failed', attempts: 1, reason: 'card_declined' });
    const again = given(...tried, order.paymentInitiated(2), order.paymentSucceeded(2), order.paid());
    expect(again.status).to.equal('paid');
    expect(again.payment).to.deep.equal({
      payment_id: order.payment_id,
      attempts: 2,
      status: 'succeeded',
      reason: null,
    });
  });

  it('is told nothing by a late failure of an earlier attempt', () => {
    const document = given(
      order.created(),
      order.paymentInitiated(1),
      order.paymentInitiated(2),
      order.paymentSucceeded(2),
      order.paymentFailed(1),
    );
    expect(document.payment).to.deep.include({ status: 'succeeded', attempts: 2 });
    expect(document.timeline).to.have.length(5);
  });

  it('shows the payment as it stands while money of an earlier attempt goes back', () => {
    const { order_id } = order;
    const stray = { refund_id: refundId(order_id, 1, deriveId) };
    const requested = { ...order.refundRequested().data, ...stray };
    const goesBack: readonly OrderModelEvent[] = [
      order.paymentSucceeded(1),
      { type: 'payment.refund_requested', data: requested },
      { type: 'payment.refund_failed', data: withoutKey(requested) },
      { type: 'payment.refunded', data: { ...order.paymentRefunded().data, ...stray } },
    ];
    const tried = [order.created(), order.paymentInitiated(1), order.paymentFailed(1), order.paymentInitiated(2)];
    const paid = [...tried, order.paymentSucceeded(2), order.paid(), order.confirmed()];
    for (let told = 1; told <= goesBack.length; told += 1) {
      const late = goesBack.slice(0, told);
      expect(given(...tried, ...late).payment).to.deep.include({ status: 'initiated', attempts: 2 });
      const document = given(...paid, ...late);
      expect(document.status).to.equal('confirmed');
      expect(document.payment).to.deep.include({ status: 'succeeded', attempts: 2, reason: null });
      expect(document.timeline).to.have.length(paid.length + told);
    }
    const own = { refund_id: refundId(order_id, 2, deriveId) };
    const refunded = { ...order.paymentRefunded().data, ...own };
    expect(given(...paid, { type: 'payment.refunded', data: refunded }).payment?.status).to.equal('refunded');
  });

  it('ends failed by order.failed, with stage and reason', () => {
    const document = given(...handled(declinedOrder('a')));
    expect(document.status).to.equal('failed');
    expect(document.failure).to.deep.equal({ stage: 'payment', reason: 'card_declined' });
  });

  for (const [status, end] of [
    ['failed', order.failed()],
    ['cancelled', order.cancelled()],
  ] as const) {
    it(`stays ${status}, whatever comes late`, () => {
      const late = [
        order.paymentInitiated(2),
        order.paymentSucceeded(2),
        order.paid(),
        order.confirmed(),
        order.shipped(),
        order.delivered(),
        order.refundRequested(),
        order.paymentRefunded(),
        order.refunded(),
        order.cancelled(),
        order.failed(),
      ];
      const document = given(order.created(), order.paymentInitiated(1), end, ...late);
      expect(document.status).to.equal(status);
      expect(document.timeline).to.have.length(3 + late.length);
      expect(document.payment).to.deep.include({ status: 'refunded', attempts: 2 });
    });
  }

  it('does not go back from confirmed to reserved or paid', () => {
    const confirmed = [order.created(), order.paymentInitiated(), order.paid(), order.confirmed()];
    expect(given(...confirmed, order.paymentInitiated(2), order.paid()).status).to.equal('confirmed');
  });

  it('is shipped from the first parcel on, and delivered with the last', () => {
    const confirmed = [order.created(), order.paymentInitiated(), order.paid(), order.confirmed()];
    const first = [{ line: 1, quantity: 2 }];
    const second = [{ line: 2, quantity: 2 }];
    const partly = [...confirmed, order.shipped(first), order.delivered(first)];
    expect(given(...partly).status).to.equal('shipped');
    expect(given(...partly).items.map(({ shipped, delivered }) => [shipped, delivered])).to.deep.equal([
      [2, 2],
      [0, 0],
    ]);
    expect(given(...partly, order.shipped(second), order.delivered(second)).status).to.equal('delivered');
  });

  it('is refunded once everything was given back', () => {
    const delivered = [order.created(), order.paid(), order.confirmed(), order.shipped(), order.delivered()];
    const partly = given(...delivered, order.returned(), order.refunded(1_000));
    expect(partly).to.deep.include({ status: 'delivered', refunded: 1_000 });
    expect(given(...delivered, order.refunded(1_000), order.refunded(1_495)).status).to.equal('refunded');
  });

  it('says nothing in the timeline that somebody typed', () => {
    const document = given(order.created(), order.cancelled(), order.returned());
    expect(JSON.stringify(document.timeline)).not.to.match(/Elm Road|too small/);
  });

  it('bounds the timeline: the first fifty and the newest stay', () => {
    const many = Array.from({ length: timelineLimit + 20 }, () => order.stepTaken());
    const document = given(order.created(), ...many, order.failed());
    expect(document.timeline).to.have.length(timelineLimit);
    expect(document.timeline_omitted).to.equal(22);
    expect(document.timeline[0]?.type).to.equal('order.created');
    expect(document.timeline.at(-1)?.type).to.equal('order.failed');
  });

  it('begins with order.created and nothing else', () => {
    expect(folded(order.paid())).to.equal(undefined);
    expect(folded(order.started(), order.paymentInitiated())).to.equal(undefined);
  });

  it('knows every type of its events in the catalogue', () => {
    for (const type of ordersProjection.types) expect(eventCatalog.knows(type), type).to.equal(true);
    expect(ordersProjection.types.size).to.equal(9 + 6 + 3 + 2);
  });
});
