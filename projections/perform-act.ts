import type { Act } from './acts.js';
import { type Exclusive, type ReplayDeps, type Replayed, replayDocument, replayStreams } from './parking/replay.js';
import type { Runner } from './runner.js';

/** What came of an act: done, refused for good, or to be tried again later. */
export interface Performed {
  readonly state: 'done' | 'refused' | 'later';
  readonly outcome: Readonly<Record<string, unknown>>;
}

function told(replayed: readonly Replayed[]): Performed {
  const sum = (pick: (one: Replayed) => number) => replayed.reduce((total, one) => total + pick(one), 0);
  const stuck = replayed.flatMap(({ at }) => (at === undefined ? [] : [at]));
  const first = stuck[0];
  const outcome = {
    replayed: replayed.length - stuck.length,
    folded_events: sum(({ folded }) => folded),
    still_parked: stuck.length,
    waiting_events: sum(({ stillWaiting }) => stillWaiting),
    ...(first === undefined
      ? {}
      : { first_fault: { position: first.position, event_type: first.eventType, ...first.fault } }),
  };
  return { state: 'done', outcome };
}

/** Replays one parked document or stream, or all that is parked of the projection. */
export async function replay(
  runner: Runner,
  { key }: Extract<Act, { act: 'replay' }>,
  exclusive: Exclusive,
  deps: ReplayDeps,
): Promise<Performed> {
  const keys = key === null ? await deps.parkedEvents.summaries(runner.id) : [key];
  const replayed: Replayed[] = [];
  const streams = keys.filter(({ kind }) => kind === 'stream').map((stream) => stream.key);
  // Streams first: a document that they lead to is folded anew, up to where it is parked itself.
  if (streams.length > 0) replayed.push(...(await replayStreams(runner, streams, exclusive, deps)));
  for (const document of keys.filter(({ kind }) => kind === 'document')) {
    replayed.push(await replayDocument(runner, document.key, exclusive, deps));
  }
  return told(replayed);
}

/** Passes over one parked event for good. What waits behind it goes on waiting for its replay. */
export function discard(
  runner: Runner,
  { key, position, by, why, asked_at }: Extract<Act, { act: 'discard' }>,
  exclusive: Exclusive,
  { parkedEvents }: ReplayDeps,
): Promise<Performed> {
  return exclusive(async () => {
    const records = await parkedEvents.of(runner.id, key);
    const record = records.find((one) => one.position === position);
    if (record === undefined) return { state: 'refused', outcome: { code: 'not-parked' } };
    if (record.discarded === null) {
      await parkedEvents.discard(runner.id, key, position, { by, why, at: asked_at });
    }
    const left = records.map((one) => ({
      ...key,
      position: one.position,
      discarded: one.discarded !== null || one === record,
    }));
    runner.parking.replace(key, left);
    return { state: 'done', outcome: { waiting_events: left.filter((one) => !one.discarded).length } };
  });
}
