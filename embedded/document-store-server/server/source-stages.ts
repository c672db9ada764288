import { hostname } from 'node:os';
import { type BsonValue, bsonType, fieldsOf, itemsOf } from '../bson/value.js';
import { toBson, writeDocument } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { type Batches, oneBatch } from '../query/pipeline.js';
import { Arguments } from './arguments.js';
import { type Context, findCollection } from './context.js';
import { storageStats } from './sizes.js';

/** A stage at the front of a pipeline that makes documents of its own instead of reading a collection's. */
interface SourceStage {
  /** it is for `aggregate: 1`, not for a collection */
  onDatabase: boolean;
  run(context: Context, spec: BsonValue, collection: string): Batches;
}

function notStable({ args }: Context, what: string): void {
  if (!args.flag('apiStrict')) return;
  throw new CommandError(code.apiStrict, `Provided apiStrict:true, but ${what} is not in API Version 1`);
}

async function* collectionStats(context: Context, spec: BsonValue, name: string): Batches {
  const args = new Arguments('$collStats', spec);
  const count = args.document('count');
  const storage = args.document('storageStats');
  args.refuse('latencyStats', 'queryExecStats');
  args.finish();
  if (storage !== undefined) notStable(context, "'storageStats' of $collStats");
  const collection = findCollection(context, name);
  if (collection === undefined && count !== undefined) {
    throw new CommandError(code.namespaceNotFound, `Unable to retrieve count in $collStats stage: ${name} not found`);
  }
  const scale = storage && new Arguments('storageStats', storage);
  const factor = scale?.count('scale', 1) ?? 1;
  scale?.finish();
  const document = writeDocument({
    ns: `${context.database}.${name}`,
    host: hostname(),
    localTime: new Date(context.server.clock.now()),
    storageStats: storage && (await storageStats(context, collection, factor)),
    count: count && collection?.count,
  });
  yield [document];
}

function localSessions(context: Context, spec: BsonValue): Batches {
  notStable(context, 'the stage $listLocalSessions');
  const args = new Arguments('$listLocalSessions', spec);
  args.flag('allUsers');
  args.refuse('users');
  args.finish();
  return oneBatch(context.server.sessions.documents());
}

const sources: Record<string, SourceStage> = {
  $collStats: { onDatabase: false, run: collectionStats },
  $listLocalSessions: { onDatabase: true, run: localSessions },
};

/** The stages that pipelines may begin with, beside those that may stand anywhere. */
export const sourceStageNames = Object.keys(sources);

/**
 * Starts a pipeline whose first stage makes its documents itself.
 *
 * @param collection undefined for `aggregate: 1`
 * @returns the documents and the pipeline behind that stage; undefined when the first stage is none of these
 * @throws CommandError 73 where it must be asked of a database, or of a collection; 40573 for change streams
 */
export function startSource(
  context: Context,
  pipeline: BsonValue,
  collection: string | undefined,
): { documents: Batches; rest: BsonValue } | undefined {
  const [first, ...rest] = pipeline.type === bsonType.array ? itemsOf(pipeline) : [];
  const [name = '', spec] = (first?.type === bsonType.document ? fieldsOf(first)[0] : undefined) ?? [];
  if (name === '$changeStream') {
    throw new CommandError(40573, 'The $changeStream stage is only supported on replica sets');
  }
  const source = Object.hasOwn(sources, name) ? sources[name] : undefined;
  if (collection === undefined && source?.onDatabase !== true) {
    const known = Object.keys(sources).filter((stage) => sources[stage]?.onDatabase);
    throw new CommandError(
      code.invalidNamespace,
      `{aggregate: 1} is not valid for '${name}'; a collection is required. Supported without one: ${known.join(' ')}`,
    );
  }
  if (source === undefined || spec === undefined) return undefined;
  if (collection !== undefined && source.onDatabase) {
    throw new CommandError(
      code.invalidNamespace,
      `${name} must be run against the database with {aggregate: 1}, not a collection`,
    );
  }
  if (spec.type !== bsonType.document) throw new CommandError(code.failedToParse, `${name} needs an object`);
  return { documents: source.run(context, spec, collection ?? ''), rest: toBson(rest) };
}
