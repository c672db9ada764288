import { parsePipeline } from '../aggregation/pipeline.js';
import { runStages, type Stage } from '../aggregation/stage.js';
import { type BsonValue, bsonType, fieldsOf } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import { mapBatches, noBatches, Turns } from '../query/pipeline.js';
import type { Collection } from '../storage/catalogue.js';
import { Arguments } from './arguments.js';
import { type Context, cursorReply, expressionsOf, findCollection, parseHint, type Reply } from './context.js';
import { firstBatchSize, type Query, runQuery } from './reads.js';

const largestDocument = 16 * 1024 * 1024;

function checkSize(document: Buffer): Buffer {
  if (document.length <= largestDocument) return document;
  throw new CommandError(code.tooLarge, `BSONObj size: ${document.length} is invalid. Size must be between 0 and 16MB`);
}

/** @throws CommandError 72 for any collation but the simple one, which compares bytes as this server does */
function checkCollation(collation: BsonValue | undefined): void {
  if (collation === undefined) return;
  const fields = fieldsOf(collation);
  if (fields.length === 0)
    throw new CommandError(code.missingField, "BSON field 'collation.locale' is missing but required");
  const isSimple = fields.every(([name, value]) => name === 'locale' && textOf(value) === 'simple');
  if (!isSimple)
    throw new CommandError(code.invalidOptions, "a collation other than { locale: 'simple' } is not supported");
}

function textOf(value: BsonValue): string {
  return value.type === bsonType.string ? value.text : '';
}

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
  collection: Collection | undefined;
  /** what the scan itself does */
  query: Omit<Query, 'collection'>;
  /** what is done behind it */
  stages: Stage[];
  batchSize: number;
}

/** Reads the arguments of `aggregate`; `explain` reads the same, without a cursor. */
export function parseAggregate(context: Context, args: Arguments, explains = false): AggregateArguments {
  if (args.value('aggregate')?.type !== bsonType.string) {
    throw new CommandError(code.invalidNamespace, 'aggregate without a collection is not supported');
  }
  const collection = findCollection(context, args.collection());
  args.refuse('explain');
  args.allow('allowDiskUse', 'bypassDocumentValidation');
  checkCollation(args.document('collation'));
  const batchSize = parseBatchSize(args, explains);
  const pipeline = args.required('pipeline', args.value('pipeline'));
  const { stages, ...query } = parsePipeline(pipeline, expressionsOf(context, args));
  const hint = parseHint(collection, args.value('hint'));
  args.finish();
  return { collection, query: { ...query, hint }, stages, batchSize };
}

export async function aggregate(context: Context): Promise<Reply> {
  const { args, database, server } = context;
  const { collection, query, stages, batchSize } = parseAggregate(context, args);
  const namespace = `${database}.${args.collection()}`;
  const source = collection === undefined ? noBatches() : runQuery(context, { collection, ...query }).batches;
  const batches = mapBatches(runStages(source, stages, new Turns(() => context.deadline)), checkSize);
  return cursorReply(
    await server.cursors.start(namespace, batches, batchSize, { single: false, keep: false }),
    namespace,
  );
}
