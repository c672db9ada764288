import { encodeKey } from '../bson/key-encoding.js';
import { toInteger } from '../bson/numbers.js';
import { type BsonValue, bsonType, documentValue, itemsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { parsePipeline } from '../query/aggregate.js';
import { type Filter, matchAll, parseFilter } from '../query/filter.js';
import { parsePath, visitPath } from '../query/path.js';
import {
  type Batches,
  batchesOf,
  limitBatches,
  mapBatches,
  noBatches,
  skipBatches,
  sortBatches,
} from '../query/pipeline.js';
import { choosePlan, type Plan } from '../query/planner.js';
import { parseProjection, project } from '../query/projection.js';
import { type ScanCounts, scan } from '../query/scan.js';
import { parseSort, type SortOrder } from '../query/sort.js';
import type { Collection, Index } from '../storage/catalogue.js';
import { Arguments } from './arguments.js';
import { type Context, cursorReply, findCollection, parseHint, type Reply } from './context.js';

const firstBatchSize = 101;

export interface Query {
  collection: Collection;
  filter: Filter;
  order: SortOrder;
  skip: number;
  /** 0 for none */
  limit: number;
  hint: Index | 'natural' | undefined;
}

export interface Running {
  plan: Plan;
  counts: ScanCounts;
  batches: Batches;
}

/** Starts a query: plan, scan, sort where the plan does not give the order, skip, limit. */
export function runQuery(context: Context, query: Query): Running {
  const { store } = context.server;
  const { collection, filter, order, skip, limit, hint } = query;
  const plan = choosePlan(store, collection, filter, order, hint);
  const counts = { keys: 0, documents: 0 };
  let batches = batchesOf(scan(store, collection, plan, filter, counts), () => context.deadline);
  if (!plan.sorted) batches = sortBatches(batches, order, limit > 0 ? skip + limit : undefined);
  if (skip > 0) batches = skipBatches(batches, skip);
  if (limit > 0) batches = limitBatches(batches, limit);
  return { plan, counts, batches };
}

interface FindArguments {
  collection: Collection | undefined;
  query: Omit<Query, 'collection'>;
  map: ((document: Buffer) => Buffer) | undefined;
  batchSize: number;
  single: boolean;
  keep: boolean;
}

/** Reads the arguments of `find`; `explain` reads the same. */
export function parseFind(context: Context, args: Arguments): FindArguments {
  const collection = findCollection(context, args.collection());
  args.refuse('collation', 'min', 'max', 'returnKey', 'showRecordId', 'let', 'tailable', 'awaitData', 'oplogReplay');
  args.allow('allowDiskUse', 'allowPartialResults');
  const projection = parseProjection(args.documentOrEmpty('projection'));
  const single = args.flag('singleBatch');
  const find: FindArguments = {
    collection,
    query: {
      filter: parseFilter(args.documentOrEmpty('filter')),
      order: parseSort(args.documentOrEmpty('sort')),
      skip: args.count('skip') ?? 0,
      limit: args.count('limit') ?? 0,
      hint: parseHint(collection, args.value('hint')),
    },
    map: projection && ((document) => project(projection, document)),
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
  if (map !== undefined) batches = mapBatches(batches, map);
  return cursorReply(await context.server.cursors.start(namespace, batches, batchSize, { single, keep }), namespace);
}

function cursorId(value: BsonValue | undefined): bigint {
  if (value?.type !== bsonType.int64) throw new CommandError(code.typeMismatch, 'a cursor id must be of type long');
  return value.buffer.readBigInt64LE(value.start);
}

export async function getMore({ server, database, args }: Context): Promise<Reply> {
  const id = cursorId(args.value('getMore'));
  const namespace = `${database}.${args.required('collection', args.text('collection'))}`;
  const size = args.count('batchSize') ?? 0;
  args.finish();
  const batch = await server.cursors.more(id, namespace, size === 0 ? Number.POSITIVE_INFINITY : size);
  return cursorReply(batch, namespace, 'nextBatch');
}

export function killCursors({ server, args }: Context): Reply {
  const cursors = args.value('cursors');
  if (cursors?.type !== bsonType.array) throw new CommandError(code.typeMismatch, "'cursors' must be an array");
  args.finish();
  const killed: bigint[] = [];
  const notFound: bigint[] = [];
  for (const id of itemsOf(cursors).map(cursorId)) (server.cursors.kill(id) ? killed : notFound).push(id);
  return { cursorsKilled: killed, cursorsNotFound: notFound, cursorsAlive: [], cursorsUnknown: [] };
}

export async function count(context: Context): Promise<Reply> {
  const { args } = context;
  const collection = findCollection(context, args.collection());
  args.refuse('collation');
  args.allow('fields');
  const given = args.document('query');
  const filter = given === undefined || given.end - given.start === 5 ? matchAll : parseFilter(given);
  const skip = args.count('skip') ?? 0;
  const limitValue = args.value('limit');
  const limit = limitValue === undefined ? 0 : Math.abs(Number(toInteger(limitValue) ?? 0n));
  const hint = parseHint(collection, args.value('hint'));
  args.finish();
  if (collection === undefined) return { n: 0 };
  if (filter === matchAll) {
    const left = Math.max(0, collection.count - skip);
    return { n: limit > 0 ? Math.min(left, limit) : left };
  }
  let n = 0;
  const { batches } = runQuery(context, { collection, filter, order: [], skip, limit, hint });
  for await (const batch of batches) n += batch.length;
  return { n };
}

export async function distinct(context: Context): Promise<Reply> {
  const { args } = context;
  const collection = findCollection(context, args.collection());
  const path = parsePath(args.required('key', args.text('key')));
  const filter = parseFilter(args.documentOrEmpty('query'));
  args.refuse('collation');
  const hint = parseHint(collection, args.value('hint'));
  args.finish();
  const values = new Map<string, BsonValue>();
  if (collection !== undefined) {
    const { batches } = runQuery(context, { collection, filter, order: [], skip: 0, limit: 0, hint });
    for await (const batch of batches) {
      for (const document of batch) {
        visitPath(documentValue(document), path, false, (value) => {
          const items = value?.type === bsonType.array ? itemsOf(value) : value === undefined ? [] : [value];
          for (const item of items) {
            const key = encodeKey(item).toString('latin1');
            if (!values.has(key)) values.set(key, item);
          }
          return false;
        });
      }
    }
  }
  return { values: [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value) };
}

export async function aggregate(context: Context): Promise<Reply> {
  const { args, database, server } = context;
  if (args.value('aggregate')?.type !== bsonType.string) {
    throw new CommandError(code.invalidNamespace, 'aggregate without a collection is not supported');
  }
  const name = args.collection();
  const namespace = `${database}.${name}`;
  const collection = findCollection(context, name);
  args.refuse('explain', 'collation', 'let');
  args.allow('allowDiskUse', 'bypassDocumentValidation');
  const cursor = args.document('cursor');
  if (cursor === undefined) {
    throw new CommandError(
      code.failedToParse,
      "The 'cursor' option is required, except for aggregate with the explain argument",
    );
  }
  const cursorArgs = new Arguments('cursor', cursor);
  const batchSize = cursorArgs.count('batchSize') ?? firstBatchSize;
  cursorArgs.finish();
  const { filter, order, stages } = parsePipeline(args.required('pipeline', args.value('pipeline')));
  const hint = parseHint(collection, args.value('hint'));
  args.finish();
  const source = collection && runQuery(context, { collection, filter, order, skip: 0, limit: 0, hint }).batches;
  const batches = stages.reduce<Batches>((before, stage) => stage(before), source ?? noBatches());
  return cursorReply(
    await server.cursors.start(namespace, batches, batchSize, { single: false, keep: false }),
    namespace,
  );
}
