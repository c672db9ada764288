import type { OrderKeys } from '../../domain/order/order-events.js';
import type { SalesKeys } from './document.js';

type Keys = Pick<OrderKeys, 'placed_at' | 'country' | 'channel' | 'currency'>;

export function salesKeysOf({ placed_at, country, channel, currency }: Keys): SalesKeys {
  return { month: placed_at.slice(0, 7), country, channel, currency };
}

/** The UTC day an order was placed on. */
export function dayOf({ placed_at }: Pick<OrderKeys, 'placed_at'>): string {
  return placed_at.slice(0, 10);
}

/** The store's integers end here; a sum beyond them must not be stored as another. */
const largest = 2n ** 63n - 1n;

/** @throws RangeError where the sum is larger than the store can hold */
export function exactSum(sum: bigint, amount: number | bigint): bigint {
  const next = sum + BigInt(amount);
  if (next > largest) throw new RangeError('a sum of sales is larger than the store holds');
  return next;
}
