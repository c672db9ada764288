import { parsePipeline } from '../aggregation/pipeline.js';
import { runStages, type Stage } from '../aggregation/stage.js';
import { checkDocumentSize } from '../bson/document-size.js';
import { toDouble } from '../bson/numbers.js';
import { type BsonValue, documentValue } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { matchesFilter } from '../query/match.js';
import { type Batches, mapBatches, noBatches, Turns } from '../query/pipeline.js';
import type { Collection } from '../storage/catalogue.js';
import { Arguments } from './arguments.js';
import { type Context, cursorReply, expressionsOf, findCollection, parseHint, type Reply } from './context.js';
import { arrange, firstBatchSize, type Query, runQuery, withinTime } from './reads.js';
import { startSource } from './source-stages.js';

function parseBatchSize(args: Arguments, explains: boolean): number {
  const cursor = args.document('cursor');
  if (cursor === undefined) {
    if (explains) return firstBatchSize;
    throw new CommandError(
      code.failedToParse,
      "The 'cursor' option is required, except for aggregate with the explain argument",
    );
  }
  const cursorArgs = new Arguments('cursor', cursor);
  const batchSize = cursorArgs.count('batchSize') ?? firstBatchSize;
  cursorArgs.finish();
  return batchSize;
}

interface AggregateArguments {
  namespace: string;
  collection: Collection | undefined;
  /** what the scan itself does */
  query: Omit<Query, 'collection'>;
  /** what is read instead of a collection */
  source: Batches | undefined;
  /** what is done behind it */
  stages: Stage[];
  /** the pipeline as it came */
  pipeline: BsonValue;
  batchSize: number;
}

/** The collection of `aggregate`; undefined for `aggregate: 1`, which is asked of the database. */
function parseCollection(args: Arguments): string | undefined {
  const value = args.value('aggregate');
  return value?.isNumber && toDouble(value) === 1 ? undefined : args.collection();
}

/** Reads the arguments of `aggregate`; `explain` reads the same, without a cursor. */
export function parseAggregate(context: Context, explains = false): AggregateArguments {
  const { args, database } = context;
  const name = parseCollection(args);
  const collection = name === undefined ? undefined : findCollection(context, name);
  args.refuse('collation', 'exchange');
  args.flags('allowDiskUse', 'bypassDocumentValidation', 'explain');
  const batchSize = parseBatchSize(args, explains);
  const pipeline = args.required('pipeline', args.value('pipeline'));
  const source = startSource(context, pipeline, name);
  const { stages, ...query } = parsePipeline(source?.rest ?? pipeline, expressionsOf(context, args));
  const hint = parseHint(collection, args.hint());
  args.finish();
  return {
    namespace: `${database}.${name ?? '$cmd.aggregate'}`,
    collection,
    query: { ...query, hint },
    source: source?.documents,
    stages,
    pipeline,
    batchSize,
  };
}

export async function aggregate(context: Context): Promise<Reply> {
  const { namespace, collection, query, source, stages, batchSize } = parseAggregate(context);
  let batches = noBatches();
  const turns = new Turns(() => context.deadline, context.held);
  if (source !== undefined) {
    const matching = mapBatches(source, (document) =>
      matchesFilter(query.filter, documentValue(document)) ? document : undefined,
    );
    batches = arrange(matching, query, turns);
  } else if (collection !== undefined) batches = runQuery(context, { collection, ...query }).batches;
  batches = mapBatches(runStages(batches, stages, turns), checkDocumentSize);
  if (context.deadline < Number.POSITIVE_INFINITY) batches = withinTime(context, batches);
  const { held, server, session } = context;
  const batch = await server.cursors.start(namespace, batches, batchSize, { session, held });
  return cursorReply(batch, namespace);
}
