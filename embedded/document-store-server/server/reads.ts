import { checkDocumentSize } from '../bson/document-size.js';
import { encodeKey } from '../bson/key-encoding.js';
import { type BsonValue, bsonType, documentValue, itemsOf, typeName } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { parseProjection, project } from '../projection/projection.js';
import { type Filter, matchAll, parseFilter } from '../query/filter.js';
import { type Path, parsePath, visitPath } from '../query/path.js';
import {
  type Batches,
  batchesOf,
  limitBatches,
  mapBatches,
  noBatches,
  skipBatches,
  sortBatches,
  Turns,
} from '../query/pipeline.js';
import { choosePlan, type Hint, type Plan } from '../query/planner.js';
import { type Found, type ScanCounts, scan } from '../query/scan.js';
import { parseSort, type SortOrder } from '../query/sort.js';
import type { Collection } from '../storage/catalogue.js';
import type { Arguments } from './arguments.js';
import {
  type Context,
  cursorReply,
  expressionsOf,
  findCollection,
  parseHint,
  parseNatural,
  type Reply,
} from './context.js';
import { planSummary } from './slow-log.js';

export const firstBatchSize = 101;
const largestReply = 16 * 1024 * 1024;

export interface Query {
  collection: Collection;
  filter: Filter;
  order: SortOrder;
  skip: number;
  /** 0 for none */
  limit: number;
  hint: Hint | undefined;
}

interface Tally {
  matches: number;
}

export interface Running {
  plan: Plan;
  counts: ScanCounts & Tally;
  batches: Batches;
}

/** Counts what a scan finds, and ends it where nobody waits for more. */
function* upTo(most: number, found: Iterable<Found | undefined>, tally: Tally): Generator<Found | undefined> {
  for (const one of found) {
    if (one !== undefined) tally.matches++;
    yield one;
    if (tally.matches === most) return;
  }
}

/**
 * Starts a query: plan, scan, sort where the plan does not give the order, skip, limit.
 *
 * @param considered is given the plans that were weighed against each other
 */
export function runQuery(context: Context, query: Query, considered?: Plan[]): Running {
  const { store } = context.server;
  const { collection, filter, order, skip, limit, hint } = query;
  const wanted = limit > 0 ? skip + limit : undefined;
  const plan = choosePlan(store, collection, filter, order, { hint, wanted, considered });
  const counts = { keys: 0, documents: 0, matches: 0 };
  context.plans.add(planSummary(plan));
  context.running.push(counts);
  const most = plan.sorted ? (wanted ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
  const found = upTo(most, scan(store, collection, plan, filter, counts), counts);
  const turns = new Turns(() => context.deadline, context.held);
  const batches = arrange(batchesOf(found, turns), { order: plan.sorted ? [] : order, skip, limit }, turns);
  return { plan, counts, batches };
}

/** Sorts where an order is given, skips and limits. */
export function arrange(
  source: Batches,
  { order, skip, limit }: Pick<Query, 'order' | 'skip' | 'limit'>,
  turns: Turns,
): Batches {
  let batches = source;
  if (order.length > 0) batches = sortBatches(batches, order, turns, limit > 0 ? skip + limit : undefined);
  if (skip > 0) batches = skipBatches(batches, skip);
  return limit > 0 ? limitBatches(batches, limit) : batches;
}

interface FindArguments {
  collection: Collection | undefined;
  query: Omit<Query, 'collection'>;
  map: ((document: Buffer) => Buffer) | undefined;
  batchSize: number;
  single: boolean;
  keep: boolean;
}

/** Holds a result to its time: what the client waits for counts, the time between two batches does not. */
export async function* withinTime(context: Context, source: Batches): Batches {
  let left = context.deadline - performance.now();
  try {
    for (;;) {
      const began = performance.now();
      context.deadline = began + left;
      const step = await source.next();
      left -= performance.now() - began;
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    await source.return();
  }
}

/** Reads the arguments of `find`; `explain` reads the same. */
export function parseFind(context: Context, args: Arguments): FindArguments {
  const collection = findCollection(context, args.collection());
  args.refuse('collation', 'min', 'max', 'returnKey', 'showRecordId', 'tailable', 'awaitData', 'oplogReplay');
  args.flags('allowDiskUse', 'allowPartialResults');
  const expressions = expressionsOf(context, args);
  const projection = parseProjection(args.documentOrEmpty('projection'), expressions);
  const single = args.flag('singleBatch');
  const sort = args.documentOrEmpty('sort');
  const natural = parseNatural(sort);
  const hint = parseHint(collection, args.hint());
  if (natural !== undefined && typeof hint === 'object') {
    throw new CommandError(code.badValue, 'a sort by $natural contradicts the hint of an index');
  }
  const find: FindArguments = {
    collection,
    query: {
      filter: parseFilter(args.documentOrEmpty('filter'), expressions),
      order: natural === undefined ? parseSort(sort) : [],
      skip: args.count('skip') ?? 0,
      limit: args.count('limit') ?? 0,
      hint: natural ?? hint,
    },
    map: projection && ((document) => checkDocumentSize(project(projection, document))),
    batchSize: args.count('batchSize') ?? firstBatchSize,
    single,
    keep: args.flag('noCursorTimeout'),
  };
  args.finish();
  return find;
}

export async function find(context: Context): Promise<Reply> {
  const namespace = `${context.database}.${context.args.collection()}`;
  const { collection, query, map, batchSize, single, keep } = parseFind(context, context.args);
  let batches = collection === undefined ? noBatches() : runQuery(context, { collection, ...query }).batches;
  if (map !== undefined) batches = mapBatches(batches, map, new Turns(() => context.deadline));
  if (context.deadline < Number.POSITIVE_INFINITY) batches = withinTime(context, batches);
  const opening = { single, keep, session: context.session, held: context.held };
  return cursorReply(await context.server.cursors.start(namespace, batches, batchSize, opening), namespace);
}

function cursorId(field: string, value: BsonValue): bigint {
  if (value.type === bsonType.int64) return value.buffer.readBigInt64LE(value.start);
  throw new CommandError(
    code.typeMismatch,
    `BSON field '${field}' is the wrong type '${typeName(value.type)}', expected type 'long'`,
  );
}

export async function getMore({ server, database, args, session }: Context): Promise<Reply> {
  const id = cursorId('getMore.getMore', args.required('getMore', args.value('getMore')));
  const namespace = `${database}.${args.required('collection', args.text('collection'))}`;
  const size = args.count('batchSize') ?? 0;
  args.finish();
  if (args.value('maxTimeMS') !== undefined) {
    throw new CommandError(code.badValue, 'cannot set maxTimeMS on getMore command for a non-awaitData cursor');
  }
  const batch = await server.cursors.more(id, namespace, size === 0 ? Number.POSITIVE_INFINITY : size, session);
  return cursorReply(batch, namespace, 'nextBatch');
}

export function killCursors({ server, args }: Context): Reply {
  const ids = args.items('cursors').map((id) => cursorId('killCursors.cursors', id));
  args.finish();
  const cursorsKilled = ids.filter((id) => server.cursors.kill(id));
  const cursorsNotFound = ids.filter((id) => !cursorsKilled.includes(id));
  return { cursorsKilled, cursorsNotFound, cursorsAlive: [], cursorsUnknown: [] };
}

export async function count(context: Context): Promise<Reply> {
  const { collection, query } = parseCount(context, context.args);
  if (collection === undefined) return { n: 0 };
  if (query.filter === matchAll && query.hint === undefined) return { n: storedCount(collection, query) };
  let n = 0;
  for await (const batch of runQuery(context, { collection, ...query }).batches) n += batch.length;
  return { n };
}

/** What a count without a filter answers: the number of documents is stored with the collection. */
export function storedCount({ count: all }: Collection, { skip, limit }: Pick<Query, 'skip' | 'limit'>): number {
  const left = Math.max(0, all - skip);
  return limit > 0 ? Math.min(left, limit) : left;
}

/** Reads the arguments of `count`; `explain` reads the same. A negative limit means as much as a positive one. */
export function parseCount(context: Context, args: Arguments): Pick<FindArguments, 'collection' | 'query'> {
  const collection = findCollection(context, args.collection());
  args.refuse('collation');
  args.document('fields');
  const given = args.document('query');
  const query = {
    filter:
      given === undefined || given.end - given.start === 5 ? matchAll : parseFilter(given, expressionsOf(context)),
    order: [],
    skip: args.count('skip') ?? 0,
    limit: Math.abs(args.count('limit', Number.NEGATIVE_INFINITY) ?? 0),
    hint: parseHint(collection, args.hint()),
  };
  args.finish();
  return { collection, query };
}

/** Reads the arguments of `distinct`; `explain` reads the same. */
export function parseDistinct(
  context: Context,
  args: Arguments,
): Pick<FindArguments, 'collection' | 'query'> & { path: Path } {
  const collection = findCollection(context, args.collection());
  const key = args.required('key', args.text('key'));
  if (key === '' || key.includes('\0')) throw new CommandError(code.badValue, `'${key}' is no key for distinct`);
  const filter = parseFilter(args.documentOrEmpty('query'), expressionsOf(context));
  args.refuse('collation');
  args.finish();
  return { collection, path: parsePath(key), query: { filter, order: [], skip: 0, limit: 0, hint: undefined } };
}

export async function distinct(context: Context): Promise<Reply> {
  const { collection, path, query } = parseDistinct(context, context.args);
  const values = new Map<string, BsonValue>();
  let bytes = 0;
  const add = (value: BsonValue) => {
    const key = encodeKey(value).toString('latin1');
    if (values.has(key)) return;
    values.set(key, value);
    bytes += value.end - value.start + String(values.size).length + 2;
    if (bytes > largestReply) throw new CommandError(17217, 'distinct too big, 16mb cap');
  };
  if (collection !== undefined) {
    for await (const batch of runQuery(context, { collection, ...query }).batches) {
      for (const document of batch) {
        visitPath(documentValue(document), path, false, (value) => {
          if (value?.type === bsonType.array) itemsOf(value).forEach(add);
          else if (value !== undefined) add(value);
          return false;
        });
      }
    }
  }
  return { values: [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value) };
}
