import { ANY, type AppendExpectedRevision, type EventStoreDBClient, NO_STREAM } from '@eventstore/db-client';
import type { Harness } from '../harness.js';
import { inLanes } from '../lanes.js';
import { metered, type Sample } from '../meter.js';
import { interleave, pairedRatios } from '../rounds.js';
import { type Row, row } from '../rows.js';
import { freshStream, nextEvent, openStore } from './store.js';

const batchSize = 100;
const batchesInFlight = 8;

const arms = {
  '1 in flight': { lanes: 1, events: 1 },
  '16 in flight': { lanes: 16, events: 1 },
  '64 in flight': { lanes: 64, events: 1 },
  '256 in flight': { lanes: 256, events: 1 },
  [`${batchesInFlight} x batches of ${batchSize}`]: { lanes: batchesInFlight, events: batchSize },
};

/** Durable appends a second from one client, at several numbers in flight, all on one server. */
export async function measureAppends(harness: Harness<'arm-ms'>): Promise<Row[]> {
  const { client, server, close } = await openStore(harness, await harness.folder());
  const rounds = await interleave<string, Sample>(
    Object.fromEntries(
      Object.entries(arms).map(([name, arm]) => [
        name,
        () => metered(server.pid, () => appendFor(client, harness.sizes['arm-ms'], { ...arm, seed: harness.seed })),
      ]),
    ),
    {
      rounds: harness.rounds,
      onArm: (arm, round, of) => harness.progress(`appends, round ${round} of ${of}: ${arm}`),
    },
  );
  await close();
  const ratio = pairedRatios(rounds, '64 in flight', '1 in flight', ({ perSecond }) => perSecond);
  const figures = Object.keys(arms).map((name) => {
    const samples = rounds.flatMap((round) => round[name] ?? []);
    return row(
      `events appended, ${name}`,
      '1/s',
      samples.map(({ perSecond }) => perSecond),
      { cpu: samples.map(({ cpu }) => cpu) },
    );
  });
  return [row('appends, 64 in flight / 1', 'x', ratio, { id: 'P14', goal: { atLeast: 5 } }), ...figures];
}

/** Each lane appends to a stream of its own, the next when the last is acknowledged. @returns events acknowledged */
async function appendFor(
  client: EventStoreDBClient,
  ms: number,
  { lanes, events, seed }: { lanes: number; events: number; seed: number },
): Promise<number> {
  const batches = await inLanes(lanes, ms, () => {
    const stream = freshStream('lane');
    let expectedRevision: AppendExpectedRevision = NO_STREAM;
    return async () => {
      const batch = Array.from({ length: events }, () => nextEvent(seed));
      const result = await client.appendToStream(stream, batch, { expectedRevision });
      expectedRevision = result.nextExpectedRevision;
    };
  });
  return batches * events;
}

/**
 * Has the server look up the head of a stream, round about all streams, without a change: an append of no events.
 *
 * @param lookups how many, 64 in flight
 */
export async function touchStreams(
  client: EventStoreDBClient,
  lookups: number,
  streamOf: (n: number) => string,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < lookups) await client.appendToStream(streamOf(next++), [], { expectedRevision: ANY });
  };
  await Promise.all(Array.from({ length: 64 }, lane));
}
