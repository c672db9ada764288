import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from './rows.js';

/** A number that a question can be asked with, as `--<name> <number>`. */
export interface Size {
  readonly default: number;
  readonly about: string;
}

/** A named question that the benchmark answers: a module of its own, listed in `questions.ts`. */
export interface Question<Name extends string = string> {
  readonly name: string;
  /** one line for the list of questions */
  readonly about: string;
  readonly sizes: Readonly<Record<Name, Size>>;
  run(harness: Harness<Name>): Promise<Row[]>;
}

/** What a question works with. */
export interface Harness<Name extends string = string> {
  readonly sizes: Readonly<Record<Name, number>>;
  /** how many rounds are to be kept of each comparison */
  readonly rounds: number;
  readonly seed: number;
  /** Says what is going on, for somebody who waits. */
  progress(text: string): void;
  /** A folder for data, gone when the question is answered or given up. */
  folder(): Promise<string>;
  /** To be done when the question is answered or given up, newest first. @throws Error when that is over */
  atEnd(work: () => Promise<void>): void;
  /** Gives the question up, from outside its own flow: a server that died. */
  fail(reason: Error): void;
}

export interface Settings<Name extends string = string> {
  readonly sizes: Readonly<Record<Name, number>>;
  readonly rounds: number;
  readonly seed: number;
  readonly progress: (text: string) => void;
  /** gives the question up */
  readonly signal?: AbortSignal;
  /** milliseconds that each thing to be done at the end may take */
  readonly endLimitMs?: number;
}

const endLimitMs = 15_000;

/**
 * Asks a question. Whatever comes of it, its processes and folders are gone afterwards.
 *
 * @throws the first fault, or the signal's reason
 */
export async function ask<Name extends string>(question: Question<Name>, settings: Settings<Name>): Promise<Row[]> {
  const { sizes, rounds, seed, progress, signal } = settings;
  const endings: (() => Promise<void>)[] = [];
  let over = false;
  let fail: (reason: Error) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const abort = () => fail(signal?.reason instanceof Error ? signal.reason : new Error('given up'));
  signal?.addEventListener('abort', abort);
  const harness: Harness<Name> = {
    sizes,
    rounds,
    seed,
    progress,
    atEnd(work) {
      if (over) throw new Error(`${question.name} is over already.`);
      endings.push(work);
    },
    async folder() {
      const path = await mkdtemp(join(tmpdir(), `shopledger-bench-`));
      const remove = () => rm(path, { recursive: true, force: true });
      try {
        harness.atEnd(remove);
      } catch (fault) {
        await remove();
        throw fault;
      }
      return path;
    },
    fail: (reason) => fail(reason),
  };
  try {
    if (signal?.aborted) abort();
    return await Promise.race([failed, question.run(harness)]);
  } finally {
    over = true;
    signal?.removeEventListener('abort', abort);
    for (const end of endings.reverse()) {
      // One that fails must not keep the others from being done.
      await within(settings.endLimitMs ?? endLimitMs, end()).catch((fault: unknown) =>
        progress(`could not tidy up: ${String(fault)}`),
      );
    }
  }
}

/** @throws Error when it takes longer than that */
async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${limitMs} ms`)), limitMs);
  });
  await Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
