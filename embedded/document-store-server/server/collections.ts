import { pageBytes } from '../../disk-room.js';
import { BsonValue, documentValue } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError, code } from '../errors.js';
import { parseFilter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import { oneBatch } from '../query/pipeline.js';
import { type Collection, checkName } from '../storage/catalogue.js';
import { Arguments } from './arguments.js';
import { type Context, cursorReply, findCollection, findOrCreate, type Reply, removing, write } from './context.js';
import { checkAdmin } from './diagnostics.js';

export function create(context: Context): Promise<Reply> {
  const { args } = context;
  const name = args.collection();
  args.refuse('capped', 'size', 'max', 'validator', 'validationLevel', 'validationAction', 'viewOn', 'pipeline');
  args.refuse('collation', 'timeseries', 'expireAfterSeconds', 'clusteredIndex', 'storageEngine');
  args.refuse(
    'indexOptionDefaults',
    'changeStreamPreAndPostImages',
    'encryptedFields',
    'autoIndexId',
    'temp',
    'idIndex',
  );
  args.finish();
  return write(context, () => {
    findOrCreate(context, name);
    return {};
  });
}

export function drop(context: Context): Promise<Reply> {
  const { args, server, database } = context;
  const name = args.collection();
  args.finish();
  return write(
    context,
    () => {
      const collection = findCollection(context, name);
      if (collection === undefined) return {};
      server.store.catalogue.drop(collection);
      return { nIndexesWas: collection.indexes.length, ns: `${database}.${name}` };
    },
    removing,
  );
}

export function dropDatabase(context: Context): Promise<Reply> {
  const { args, server, database } = context;
  args.finish();
  if (database === 'admin') {
    throw new CommandError(code.illegalOperation, "Dropping the 'admin' database is prohibited.");
  }
  let found = false;
  return write(
    context,
    () => {
      const collections = server.store.catalogue.all().filter((collection) => collection.database === database);
      found ||= collections.length > 0;
      for (const collection of collections) {
        server.store.spend({ bytes: 2 * pageBytes });
        server.store.catalogue.drop(collection);
      }
      return found ? { dropped: database } : {};
    },
    removing,
  );
}

export async function listCollections({ args, server, database, session }: Context): Promise<Reply> {
  const filter = parseFilter(args.documentOrEmpty('filter'));
  const nameOnly = args.flag('nameOnly');
  args.flags('authorizedCollections');
  const cursor = new Arguments('cursor', args.documentOrEmpty('cursor'));
  const size = cursor.count('batchSize') ?? Number.POSITIVE_INFINITY;
  cursor.finish();
  args.finish();
  const documents = server.store.catalogue
    .all()
    .filter((collection) => collection.database === database)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((collection) => {
      const uuid = Buffer.concat([
        Buffer.from([16, 0, 0, 0, 4]),
        Buffer.from(collection.uuid.replaceAll('-', ''), 'hex'),
      ]);
      const full = writeDocument({
        name: collection.name,
        type: 'collection',
        options: {},
        info: { readOnly: false, uuid: new BsonValue(5, uuid, 0, uuid.length) },
        idIndex: { v: 2, key: { _id: 1 }, name: '_id_' },
      });
      if (!matchesFilter(filter, documentValue(full))) return [];
      return [nameOnly ? writeDocument({ name: collection.name, type: 'collection' }) : full];
    });
  const namespace = `${database}.$cmd.listCollections`;
  const batch = await server.cursors.start(namespace, oneBatch(documents), size, { session });
  return cursorReply(batch, namespace);
}

function parseNamespace(text: string): { database: string; name: string } {
  const dot = text.indexOf('.');
  if (dot > 0 && dot < text.length - 1) return { database: text.slice(0, dot), name: text.slice(dot + 1) };
  throw new CommandError(code.invalidNamespace, `Invalid namespace specified '${text}'`);
}

function checkNoBuild({ database, name, builds }: Collection): void {
  if (builds.length === 0) return;
  const message = `cannot perform operation: an index build is currently running for collection ${database}.${name}`;
  throw new CommandError(code.buildInProgress, message);
}

/**
 * Gives a collection another name, in its database or another; cursors over it end. While an index is built on it, or on
 * the collection that would make way, it is refused with 12587.
 */
export function renameCollection(context: Context): Promise<Reply> {
  const { args, server } = context;
  checkAdmin(context);
  const source = args.required('renameCollection', args.text('renameCollection'));
  const target = args.required('to', args.text('to'));
  const from = parseNamespace(source);
  const to = parseNamespace(target);
  const dropTarget = args.flag('dropTarget');
  args.finish();
  return write(context, () => {
    const { catalogue } = server.store;
    const collection = catalogue.find(from.database, from.name);
    if (collection === undefined) {
      throw new CommandError(code.namespaceNotFound, `Source collection ${source} does not exist`);
    }
    if (source === target) throw new CommandError(code.illegalOperation, "Can't rename a collection to itself");
    checkName(to.database, to.name);
    checkNoBuild(collection);
    const existing = catalogue.find(to.database, to.name);
    if (existing !== undefined) {
      if (!dropTarget) throw new CommandError(code.namespaceExists, 'target namespace exists');
      checkNoBuild(existing);
      catalogue.drop(existing);
    }
    catalogue.rename(collection, to.database, to.name);
    return {};
  });
}
