import { BsonValue, documentValue } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { CommandError } from '../errors.js';
import { parseFilter } from '../query/filter.js';
import { matchesFilter } from '../query/match.js';
import { oneBatch } from '../query/pipeline.js';
import { Arguments } from './arguments.js';
import { type Context, cursorReply, findCollection, findOrCreate, type Reply, write } from './context.js';

export function create(context: Context): Promise<Reply> {
  const { args } = context;
  const name = args.collection();
  const refused = ['capped', 'size', 'max', 'validator', 'validationLevel', 'validationAction', 'viewOn', 'pipeline'];
  args.refuse(
    ...refused,
    'collation',
    'timeseries',
    'expireAfterSeconds',
    'clusteredIndex',
    'storageEngine',
    'indexOptionDefaults',
  );
  args.refuse('changeStreamPreAndPostImages', 'encryptedFields', 'autoIndexId');
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
  return write(context, () => {
    const collection = findCollection(context, name);
    if (collection === undefined) return {};
    server.store.catalogue.drop(collection);
    return { nIndexesWas: collection.indexes.length, ns: `${database}.${name}` };
  });
}

export function dropDatabase(context: Context): Promise<Reply> {
  const { args, server, database } = context;
  args.finish();
  return write(context, () => {
    const collections = server.store.catalogue.all().filter((collection) => collection.database === database);
    for (const collection of collections) server.store.catalogue.drop(collection);
    return collections.length > 0 ? { dropped: database } : {};
  });
}

export async function listCollections({ args, server, database }: Context): Promise<Reply> {
  const filter = parseFilter(args.documentOrEmpty('filter'));
  const nameOnly = args.flag('nameOnly');
  args.allow('authorizedCollections');
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
  const batch = await server.cursors.start(namespace, oneBatch(documents), size, { single: false, keep: false });
  return cursorReply(batch, namespace);
}

export function listDatabases({ args, server, database }: Context): Reply {
  if (database !== 'admin') throw new CommandError(13, 'listDatabases may only be run against the admin database.');
  const nameOnly = args.flag('nameOnly');
  const filter = parseFilter(args.documentOrEmpty('filter'));
  args.allow('authorizedDatabases');
  args.finish();
  const names = new Set(server.store.catalogue.all().map((collection) => collection.database));
  const databases = [...names].sort().flatMap((name) => {
    const entry = writeDocument(nameOnly ? { name } : { name, sizeOnDisk: 0n, empty: false });
    return matchesFilter(filter, documentValue(entry)) ? [entry] : [];
  });
  if (nameOnly) return { databases };
  return { databases, totalSize: 0n, totalSizeMb: 0n };
}
