import { longestExactKey } from '../bson/key-encoding.js';
import { documentValue } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { borrow, keep } from '../storage/borrowed.js';
import type { Collection } from '../storage/catalogue.js';
import { dataKey, readRecord, type Store } from '../storage/store.js';
import type { Filter } from './filter.js';
import { matchesFilter } from './match.js';
import { type Interval, isOfWholeKeys, type Plan } from './planner.js';

export interface Found {
  record: number;
  document: Buffer;
}

export interface ScanCounts {
  keys: number;
  documents: number;
}

const firstPageKeys = 32;
const pageKeys = 128;
const pageBytes = 1 << 20;

interface Entry {
  key: Buffer;
  value: Buffer;
}

/** The entry of one `_id`, without a cursor; undefined where a cursor is needed. */
function entryOfId(store: Store, plan: Plan, { start }: Interval): Entry[] | undefined {
  if (plan.index?.isIdIndex !== true || !isOfWholeKeys(plan) || start.length >= longestExactKey) return undefined;
  const value = store.ids.get(start);
  return value === undefined ? [] : [{ key: start, value }];
}

/** Pages of one interval. Between pages no LMDB cursor stays open, so others may read and write in the meantime. */
function* pages(store: Store, plan: Plan, { start, end }: Interval): Generator<Entry[]> {
  const table = plan.index === undefined ? store.data : plan.index.isIdIndex ? store.ids : store.index;
  let after: Buffer | undefined;
  // what is wanted is often found at once
  for (let most = firstPageKeys; ; most = pageKeys) {
    const page: Entry[] = [];
    let bytes = 0;
    const range = plan.reverse
      ? { start: after ?? end, end: start, reverse: true, inclusiveEnd: true, exclusiveStart: true }
      : { start: after ?? start, end, exclusiveStart: after !== undefined };
    for (const { key, value } of table.getRange(range)) {
      page.push({ key, value });
      bytes += value.length;
      if (page.length >= most || bytes >= pageBytes) break;
    }
    if (page.length > 0) yield page;
    if (page.length < most && bytes < pageBytes) return;
    after = page.at(-1)?.key;
  }
}

const isAll = (filter: Filter) => filter.kind === 'and' && filter.parts.length === 0;

/**
 * The documents of a plan that match the filter, in the plan's order. Yields undefined now and then where nothing
 * matched, so that the caller can let others run. It holds no snapshot: a document changed meanwhile is seen as it was
 * or as it is, and one whose key moves may be missed.
 *
 * @throws CommandError 175 when the collection or the index is dropped meanwhile, 91 when the server stops
 */
export function* scan(
  store: Store,
  collection: Collection,
  plan: Plan,
  filter: Filter,
  counts: ScanCounts = { keys: 0, documents: 0 },
): Generator<Found | undefined> {
  const { index } = plan;
  // an array stands in an index once per item, and the cut bounds of long keys may overlap
  const seen = index !== undefined && (index.multikey || index.inexact) ? new Set<number>() : undefined;
  const intervals = plan.reverse ? [...plan.intervals].reverse() : plan.intervals;
  const checkAlive = () => {
    store.checkOpen();
    if (collection.dropped || (index !== undefined && !collection.indexes.includes(index))) {
      throw new CommandError(code.planKilled, 'the collection or index was dropped during the query');
    }
  };
  const { totals } = store;
  totals.scans[
    index === undefined ? (isAll(filter) ? 'everything' : 'collection') : index.isIdIndex ? 'id' : 'index'
  ]++;
  let told = { ...counts };
  const tell = () => {
    totals.examined.keys += counts.keys - told.keys;
    totals.examined.documents += counts.documents - told.documents;
    told = { keys: counts.keys, documents: counts.documents };
  };
  try {
    for (const interval of intervals) {
      const only = entryOfId(store, plan, interval);
      for (const page of only === undefined ? pages(store, plan, interval) : [only]) {
        for (const { key, value } of page) {
          checkAlive();
          if (index !== undefined) counts.keys++;
          const record =
            index === undefined
              ? readRecord(key, 4)
              : index.isIdIndex
                ? readRecord(value, 0)
                : readRecord(key, key.length - 8);
          if (seen?.has(record)) continue;
          seen?.add(record);
          const document =
            index === undefined ? documentValue(value) : borrow(store.data, dataKey(collection.id, record));
          if (document === undefined) continue;
          counts.documents++;
          if (!matchesFilter(filter, document)) yield undefined;
          else yield { record, document: index === undefined ? value : keep(document) };
        }
        tell();
        yield undefined;
      }
      // what was dropped may have been swept away, and then looks like the end
      checkAlive();
    }
  } finally {
    tell();
  }
}
