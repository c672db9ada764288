import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { inParallel } from '../../runtime/in-parallel.js';
import { type Recorded, recordDigest } from './event-store-content.js';
import type { Answer, Truth } from './event-store-truth.js';
import { disposeOf } from './event-store-writers.js';
import { isStore, type Store, startStore, tellEnd } from './server-process.js';
import { demand, Violation } from './violation.js';

/** What a store made of damaged data. `refused`: at the start, or in a read, with a sentence; the rest was right. */
export interface Verdict {
  readonly kind: 'complete' | 'refused' | 'dead';
  /** the sentence, or how the process ended */
  readonly because: string;
  /** false where the server refused, or died, before it was ready */
  readonly started: boolean;
}

/** How one read ended: as if all was said, refused with a sentence, or with the process. */
interface Ending {
  readonly kind: Answer['end'] | 'refused' | 'dead';
  readonly because: string;
}

const lanes = 8;
const readLimitMs = 30_000;

/**
 * Serves a copy of known data that somebody damaged, asks for everything it holds, and repeats some appends.
 *
 * @throws Violation when an answer that claims to be complete is not, when anything served is not as it was written, or
 * when a refusal does not name the damage
 */
export async function inspect(dataDir: string, truth: Truth): Promise<Verdict> {
  const started = await startStore('event-store', dataDir);
  if (!isStore(started)) {
    const told = tellEnd(started);
    demand(started.signal !== 'SIGKILL', () => `the store neither starts nor ends: ${told}`);
    // LMDB may have printed a line of its own before.
    const sentence = started.code === 1 && /(^|\n)event-store: .+\n$/.test(started.stderr);
    return { kind: sentence ? 'refused' : 'dead', because: told, started: false };
  }
  const client = EventStoreDBClient.connectionString(started.connectionString);
  try {
    let verdict = await readEverything(client, started, truth);
    if (verdict.kind !== 'dead') verdict = worse(verdict, await repeatAppends(client, started, truth));
    return verdict;
  } finally {
    await started.stop('SIGKILL');
    await disposeOf(client);
  }
}

async function readEverything(client: EventStoreDBClient, store: Store, truth: Truth): Promise<Verdict> {
  const endings: Ending[] = [];
  const ask = async (what: string, answer: Answer, read: () => AsyncIterable<{ event?: Recorded }>) => {
    if (store.isRunning()) endings.push(await check(what, answer, read, store));
  };
  const reversed = ({ stream, end, events }: Answer): Answer => ({ stream, end, events: events.toReversed() });
  const { all, streams } = truth;
  await ask('$all', all, () => client.readAll({ direction: FORWARDS }));
  await ask('$all backwards', reversed(all), () => client.readAll({ direction: BACKWARDS, fromPosition: END }));
  await inParallel(streams, lanes, async (answer) => {
    const name = `stream ${answer.stream.slice(0, 60)}`;
    await ask(name, answer, () => client.readStream(answer.stream));
    const backwards = () => client.readStream(answer.stream, { direction: BACKWARDS, fromRevision: END });
    await ask(`${name} backwards`, reversed(answer), backwards);
  });
  if (!store.isRunning()) return { kind: 'dead', because: tellEnd(await store.ended), started: true };
  const refused = endings.find(({ kind }) => kind === 'refused');
  return refused === undefined
    ? { kind: 'complete', because: 'everything was served as it was written', started: true }
    : { kind: 'refused', because: refused.because, started: true };
}

/** One read, compared event by event. Before a refusal everything must have been right. */
async function check(
  what: string,
  answer: Answer,
  read: () => AsyncIterable<{ event?: Recorded }>,
  store: Store,
): Promise<Ending> {
  let served = 0;
  const take = async (): Promise<Ending> => {
    try {
      for await (const { event } of read()) {
        const right = event !== undefined && answer.end === 'complete' && recordDigest(event) === answer.events[served];
        demand(right, () => `${what}: event ${served + 1} of the answer is not what was written`);
        served += 1;
      }
      return { kind: 'complete', because: '' };
    } catch (err) {
      return endingOf(err, what, store);
    }
  };
  const ending = await within(take(), what);
  if (ending.kind === 'refused' || ending.kind === 'dead') return ending;
  const whole = ending.kind === answer.end && served === answer.events.length;
  demand(whole, () => `${what}: ${served} of ${answer.events.length} events were served, and then "${ending.kind}"`);
  return ending;
}

async function endingOf(err: unknown, what: string, store: Store): Promise<Ending> {
  if (err instanceof Violation) throw err;
  if (err instanceof StreamNotFoundError) return { kind: 'not-found', because: '' };
  if (err instanceof StreamDeletedError) return { kind: 'deleted', because: '' };
  const message = err instanceof Error ? err.message : String(err);
  if (err instanceof Error && Reflect.get(err, 'code') === status.DATA_LOSS)
    return { kind: 'refused', because: message };
  // The connection breaks a moment before the process is known to have ended.
  const dead = Symbol('dead');
  const gone = await Promise.race([store.ended.then(() => dead), new Promise((resolve) => setTimeout(resolve, 2_000))]);
  if (gone === dead) return { kind: 'dead', because: message };
  throw new Violation(`${what}: the read failed without naming the damage: ${message}`);
}

/** An append that is stored must not be taken for a new one. */
async function repeatAppends(client: EventStoreDBClient, store: Store, truth: Truth): Promise<Verdict> {
  let verdict: Verdict = { kind: 'complete', because: '', started: true };
  for (const { stream, revision, position, event } of truth.repeats) {
    const what = `a repeat at revision ${revision} of ${stream.slice(0, 60)}`;
    const expectedRevision = revision === 0 ? ('no_stream' as const) : BigInt(revision - 1);
    const credentials = { username: 'torture', password: 'ignored' };
    try {
      const answer = client.appendToStream(stream, event, { expectedRevision, credentials });
      const { nextExpectedRevision, position: at } = await within(answer, what);
      demand(
        Number(nextExpectedRevision) === revision && Number(at?.commit) === position,
        () => `${what}, position ${position}, was answered with ${nextExpectedRevision}, position ${at?.commit}`,
      );
    } catch (err) {
      if (err instanceof WrongExpectedVersionError) throw new Violation(`${what} was refused with ${err.message}`);
      const { kind, because } = await endingOf(err, what, store);
      verdict = worse(verdict, { kind: kind === 'dead' ? 'dead' : 'refused', because, started: true });
      if (kind === 'dead') return verdict;
    }
  }
  return verdict;
}

const rank = { complete: 0, refused: 1, dead: 2 };
const worse = (a: Verdict, b: Verdict): Verdict => (rank[b.kind] > rank[a.kind] ? b : a);

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Violation(`${what}: no answer in ${readLimitMs} ms`)), readLimitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
