import { setTimeout as sleep } from 'node:timers/promises';
import type { Harness } from '../harness.js';
import { cpuOf, memoryOf, type ResidentMemory } from '../meter.js';
import { interleave, pairedRatios } from '../rounds.js';
import { type Row, row } from '../rows.js';
import { median } from '../statistics.js';
import { touchStreams } from './appends.js';
import { type Log, streamName } from './data.js';
import { catchUp, openStore } from './store.js';

type MemorySize = 'memory-rounds' | 'sample-ms';

/** What a server holds in memory, at the ends of its tasks. */
interface Memory {
  readonly started: ResidentMemory;
  readonly caughtUp: ResidentMemory;
  /** the largest seen in the meantime */
  readonly peak: ResidentMemory;
  /** when the head of every stream was looked up */
  readonly touched: ResidentMemory;
}

const mebibyte = 2 ** 20;
const quietSamples = 5;
const quietLimitMs = 15_000;

/**
 * Resident memory of servers after their start with a first append, after catch-ups of `$all` (of a smaller log so many
 * that all read the same number of events), and after the head of every stream was looked up. Each round is a new process, so none is thrown away.
 */
export async function measureMemory(
  harness: Harness<MemorySize>,
  logs: { large: Log; small: Log; many: Log },
): Promise<Row[]> {
  const lookups = logs.many.streams;
  // What has been read leaves garbage behind until it is collected: all arms read as many events.
  const events = logs.large.events;
  const rounds = await interleave(
    {
      large: () => follow(harness, logs.large, events, lookups),
      small: () => follow(harness, logs.small, events, lookups),
      many: () => follow(harness, logs.many, events, lookups),
    },
    {
      rounds: harness.sizes['memory-rounds'],
      dropped: 0,
      onArm: (arm, round, of) => harness.progress(`memory, round ${round} of ${of}: ${arm} log`),
    },
  );
  const ratio = (over: 'large' | 'many', figure: (memory: Memory) => number) =>
    pairedRatios(rounds, over, 'small', figure);
  const figures = (name: 'large' | 'small' | 'many') => {
    const { events, streams } = logs[name];
    const figure = (what: string, of: (memory: Memory) => number) =>
      row(
        `${what}, ${events} events in ${streams} streams`,
        'MiB',
        rounds.map((round) => of(round[name]) / mebibyte),
      );
    return [
      figure('own memory after start', ({ started }) => started.anonymous),
      figure('own memory after catch-up', ({ caughtUp }) => caughtUp.anonymous),
      figure('memory with mapped file after catch-up', ({ caughtUp }) => caughtUp.total),
      figure('own memory at most in catch-up', ({ peak }) => peak.anonymous),
      figure('own memory after a look at every stream', ({ touched }) => touched.anonymous),
    ];
  };
  const sizes = `${logs.large.events} events / ${logs.small.events}`;
  const streams = `${logs.many.streams} streams / ${logs.small.streams}`;
  return [
    row(
      `own memory after catch-up, ${sizes}`,
      'x',
      ratio('large', ({ caughtUp }) => caughtUp.anonymous),
      {
        goal: { atMost: 1.1 },
      },
    ),
    row(
      `memory with mapped file after catch-up, ${sizes}`,
      'x',
      ratio('large', ({ caughtUp }) => caughtUp.total),
    ),
    row(
      `own memory at most in catch-up, ${sizes}`,
      'x',
      ratio('large', ({ peak }) => peak.anonymous),
    ),
    row(
      `own memory after a look at every stream, ${streams}`,
      'x',
      ratio('many', ({ touched }) => touched.anonymous),
    ),
    ...(['large', 'small', 'many'] as const).flatMap(figures),
  ];
}

async function follow(
  harness: Harness<MemorySize>,
  { dataDir, events, streams }: Log,
  reads: number,
  lookups: number,
): Promise<Memory> {
  const sampleMs = harness.sizes['sample-ms'];
  const { client, server, close } = await openStore(harness, dataDir);
  const started = await quietMemory(server.pid, sampleMs);
  const watch = watchPeak(server.pid, sampleMs / 4);
  for (let read = 0; read < reads; read += events) await catchUp(client, Math.min(events, reads - read));
  const peak = await watch.end();
  const caughtUp = await quietMemory(server.pid, sampleMs);
  await touchStreams(client, lookups, (n) => streamName(n % streams));
  const touched = await quietMemory(server.pid, sampleMs);
  await close();
  return { started, caughtUp, peak, touched };
}

/** The median of several samples of a process that does nothing any more, or of the last ones when it never rests. */
async function quietMemory(pid: number, sampleMs: number): Promise<ResidentMemory> {
  const limit = Date.now() + quietLimitMs;
  let samples: ResidentMemory[] = [];
  let cpu = await cpuOf(pid);
  while (samples.length < quietSamples) {
    await sleep(sampleMs);
    const now = await cpuOf(pid);
    if (now !== cpu && Date.now() < limit) samples = [];
    cpu = now;
    samples.push(await memoryOf(pid));
  }
  const middle = (of: (memory: ResidentMemory) => number) => median(samples.map(of));
  return {
    total: middle(({ total }) => total),
    anonymous: middle(({ anonymous }) => anonymous),
    file: middle(({ file }) => file),
  };
}

/** Looks at a process every now and then, for its largest anonymous memory. */
function watchPeak(pid: number, sampleMs: number): { end(): Promise<ResidentMemory> } {
  const over = new AbortController();
  let most: ResidentMemory = { total: 0, anonymous: 0, file: 0 };
  const watching = (async () => {
    for (;;) {
      const last = over.signal.aborted;
      const memory = await memoryOf(pid);
      if (memory.anonymous > most.anonymous) most = memory;
      if (last) return;
      await sleep(sampleMs, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  // A fault is thrown by end(); until then it is nobody's.
  watching.catch(() => {});
  return {
    async end() {
      over.abort();
      await watching;
      return most;
    },
  };
}
