import { randomUUID } from 'node:crypto';
import type { ProposedEvent } from '../../embedded/event-store-server/record.js';
import { openParts } from '../../embedded/event-store-server/store-fixture.js';
import type { Harness } from '../harness.js';

/** A closed data directory of a known size. */
export interface Log {
  readonly dataDir: string;
  readonly events: number;
  readonly streams: number;
}

const eventsAtOnce = 10_000;

/** What an event of a shop may look like: about 180 bytes of JSON. */
export function payload(seed: number, n: number): Record<string, unknown> {
  const mixed = (Math.imul(n + 1, 2_654_435_761) ^ Math.imul(seed, 40_503)) >>> 0;
  const id = `${String(seed).padStart(4, '0')}-${String(n).padStart(10, '0')}`;
  return {
    order_id: `order-${id}`,
    customer_id: `customer-${String(mixed % 100_000).padStart(6, '0')}`,
    sku: `SKU-${String(mixed % 9_973).padStart(5, '0')}`,
    quantity: 1 + (mixed % 9),
    unit_price: 1_000 + (mixed % 9_000),
    currency: 'GBP',
    placed_at: '2026-01-01T00:00:00.000Z',
  };
}

export const streamName = (n: number): string => `order-${String(n).padStart(8, '0')}`;

/**
 * Writes a log with the server's own writer, without its network: event n goes to stream n modulo `streams`.
 *
 * @returns the directory, closed and ready to be served
 */
export async function writeLog(harness: Harness, events: number, streams: number): Promise<Log> {
  const dataDir = await harness.folder();
  const { writer, close } = await openParts(dataDir);
  try {
    const told = Math.max(eventsAtOnce, Math.ceil(events / 5));
    for (let from = 0; from < events; from += eventsAtOnce) {
      if (from % told < eventsAtOnce) harness.progress(`writing a log of ${events} events, ${from} so far`);
      const count = Math.min(eventsAtOnce, events - from);
      const appends = Array.from({ length: count }, (_, i) => {
        const n = from + i;
        return writer.append(streamName(n % streams), 'any', [eventOf(payload(harness.seed, n))]);
      });
      await Promise.all(appends);
    }
  } finally {
    await close();
  }
  return { dataDir, events, streams };
}

const none = Buffer.alloc(0);

const eventOf = (data: Record<string, unknown>): ProposedEvent => ({
  id: randomUUID(),
  type: 'order.created',
  isJson: true,
  data: Buffer.from(JSON.stringify(data)),
  customMetadata: none,
});
