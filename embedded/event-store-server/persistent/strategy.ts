import { crc32 } from 'node:zlib';
import { parseMetadata } from '../head.js';
import { messages } from '../protocol.js';
import { recordMessage, recordStream } from '../record.js';
import type { Strategy } from './group-settings.js';

/** What a strategy has to know of a consumer. */
export interface Choosable {
  id: string;
  readonly hasRoom: boolean;
}

/** The next consumer for an event, or undefined when it has to wait for one. @param record the event, link resolved */
export type Choose<C extends Choosable> = (consumers: readonly C[], record: Buffer | undefined) => C | undefined;

/** A chooser with a memory of its own. */
export function chooser<C extends Choosable>(strategy: Strategy): Choose<C> {
  switch (strategy) {
    case 'DispatchToSingle':
      return (consumers) => consumers.find(({ hasRoom }) => hasRoom);
    case 'RoundRobin':
      return roundRobin();
    case 'Pinned':
      return pinned(recordStream);
    case 'PinnedByCorrelation':
      return pinned(correlationOf);
  }
}

function roundRobin<C extends Choosable>(): Choose<C> {
  let turn = 0;
  return (consumers) => {
    for (let step = 0; step < consumers.length; step += 1) {
      const consumer = consumers[(turn + step) % consumers.length];
      if (!consumer?.hasRoom) continue;
      turn = (turn + step + 1) % consumers.length;
      return consumer;
    }
    return undefined;
  };
}

/** The consumer that ranks highest for an event's key: others keep theirs when one comes or goes. */
function pinned<C extends Choosable>(keyOf: (record: Buffer) => string): Choose<C> {
  const nobodys = crc32('');
  // An event that waits for its consumer is asked about again and again.
  const hashes = new WeakMap<Buffer, number>();
  const hashOf = (record: Buffer): number => {
    const hash = hashes.get(record) ?? crc32(keyOf(record));
    hashes.set(record, hash);
    return hash;
  };
  return (consumers, record) => {
    const hash = record === undefined ? nobodys : hashOf(record);
    let best: C | undefined;
    let bestRank = -1;
    for (const consumer of consumers) {
      const rank = mixed(crc32(consumer.id) ^ hash);
      if (rank > bestRank) [best, bestRank] = [consumer, rank];
    }
    return best?.hasRoom ? best : undefined;
  };
}

/** Spreads the bits of a 32-bit number: checksums of similar texts rank alike otherwise. */
function mixed(bits: number): number {
  let spread = bits;
  spread = Math.imul(spread ^ (spread >>> 16), 0x85ebca6b);
  spread = Math.imul(spread ^ (spread >>> 13), 0xc2b2ae35);
  return (spread ^ (spread >>> 16)) >>> 0;
}

/** Events without a correlation id are told apart by their stream. */
function correlationOf(record: Buffer): string {
  const event = messages.streams.ReadResp.ReadEvent.RecordedEvent.deserializeBinary(recordMessage(record));
  const correlationId = parseMetadata(event.getCustomMetadata_asU8())['$correlationId'];
  return typeof correlationId === 'string' ? correlationId : recordStream(record);
}
