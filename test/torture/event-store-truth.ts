import { type EventData, EventStoreDBClient, type JSONEventData, jsonEvent } from '@eventstore/db-client';
import { startEventStore } from '../../embedded/event-store-server/server.js';
import { silentLogger } from '../../runtime/logger.js';
import type { Random } from '../support/seeded.js';
import { positionOf, type Recorded, recordDigest, someEvent } from './event-store-content.js';

/** What a reader of one stream, or of `$all`, is to be given. */
export interface Answer {
  readonly stream: string;
  readonly end: 'complete' | 'not-found' | 'deleted';
  /** digests of the events in order, oldest first */
  readonly events: readonly string[];
}

/** An event that is stored, to be appended once more. */
export interface Repeat {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly event: EventData;
}

/** What a data directory holds, as it was written. */
export interface Truth {
  readonly all: Answer;
  readonly streams: readonly Answer[];
  readonly repeats: readonly Repeat[];
}

const streamCount = 130;
const appendCount = 320;
const createdAt = Date.UTC(2026, 0, 1);
const repeatCount = 12;

/**
 * Writes a store of a thousand events to an empty directory, the same for the same seed: streams with short, long and
 * odd names, large events, many transactions, a deleted stream, a tombstoned one and one that shows its last three
 * events.
 */
export async function writeTruth(dataDir: string, random: Random): Promise<Truth> {
  const store = await startEventStore({ dataDir, port: 0, log: silentLogger, now: () => createdAt });
  const client = EventStoreDBClient.connectionString(store.connectionString);
  const all: string[] = [];
  const streams = new Map<string, string[]>();
  const repeats: Repeat[] = [];
  const book = (event: Recorded) => {
    all[positionOf(event) - 1] = recordDigest(event);
    const written = streams.get(event.streamId) ?? [];
    written[Number(event.revision)] = recordDigest(event);
    streams.set(event.streamId, written);
  };
  const append = async (stream: string, events: EventData[]) => {
    const { nextExpectedRevision, position } = await client.appendToStream(stream, events);
    const last = { revision: nextExpectedRevision, position: position?.commit ?? -1n };
    for (const [index, event] of events.entries()) {
      const back = BigInt(events.length - 1 - index);
      const place = { revision: last.revision - back, position: { commit: last.position - back } };
      book({ ...event, streamId: stream, ...place });
    }
    const [event] = events;
    if (events.length === 1 && event !== undefined) {
      repeats.push({ stream, revision: Number(last.revision), position: Number(last.position), event });
    }
  };

  const names = Array.from({ length: streamCount }, (_, n) => nameOf(n, random));
  const [bounded = '', deleted = '', buried = ''] = names;
  for (let n = 0; n < appendCount; n += 1) {
    const stream = names[n] ?? random.pick(random.chance(0.3) ? names.slice(0, 8) : names);
    const count = random.chance(0.6) ? 1 : random.between(2, 6);
    await append(
      stream,
      Array.from({ length: count }, () => someEvent(random, random.chance(0.2))),
    );
  }
  const metadata = (data: object): JSONEventData =>
    jsonEvent({ id: random.uuid(), type: '$metadata', data: { ...data } });
  await append(`$$${bounded}`, [metadata({ $maxCount: 3 })]);
  await append(`$$${deleted}`, [metadata({ $tb: Number.MAX_SAFE_INTEGER })]);
  const { position } = await client.tombstoneStream(buried);
  // The tombstone is the server's own event; what it says is taken from the log itself.
  for await (const { event } of client.readAll({ fromPosition: position ?? 'end' }))
    if (event !== undefined) book(event);
  await append(names[3] ?? '', [someEvent(random)]);
  await client.dispose();
  await store.close();

  const ends: Record<string, Answer['end']> = { [deleted]: 'not-found', [buried]: 'deleted' };
  const answers = [...streams].map(([stream, events]): Answer => {
    const end = ends[stream] ?? 'complete';
    return { stream, end, events: end !== 'complete' ? [] : stream === bounded ? events.slice(-3) : events };
  });
  return {
    all: { stream: '$all', end: 'complete', events: all },
    streams: [...answers, { stream: 'never-written', end: 'not-found', events: [] }],
    repeats: repeats.filter(({ stream }) => ends[stream] === undefined && !stream.startsWith('$')).slice(-repeatCount),
  };
}

function nameOf(n: number, random: Random): string {
  if (n === 4) return `long-${'x'.repeat(2_500)}`;
  if (n === 5) return 'größe – 数 – 🦊';
  return `stream-${random.uuid()}-${'n'.repeat(random.between(0, 120))}`;
}
