import { expect } from 'chai';
import type { LoggedEvent, Process, World } from './model-fixture.js';
import { deriveId, minutes, stockItem, variantId } from './process-fixture.js';

// What must hold of the model when all is done.

/** Nobody learned that these reservations were made: they go when they lapse. */
export function expireAll(world: World, variants: readonly string[]): void {
  world.seconds += 60 * minutes;
  for (const variant of variants) {
    const command = { type: 'ExpireReservations', data: stockItem(variant), metadata: world.metadata };
    world.handle('inventory', variantId(variant), command);
  }
}

const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);

/** What must hold when all is done, for every order and for all stock. */
export function audit(world: World, processes: readonly Process[], received: Readonly<Record<string, number>>): void {
  const sold = new Map<string, number>();
  for (const { id, done } of processes) {
    const order = world.state('order', id);
    const own = world.stream(`fulfilment-${id}`).events;
    const ends = own.filter(({ type }) => type === 'fulfilment.ended').map(({ data }) => data);
    const how = `order ${order.status} after ${done.join(', ')}`;
    expect(ends, how).to.deep.equal([{ order_id: id, outcome: order.status }]);
    const ownTypes = own.map((event) => (event.type === 'fulfilment.step_taken' ? event.data.step : event.type));
    expect(new Set(ownTypes).size, how).to.equal(ownTypes.length);

    const captures = [...world.captures.values()].filter(({ order_id }) => order_id === id);
    const refunds = [...world.refunds.values()].filter(({ order_id }) => order_id === id);
    const mostCaptures = world.scripts.get(id) === 'declined and taken' ? 2 : 1;
    expect(captures.length, how).to.be.at.most(mostCaptures);
    expect(refunds.length, how).to.be.at.most(mostCaptures);
    const atProvider = sum(captures.map(({ amount }) => amount)) - sum(refunds.map(({ amount }) => amount));
    const payment = world.stream(`payment-${deriveId('payment', id)}`).events;
    // After the word that no further attempt counts, none begins.
    const last = payment.findIndex((event) => event.type === 'payment.failed' && !event.data.retryable);
    const begun = payment.findLastIndex(({ type }) => type === 'payment.initiated');
    if (last >= 0) expect(begun, how).to.be.below(last);
    const inLog = sum(
      payment.map((event) => {
        if (event.type === 'payment.success') return event.data.amount;
        return event.type === 'payment.refunded' ? -event.data.amount : 0;
      }),
    );
    expect(inLog, how).to.equal(atProvider);
    if (order.status === 'confirmed') expect(atProvider, how).to.equal(order.total);
    else expect(atProvider, how).to.equal(0);
    if (order.status !== 'confirmed') continue;
    for (const { variant_id, quantity } of order.items) sold.set(variant_id, (sold.get(variant_id) ?? 0) + quantity);
  }
  for (const [variant, quantity] of Object.entries(received)) {
    if (quantity === 0) continue;
    const id = variantId(variant);
    const { events } = world.stream(`inventory-${id}`);
    expect(Math.min(...events.map(({ data }) => ('available' in data ? data.available : -1)))).to.be.at.least(0);
    let rivals = 0;
    for (const event of events) {
      if (event.type !== 'inventory.confirmed' || world.scripts.has(event.data.order_id)) continue;
      rivals += sum(event.data.reservations.map((part) => part.quantity));
    }
    const { open, available } = world.state('inventory', id);
    expect(open.size, `open reservations of ${variant}`).to.equal(0);
    expect(available, `stock of ${variant}`).to.equal(quantity - rivals - (sold.get(id) ?? 0));
  }
}

/**
 * In the log, what is undone of one order comes in reverse: restocked, refunded, released, failed, ended. Money that
 * comes in when its payment has been given up goes back whenever it comes.
 */
export function expectUndoneInReverse(world: World, id: string): void {
  let isGivenUp = false;
  let isOwed = false;
  const rank = (event: LoggedEvent): number => {
    if (!('order_id' in event.data) || event.data.order_id !== id) return 0;
    if (event.type === 'inventory.restocked') return 1;
    if (event.type === 'payment.failed' && !event.data.retryable) isGivenUp = true;
    if (event.type === 'payment.refunded' || event.type === 'payment.refund_failed') {
      // What the provider refused to give back is asked for again whatever else has been undone meanwhile.
      const isLate = isGivenUp || isOwed || world.scripts.get(id) === 'declined and taken';
      isOwed ||= event.type === 'payment.refund_failed';
      return isLate ? 0 : 2;
    }
    if (event.type === 'inventory.released' && event.data.reason !== 'expired') return 3;
    return event.type === 'order.failed' ? 4 : event.type === 'fulfilment.ended' ? 5 : 0;
  };
  const ranks = world.log.map(rank).filter((n) => n > 0);
  expect(ranks).to.deep.equal([...ranks].sort((a, b) => a - b));
}
