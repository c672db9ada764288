import { createHash } from 'node:crypto';
import { binaryEvent, type EventData, jsonEvent } from '@eventstore/db-client';
import type { Random } from '../support/seeded.js';

/** What an event says: bytes, or a JSON value. */
interface Content {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata?: unknown;
}

/** An event as reads and subscriptions of the official client hand it over. */
export interface Recorded extends Content {
  readonly streamId: string;
  readonly revision: bigint;
  readonly position?: { readonly commit: bigint } | undefined;
}

/** A position as the official client gives it. -1 where there is none. */
export const positionOf = ({ position }: Recorded): number => Number(position?.commit ?? -1n);

/** What an event says, wherever it is stored: equal for what was sent and what comes back. */
export function contentDigest(event: Content): string {
  const hash = createHash('sha1').update(`${event.id}\n${event.type}\n`);
  for (const part of [event.data, event.metadata]) {
    if (part instanceof Uint8Array) hash.update('binary').update(part);
    // No metadata and empty metadata are stored alike.
    else hash.update(part === undefined || part === null ? '{}' : JSON.stringify(part));
  }
  return hash.digest('base64url');
}

/** What an event says and where it stands. */
export function recordDigest(event: Recorded): string {
  const place = `${positionOf(event)}\n${event.revision}\n${event.streamId}\n`;
  return createHash('sha1').update(place).update(contentDigest(event)).digest('base64url');
}

/** An event of random content: mostly a few hundred bytes, now and then pages long. */
export function someEvent(random: Random, binary = false, largest = 20_000): EventData {
  const size = random.chance(0.02) ? random.between(Math.min(3_000, largest), largest) : random.between(0, 600);
  const id = random.uuid();
  const metadata = random.chance(0.5) ? { cause: random.uuid(), n: random.between(0, 1e9) } : undefined;
  const withMetadata = metadata === undefined ? {} : { metadata };
  if (binary) return binaryEvent({ id, type: 'binary', data: random.bytes(size), ...withMetadata });
  const text = random.bytes(Math.ceil(size / 2)).toString('hex');
  return jsonEvent({ id, type: `json-${random.between(1, 9)}`, data: { text, ü: random.next() }, ...withMetadata });
}
