import type { Logger } from '../../../runtime/logger.js';
import { documentValue } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { interval, rangesOf } from '../query/bounds.js';
import { type Filter, parseFilter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import { conjunctsOf, type Plan } from '../query/planner.js';
import { scan } from '../query/scan.js';
import type { Collection, Index } from '../storage/catalogue.js';
import { getRecord, removeRecord } from '../storage/records.js';
import { idBytes, type Store } from '../storage/store.js';

/** Removes what the TTL indexes say has expired. */
export interface Expiry {
  /** Looks through all TTL indexes once; one pass at a time. @returns how many documents went */
  pass(): Promise<number>;
  close(): void;
}

export interface ExpiryOptions {
  store: Store;
  log: Logger;
  /** milliseconds since 1970 */
  now: () => number;
  /** between two passes */
  everyMs: number;
  /** told of every piece that was removed */
  removed: (documents: number) => void;
}

const pieceSize = 100;
const pieceBytes = 4 * 1024 * 1024;

/** A date, or an array's earliest, that is past: only dates compare with a date, so all else stays. */
function expiredBy(index: Index, now: number): Filter {
  const last = new Date(now - (index.expireAfterSeconds ?? 0) * 1000);
  return parseFilter(documentValue(writeDocument({ [index.fields[0]?.path.text ?? '']: { $lte: last } })));
}

/** All keys of the index up to the last date that has expired, in the index's own order. */
function planOf(index: Index, filter: Filter): Plan {
  const [tests = []] = conjunctsOf(filter).values();
  const intervals = tests.flatMap(rangesOf).flatMap((range) => {
    if (range === undefined) return [];
    const { start, end } = interval(range, index.fields[0]?.descending === true);
    const id = idBytes(index.id);
    return [{ start: Buffer.concat([id, start]), end: Buffer.concat([id, end]) }];
  });
  return { index, intervals, reverse: false, sorted: true, boundFields: 1, bounds: [] };
}

/** Removes a piece of what was found, each document only if it has expired still. @param records are taken away */
function removePiece(
  { store, now }: ExpiryOptions,
  collection: Collection,
  index: Index,
  records: number[],
  removed: () => void,
): void {
  if (collection.dropped || !collection.indexes.includes(index)) return;
  const filter = expiredBy(index, now());
  for (; records.length > 0; records.pop()) {
    const record = records.at(-1) ?? 0;
    const document = getRecord(store, collection, record);
    if (document === undefined || !matchesFilter(filter, documentValue(document))) continue;
    if (index.partial !== undefined && !matchesFilter(index.partial.filter, documentValue(document))) continue;
    removeRecord(store, collection, record, document);
    removed();
  }
}

async function expire(options: ExpiryOptions, collection: Collection, index: Index): Promise<number> {
  const { store, now } = options;
  const filter = expiredBy(index, now());
  let total = 0;
  let piece: number[] = [];
  let bytes = 0;
  const remove = async () => {
    const records = piece;
    piece = [];
    bytes = 0;
    let removed = 0;
    const count = () => {
      removed++;
    };
    await store.write(() => removePiece(options, collection, index, records, count), { removes: true });
    options.removed(removed);
    total += removed;
  };
  for (const found of scan(store, collection, planOf(index, filter), filter)) {
    if (found === undefined) continue;
    piece.push(found.record);
    bytes += found.document.length;
    if (piece.length >= pieceSize || bytes >= pieceBytes) await remove();
  }
  if (piece.length > 0) await remove();
  return total;
}

/** Starts the passes. A pass removes pieces of a hundred documents, each a write among those of the clients. */
export function startExpiry(options: ExpiryOptions): Expiry {
  const { store, log, everyMs } = options;
  const passOnce = async (): Promise<number> => {
    let total = 0;
    for (const collection of store.catalogue.all()) {
      for (const index of collection.indexes) {
        if (index.expireAfterSeconds === undefined || collection.dropped) continue;
        try {
          total += await expire(options, collection, index);
        } catch (err) {
          if (!(err instanceof CommandError)) throw err;
          if (err.code === code.shutdown) return total;
          // dropped meanwhile, or no room on the disk: the next pass looks again
          if (err.code !== code.planKilled) log.warn('documents could not expire', { err });
        }
      }
    }
    return total;
  };
  let running: Promise<number> | undefined;
  const pass = () => {
    running ??= passOnce().finally(() => {
      running = undefined;
    });
    return running;
  };
  const timer = setInterval(() => {
    pass().catch((err: unknown) => log.error('a pass over the TTL indexes failed', { err }));
  }, everyMs).unref();
  return { pass, close: () => clearInterval(timer) };
}
