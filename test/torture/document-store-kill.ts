import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../support/seeded.js';
import type { Flight } from './document-store-ask.js';
import { oftenExpiring } from './document-store-indexes.js';
import { askDeadCursors, begin, end, type Life, settle, verify } from './document-store-life.js';
import { type OpenCursor, runReaders } from './document-store-readers.js';
import { runWriters } from './document-store-writers.js';
import { startStore, tellEnd } from './server-process.js';
import { demand } from './violation.js';

export const kinds = ['writes', 'build', 'stop', 'sweep', 'start', 'twice'] as const;
/**
 * When the server is ended: after so many answers, while an index is built, by SIGTERM, after a collection was dropped,
 * right after it was ready, and again while it starts.
 */
export type Kind = (typeof kinds)[number];

/** What a round adds to the figures of a run. */
export interface RoundFigures {
  readonly seen: number;
  readonly deadCursors: number;
  readonly verified: number;
  /** kinds of calls that waited for an answer when the end came, with their number */
  readonly inFlight: ReadonlyMap<string, number>;
}

const writers = 16;
const readers = 4;
const drainLimitMs = 30_000;
const lastAnswersMs = 200;
const longestMs = 1_500;

/** When to end the server, as seen from the calls. */
interface Moment {
  readonly afterAnswers: number;
  /** only once a call of this kind goes out */
  readonly onCall: string | undefined;
  readonly delayMs: number;
}

function momentOf(kind: Kind, random: Random): Moment {
  const delayMs = random.between(0, 40);
  switch (kind) {
    case 'build':
      return { afterAnswers: random.between(50, 800), onCall: 'createIndex on wide', delayMs };
    case 'sweep':
      return { afterAnswers: random.between(50, 800), onCall: 'drop', delayMs: random.between(0, 10) };
    case 'start':
      return { afterAnswers: 0, onCall: undefined, delayMs: random.between(0, 120) };
    default:
      return { afterAnswers: random.between(1, 2_500), onCall: undefined, delayMs: 0 };
  }
}

/**
 * Lets 16 writers and some readers at a store, ends it at a moment of the round's kind, has `--verify` look at what it
 * left, starts it again, and compares it with what was sent.
 *
 * @throws Violation
 */
export async function killRound(life: Life, kind: Kind, random: Random): Promise<RoundFigures> {
  const { store, dbs, leave } = life.running ?? (await begin(life));
  const moment = momentOf(kind, random);
  const signal = kind === 'stop' ? 'SIGTERM' : 'SIGKILL';
  const open = new Set<OpenCursor>();
  const inFlight = new Map<string, number>();
  let atEnd: ReadonlyMap<string, number> = new Map();
  let answers = 0;
  let ordered = false;
  let timer: NodeJS.Timeout | undefined;
  const strike = () => {
    if (ordered) return;
    ordered = true;
    atEnd = new Map([...inFlight].filter(([, count]) => count > 0));
    store.child.kill(signal);
  };
  const strikeSoon = () => {
    timer ??= setTimeout(strike, moment.delayMs);
  };
  const flight: Flight = {
    // On notice the server itself says when it is over.
    going: () => (!ordered || kind === 'stop') && store.isRunning(),
    mayFail: () => ordered,
    inFlight,
    onSend(what) {
      if (answers >= moment.afterAnswers && what === moment.onCall) strikeSoon();
    },
    onAnswer() {
      answers += 1;
      if (answers >= moment.afterAnswers && moment.onCall === undefined) strikeSoon();
    },
  };
  const latest = setTimeout(strike, longestMs);
  if (moment.afterAnswers === 0) strikeSoon();
  const work = Promise.all([
    runWriters({ books: life.books, flight, dbs, random, writers, indexing: kind === 'build' ? 0.5 : 0.12 }),
    runReaders(flight, dbs, life.still, open, random, readers),
  ]);
  work.catch(() => {});
  const over = work.then(([, seen]) => seen);
  await Promise.race([over, store.ended]);
  const how = await Promise.race([store.ended, sleep(drainLimitMs, undefined, { ref: false })]);
  clearTimeout(timer);
  clearTimeout(latest);
  if (!ordered) demand(false, () => `the store ended by itself with ${how === undefined ? 'nothing' : tellEnd(how)}`);
  demand(how !== undefined, () => `the store did not end within ${drainLimitMs} ms of ${signal}`);
  await Promise.race([over, sleep(lastAnswersMs, undefined, { ref: false })]);
  await leave();
  const seen = await Promise.race([over, sleep(drainLimitMs, undefined, { ref: false })]);
  demand(seen !== undefined, () => 'a call neither fails nor is answered though the server is gone');
  await end(life, signal);

  const dead = [...open];
  if (kind === 'twice') {
    for (let more = random.between(1, 3); more > 0; more -= 1) {
      await startStore('document-store', life.dataDir, {
        args: oftenExpiring,
        killAfterMs: random.between(20, 400),
      });
    }
  }
  const verified = await verify(life);
  await begin(life);
  const deadCursors = await askDeadCursors(life, dead);
  const { expiring } = life.books;
  const documents = await settle(life);
  const told = () => `--verify counts ${verified} documents, there are ${documents}, and ${expiring} may have expired`;
  demand(verified >= documents && verified <= documents + expiring, told);
  return { seen: seen ?? 0, deadCursors, verified: documents, inFlight: atEnd };
}
