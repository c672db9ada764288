import type { Command, Decider } from '../core/decider.js';
import type { OrderNumberEvent } from './order-number-events.js';

export type DrawNumberBlock = Command<'DrawNumberBlock', { year: number; size: number }>;

export interface OrderNumberState {
  readonly last: number;
}

/** Numbers are drawn in blocks, so that orders of one year do not queue at one stream. */
export const orderNumberDecider: Decider<OrderNumberState, DrawNumberBlock, OrderNumberEvent> = {
  initialState: { last: 0 },
  decide: ({ data: { year, size } }, { last }) => [
    { type: 'ordernumber.block_drawn', data: { year, from: last + 1, to: last + size } },
  ],
  evolve: (_, { data }) => ({ last: data.to }),
};

/** `ORD-2026-00001`: five digits, and more when a year needs them. */
export function formatOrderNumber(year: number, number: number): string {
  return `ORD-${String(year).padStart(4, '0')}-${String(number).padStart(5, '0')}`;
}
