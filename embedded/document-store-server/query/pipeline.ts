import { setImmediate as nextTurn } from 'node:timers/promises';
import { CommandError, code } from '../errors.js';
import type { Found } from './scan.js';
import { Sorter, type SortOrder } from './sort.js';

/** Documents on their way to a cursor, some at a time. */
export type Batches = AsyncGenerator<Buffer[], void>;

const turnMs = 10;
const batchSize = 128;
const batchBytes = 1 << 20;

export function checkDeadline(deadline: number): void {
  if (performance.now() > deadline) throw new CommandError(code.timeLimit, 'operation exceeded time limit');
}

export interface Held {
  bytes: number;
}

/** Work in turns: after ten milliseconds other clients come first. */
export class Turns {
  private began = performance.now();

  /** @param held bytes of results that this work keeps until it is over */
  constructor(
    private readonly deadline: () => number,
    private readonly held: Held = { bytes: 0 },
  ) {}

  hold(bytes: number): void {
    this.held.bytes += bytes;
  }

  isOver(): boolean {
    return performance.now() - this.began > turnMs;
  }

  /** Lets others work. @throws CommandError 50 when the time for all of it is over */
  async next(): Promise<void> {
    checkDeadline(this.deadline());
    await nextTurn();
    this.began = performance.now();
  }
}

/** The documents of a scan, in batches and turns. */
export async function* batchesOf(scan: Iterable<Found | undefined>, turns: Turns): Batches {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const found of scan) {
    if (found !== undefined) {
      batch.push(found.document);
      bytes += found.document.length;
    }
    if (batch.length >= batchSize || bytes >= batchBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    if (turns.isOver()) await turns.next();
  }
  if (batch.length > 0) yield batch;
}

/** Documents made one after the other, in batches. */
export function* inBatches(documents: Iterable<Buffer>): Generator<Buffer[], void> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const document of documents) {
    batch.push(document);
    bytes += document.length;
    if (batch.length < batchSize && bytes < batchBytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** The same batches; between two of them others may work. */
export async function* inTurns(source: Batches, turns: Turns): Batches {
  for await (const batch of source) {
    if (turns.isOver()) await turns.next();
    yield batch;
  }
}

export async function* sortBatches(source: Batches, order: SortOrder, turns: Turns, limit?: number): Batches {
  const sorter = new Sorter(order, limit);
  for await (const batch of source) for (const document of batch) sorter.add(document);
  turns.hold(sorter.size);
  yield* inBatches(sorter.result());
}

export async function* skipBatches(source: Batches, skip: number): Batches {
  let left = skip;
  for await (const batch of source) {
    if (left >= batch.length) left -= batch.length;
    else {
      yield left === 0 ? batch : batch.slice(left);
      left = 0;
    }
  }
}

export async function* limitBatches(source: Batches, limit: number): Batches {
  let left = limit;
  for await (const batch of source) {
    yield batch.length > left ? batch.slice(0, left) : batch;
    left -= batch.length;
    if (left <= 0) return;
  }
}

/** @param turns taken from document to document where given: what is done to one of them may take long */
export async function* mapBatches(
  source: Batches,
  map: (document: Buffer) => Buffer | undefined,
  turns?: Turns,
): Batches {
  for await (const batch of source) {
    const kept: Buffer[] = [];
    for (const document of batch) {
      if (turns?.isOver()) await turns.next();
      const mapped = map(document);
      if (mapped !== undefined) kept.push(mapped);
    }
    yield kept;
  }
}

/** A stage that answers only after the last document. */
export async function* collectBatches(
  source: Batches,
  collector: { add(document: Buffer): void; result(): Iterable<Buffer> },
  turns: Turns,
): Batches {
  for await (const batch of source) {
    for (const document of batch) {
      if (turns.isOver()) await turns.next();
      collector.add(document);
    }
  }
  yield* inBatches(collector.result());
}

export async function* noBatches(): Batches {}

export async function* oneBatch(documents: Buffer[]): Batches {
  yield documents;
}
