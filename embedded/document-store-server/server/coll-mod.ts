import { toText } from '../bson/to-text.js';
import type { BsonValue } from '../bson/value.js';
import { CommandError, code } from '../errors.js';
import type { Collection, Index } from '../storage/catalogue.js';
import { Arguments } from './arguments.js';
import { type Context, findCollection, type Reply, write } from './context.js';
import { compoundExpiry, parseExpiry } from './index-spec.js';

function findIndex(collection: Collection, name: string | undefined, pattern: BsonValue | undefined): Index {
  const found = collection.indexes.filter((index) =>
    pattern === undefined ? index.name === name : index.pattern.equals(pattern.bytes),
  );
  const [index] = found;
  if (found.length > 1) {
    throw new CommandError(code.ambiguousIndex, 'several indexes have this key pattern: name the one to change');
  }
  if (index !== undefined) return index;
  throw new CommandError(code.indexNotFound, `cannot find index ${name ?? (pattern && toText(pattern))}`);
}

/** Changes when the documents of an index expire; an index without expiry gets one. All else of `collMod` is refused. */
export async function collMod(context: Context): Promise<Reply> {
  const { args, database, server } = context;
  const name = args.collection();
  args.refuse('validator', 'validationLevel', 'validationAction', 'viewOn', 'pipeline', 'timeseries', 'dryRun');
  args.refuse('expireAfterSeconds', 'changeStreamPreAndPostImages', 'cappedSize', 'cappedMax', 'recordPreImages');
  const spec = args.document('index');
  args.finish();
  const change = spec && parseChange(spec);
  return write(context, () => {
    const collection = findCollection(context, name);
    if (collection === undefined) {
      throw new CommandError(code.namespaceNotFound, `ns does not exist: ${database}.${name}`);
    }
    if (change === undefined) return {};
    const index = findIndex(collection, change.name, change.pattern);
    if (index.isIdIndex) throw new CommandError(code.invalidOptions, 'the _id field does not support TTL indexes');
    if (index.fields.length > 1) throw compoundExpiry(code.invalidOptions);
    server.store.spend({ bytes: server.store.catalogue.costOfTouching(collection) });
    const before = index.expireAfterSeconds;
    index.expireAfterSeconds = change.seconds;
    server.store.catalogue.touch(collection);
    return {
      expireAfterSeconds_old: before === undefined ? undefined : BigInt(before),
      expireAfterSeconds_new: BigInt(change.seconds),
    };
  });
}

function parseChange(spec: BsonValue): { name: string | undefined; pattern: BsonValue | undefined; seconds: number } {
  const args = new Arguments('index', spec);
  const name = args.text('name');
  const pattern = args.document('keyPattern');
  const expiry = args.value('expireAfterSeconds');
  args.refuse('hidden', 'unique', 'prepareUnique');
  args.finish();
  if ((name === undefined) === (pattern === undefined)) {
    throw new CommandError(code.invalidOptions, 'give either the name or the keyPattern of the index');
  }
  if (expiry === undefined) {
    throw new CommandError(code.invalidOptions, "'expireAfterSeconds' is what can be changed of an index");
  }
  return { name, pattern, seconds: parseExpiry(expiry, code.invalidOptions) };
}
