import { CommandError, code } from '../errors.js';
import type { WriteOptions } from '../storage/store.js';
import { type Context, type Reply, write } from './context.js';
import type { Search } from './targets.js';

interface WriteError {
  index: number;
  code: number;
  errmsg: string;
  [key: string]: unknown;
}

/** These end the command and not a statement of it. */
const interruptions = new Set<number>([code.internal, code.timeLimit, code.shutdown]);

/**
 * Runs the statements of a write command in their order. As many as fit into one turn share a transaction; then others
 * get theirs. A statement that has to search for long does so between two transactions, and the next begins after it.
 * So each document is changed as one, and what one statement did is seen by the next; between statements others may
 * write, as in MongoDB. A statement that the disk has no room for is refused as others are: those before it are stored.
 *
 * @param run one statement, inside a transaction; what it throws refuses that statement, and ends an ordered command
 * @param done after a statement that was not refused
 * @returns the errors, as they belong in the reply
 */
export async function runStatements(
  context: Context,
  count: number,
  ordered: boolean,
  run: (index: number) => Search | undefined,
  done: (index: number) => void,
  options: WriteOptions = {},
): Promise<Reply> {
  const { store } = context.server;
  const errors: WriteError[] = [];
  let next = 0;
  const note = (err: unknown) => {
    if (!(err instanceof CommandError) || interruptions.has(err.code)) throw err;
    errors.push({ index: next, code: err.code, ...err.extra, errmsg: err.message });
    next = ordered ? count : next + 1;
  };
  const turn = (): Search | undefined => {
    for (const first = next; next < count && !(next > first && store.isTurnOver); ) {
      try {
        const search = run(next);
        if (search !== undefined) return search;
        done(next++);
      } catch (err) {
        note(err);
      }
    }
    return undefined;
  };
  while (next < count) {
    try {
      const search = await write(context, turn, options);
      if (search === undefined) continue;
      await search();
      done(next++);
    } catch (err) {
      note(err);
    }
  }
  return errors.length === 0 ? {} : { writeErrors: errors };
}
