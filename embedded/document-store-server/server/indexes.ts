import { pageBytes } from '../../disk-room.js';
import { toText } from '../bson/to-text.js';
import { type BsonValue, bsonType, itemsOf } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { oneBatch } from '../query/pipeline.js';
import { type Collection, type Index, idIndex } from '../storage/catalogue.js';
import { abandonBuild, beginBuild, buildPiece, type IndexBuild } from '../storage/index-build.js';
import { RoomNeeded } from '../storage/room-budget.js';
import { Arguments } from './arguments.js';
import { type Context, cursorReply, findCollection, findOrCreate, type Reply, removing, write } from './context.js';
import { exists, type IndexSpec, parseIndex } from './index-spec.js';

const mostIndexes = 64;

interface Begun {
  /** another client's build of one of these indexes: its end is to be waited for */
  wait?: Promise<void>;
  build?: IndexBuild;
  reply: Reply;
}

/** Inside a transaction: checks what is wanted and begins to build what is not there. */
function begin(context: Context, name: string, wanted: readonly IndexSpec[]): Begun & { collection: Collection } {
  const { store } = context.server;
  const existing = findCollection(context, name);
  const fresh: IndexSpec[] = [];
  const ready: IndexSpec[] = [...(existing?.indexes ?? [idIndex()])];
  const before = ready.length;
  let wait: Promise<void> | undefined;
  for (const spec of wanted) {
    if (exists([...ready, ...fresh], spec)) continue;
    const other = existing?.builds.find((build) => exists(build.indexes, spec));
    if (other === undefined) fresh.push(spec);
    else wait = other.over;
  }
  const building = existing?.builds.flatMap((build) => build.indexes) ?? [];
  if (before + building.length + fresh.length > mostIndexes) {
    throw new CommandError(code.cannotCreateIndex, `more than ${mostIndexes} indexes`);
  }
  const collection = existing ?? findOrCreate(context, name);
  const reply: Reply = {
    numIndexesBefore: before,
    numIndexesAfter: before + fresh.length,
    createdCollectionAutomatically: existing === undefined,
    ...(fresh.length === 0 ? { note: 'all indexes already exist' } : {}),
  };
  if (wait !== undefined) return { collection, wait, reply };
  if (fresh.length === 0) return { collection, reply };
  const size = fresh.reduce((sum, { pattern, partial }) => sum + pattern.length + (partial?.source.length ?? 0), 0);
  store.spend({ bytes: store.catalogue.costOfTouching(collection) + 4 * size + fresh.length * pageBytes });
  const build = beginBuild(store, collection, fresh);
  try {
    if (buildPiece(store, collection, build)) return { collection, reply };
  } catch (err) {
    // it has begun, and goes on when there is room
    if (!(err instanceof RoomNeeded)) throw err;
  }
  return { collection, build, reply };
}

/** Builds indexes, between the other clients' commands; who wants one that is being built waits for its end. */
export async function createIndexes(context: Context): Promise<Reply> {
  const { args, server } = context;
  const name = args.collection();
  const wanted = args.documents('indexes').map(parseIndex);
  args.refuse('commitQuorum');
  args.finish();
  if (wanted.length === 0) throw new CommandError(code.badValue, 'Must specify at least one index to create');
  for (;;) {
    const { collection, wait, build, reply } = await write(context, () => begin(context, name, wanted));
    if (wait !== undefined) {
      await wait;
      continue;
    }
    if (build === undefined) return reply;
    try {
      while (!(await write(context, () => buildPiece(server.store, collection, build))));
    } catch (err) {
      abandonBuild(server.store, collection, build);
      throw err;
    }
    return reply;
  }
}

function missing(context: Context, name: string): CommandError {
  return new CommandError(code.namespaceNotFound, `ns does not exist: ${context.database}.${name}`);
}

export async function listIndexes(context: Context): Promise<Reply> {
  const { args, database, server } = context;
  const name = args.collection();
  const cursor = new Arguments('cursor', args.documentOrEmpty('cursor'));
  const size = cursor.count('batchSize') ?? Number.POSITIVE_INFINITY;
  cursor.finish();
  args.finish();
  const collection = findCollection(context, name);
  if (collection === undefined) throw missing(context, name);
  const documents = collection.indexes.map((index) =>
    writeDocument({
      v: 2,
      key: index.pattern,
      name: index.name,
      unique: index.unique && !index.isIdIndex ? true : undefined,
      sparse: index.sparse ? true : undefined,
      partialFilterExpression: index.partial?.source,
      expireAfterSeconds: index.expireAfterSeconds,
    }),
  );
  const namespace = `${database}.${name}`;
  const batch = await server.cursors.start(namespace, oneBatch(documents), size, { session: context.session });
  return cursorReply(batch, namespace);
}

function named(indexes: readonly Index[], value: BsonValue): Index[] {
  if (value.type === bsonType.array) return itemsOf(value).flatMap((item) => named(indexes, item));
  if (value.type === bsonType.string && value.text === '*') return indexes.filter((index) => !index.isIdIndex);
  const shown = value.type === bsonType.string ? value.text : toText(value);
  const [index, ...others] = indexes.filter((candidate) =>
    value.type === bsonType.string ? candidate.name === value.text : candidate.pattern.equals(value.bytes),
  );
  if (others.length > 0) throw new CommandError(code.ambiguousIndex, `${others.length + 1} indexes match ${shown}`);
  if (index === undefined) throw new CommandError(code.indexNotFound, `index not found with name [${shown}]`);
  if (index.isIdIndex) throw new CommandError(code.invalidOptions, 'cannot drop _id index');
  return [index];
}

/** Drops indexes; the build of one that is not ready is aborted, with all that it builds. */
export function dropIndexes(context: Context): Promise<Reply> {
  const { args, server } = context;
  const name = args.collection();
  const wanted = args.required('index', args.value('index'));
  args.finish();
  return write(
    context,
    () => {
      const collection = findCollection(context, name);
      if (collection === undefined) throw missing(context, name);
      const nIndexesWas = collection.indexes.length;
      server.store.spend({ bytes: server.store.catalogue.costOfTouching(collection) });
      const building = collection.builds.flatMap(({ indexes }) => indexes);
      const dropped = new Set(named([...collection.indexes, ...building], wanted));
      for (const build of collection.builds) {
        if (build.indexes.some((index) => dropped.has(index))) abandonBuild(server.store, collection, build);
      }
      const ready = collection.indexes.filter((index) => dropped.has(index));
      collection.indexes = collection.indexes.filter((index) => !dropped.has(index));
      for (const index of ready) server.store.catalogue.discard(index.id);
      server.store.catalogue.touch(collection);
      return { nIndexesWas };
    },
    removing,
  );
}
