import { jsonEvent } from '@eventstore/db-client';
import { anyStream, CommitSignal } from '../../embedded/event-store-server/commit-signal.js';
import type { Expected } from '../../embedded/event-store-server/expected-revision.js';
import type { ProposedEvent } from '../../embedded/event-store-server/record.js';
import { openStorage } from '../../embedded/event-store-server/storage.js';
import { Writer } from '../../embedded/event-store-server/writer.js';
import { silentLogger } from '../../runtime/logger.js';
import type { Random } from '../support/seeded.js';
import { recordDigest, someEvent } from './event-store-content.js';

/** What a reader of one stream, or of `$all`, is to be given. */
export interface Answer {
  readonly stream: string;
  readonly end: 'complete' | 'not-found' | 'deleted';
  /** digests of the events in order, oldest first */
  readonly events: readonly string[];
}

/** What a data directory holds, as it was written. */
export interface Truth {
  readonly all: Answer;
  readonly streams: readonly Answer[];
  /** the last append to some streams, to be repeated */
  readonly repeats: readonly { stream: string; revision: number; position: number; event: ReturnType<typeof jsonEvent> }[];
}

const streamCount = 260;
const appendCount = 1_400;
const createdAt = Date.UTC(2026, 0, 1);

interface Written {
  digests: string[];
  last: { revision: number; position: number; event: ReturnType<typeof jsonEvent> } | undefined;
}

/**
 * Writes a store of a few thousand events to an empty directory, the same for the same seed down to its pages: streams
 * with short, long and odd names, large events, many transactions, a deleted stream, a tombstoned one and one that keeps
 * its last three events.
 */
export async function writeTruth(dataDir: string, random: Random): Promise<Truth> {
  const storage = await openStorage(dataDir);
  const fatal = (err: unknown) => {
    throw err;
  };
  const writer = new Writer({ storage, signal: new CommitSignal(), log: silentLogger, fatal, now: () => createdAt });
  const all: string[] = [];
  const streams = new Map<string, Written>();

  const append = async (stream: string, expected: Expected, count: number, fixed?: ReturnType<typeof jsonEvent>) => {
    const events = Array.from({ length: count }, () => fixed ?? someEvent(random, random.chance(0.2)));
    const outcome = await writer.append(stream, expected, events.map(toProposed));
    if (outcome.kind !== 'appended') throw new Error(`An append to ${stream} was refused: ${outcome.kind}.`);
    const written = streams.get(stream) ?? { digests: [], last: undefined };
    streams.set(stream, written);
    for (const [index, event] of events.entries()) {
      const back = events.length - 1 - index;
      const [revision, position] = [outcome.revision - back, (outcome.position ?? 0) - back];
      const digest = recordDigest({
        ...event,
        streamId: stream,
        revision: BigInt(revision),
        position: { commit: BigInt(position) },
      });
      all[position - 1] = digest;
      written.digests[revision] = digest;
      written.last = count === 1 ? { revision, position, event: event as ReturnType<typeof jsonEvent> } : undefined;
    }
  };

  const names = Array.from({ length: streamCount }, (_, n) => nameOf(n, random));
  for (let sent = 0; sent < appendCount; ) {
    const together = random.between(1, 40);
    sent += together;
    await Promise.all(
      Array.from({ length: together }, (_, n) => {
        // Every stream is written at least once, and some are written often.
        const name = names[sent + n] ?? (random.chance(0.3) ? random.pick(names.slice(0, 8)) : random.pick(names));
        return append(name, 'any', random.chance(0.2) ? random.between(2, 6) : 1);
      }),
    );
  }
  const ends: Record<string, Answer['end']> = {};
  const bound = jsonEvent({ id: random.uuid(), type: '$metadata', data: { $maxCount: 3 } });
  await append(`$$${names[0]}`, 'no_stream', 1, bound);
  const gone = jsonEvent({ id: random.uuid(), type: '$metadata', data: { $tb: Number.MAX_SAFE_INTEGER } });
  await append(`$$${names[1]}`, 'no_stream', 1, gone);
  ends[names[1] ?? ''] = 'not-found';
  const tombstone = jsonEvent({ id: random.uuid(), type: '$streamDeleted', data: {} });
  const buried = await writer.tombstone(names[2] ?? '', 'any', tombstone.id);
  if (buried.kind !== 'appended' || buried.position === undefined) throw new Error('The tombstone was refused.');
  all[buried.position - 1] = recordDigest({
    ...tombstone,
    streamId: names[2] ?? '',
    revision: BigInt(buried.revision),
    position: { commit: BigInt(buried.position) },
  });
  ends[names[2] ?? ''] = 'deleted';
  await append(names[3] ?? '', 'any', 1);
  await storage.close();

  const answers = [...streams].map(([stream, { digests }]): Answer => {
    const end = ends[stream] ?? 'complete';
    const visible = stream === names[0] ? digests.slice(-3) : digests;
    return { stream, end, events: end === 'complete' ? visible : [] };
  });
  const missing = { stream: 'never-written', end: 'not-found' as const, events: [] };
  const repeats = [...streams].flatMap(([stream, { last }]) =>
    last === undefined || ends[stream] !== undefined || stream.startsWith('$') ? [] : [{ stream, ...last }],
  );
  return {
    all: { stream: anyStream, end: 'complete', events: all },
    streams: [...answers, missing],
    repeats: repeats.slice(0, 12),
  };
}

function nameOf(n: number, random: Random): string {
  if (n === 4) return `long-${'x'.repeat(2_500)}`;
  if (n === 5) return 'größe – 数 – 🦊';
  return `stream-${random.uuid()}-${'n'.repeat(random.between(0, 120))}`;
}

function toProposed({ id, type, data, metadata }: ReturnType<typeof someEvent>): ProposedEvent {
  const isJson = !(data instanceof Uint8Array);
  const none = Buffer.alloc(0);
  return {
    id,
    type,
    isJson,
    data: isJson ? Buffer.from(JSON.stringify(data)) : Buffer.from(data),
    customMetadata: metadata === undefined ? none : Buffer.from(JSON.stringify(metadata)),
  };
}
