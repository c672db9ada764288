import { buffer } from 'node:stream/consumers';
import {
  AbstractCursor,
  type AnyBulkWriteOperation,
  type BulkWriteResult,
  ClientSession,
  Collection,
  Db,
  type Document,
  GridFSBucket,
  MongoClient,
  type ObjectId,
} from 'mongodb';
import { Skipped } from './matching.js';

type Operations<T> = Record<string, (target: T, given: Document) => Promise<unknown>>;

/** A bulk's result as plain fields: the driver's own has getters. */
export function bulkResult(result: BulkWriteResult): Document {
  const { insertedCount, insertedIds, matchedCount, modifiedCount, deletedCount, upsertedCount, upsertedIds } = result;
  return { insertedCount, insertedIds, matchedCount, modifiedCount, deletedCount, upsertedCount, upsertedIds };
}

const onCollection: Operations<Collection> = {
  aggregate: (target, { pipeline, ...options }) => target.aggregate(pipeline, options).toArray(),
  find: (target, { filter, ...options }) => target.find(filter, options).toArray(),
  findOne: (target, { filter, ...options }) => target.findOne(filter, options),
  createFindCursor: async (target, { filter, ...options }) => target.find(filter, options),
  count: (target, { filter, ...options }) => target.count(filter, options),
  countDocuments: (target, { filter, ...options }) => target.countDocuments(filter, options),
  estimatedDocumentCount: (target, options) => target.estimatedDocumentCount(options),
  distinct: (target, { fieldName, filter, ...options }) => target.distinct(fieldName, filter ?? {}, options),
  insertOne: (target, { document, ...options }) => target.insertOne(document, options),
  insertMany: (target, { documents, ...options }) => target.insertMany(documents, options),
  updateOne: (target, { filter, update, ...options }) => target.updateOne(filter, update, options),
  updateMany: (target, { filter, update, ...options }) => target.updateMany(filter, update, options),
  replaceOne: (target, { filter, replacement, ...options }) => target.replaceOne(filter, replacement, options),
  deleteOne: (target, { filter, ...options }) => target.deleteOne(filter, options),
  deleteMany: (target, { filter, ...options }) => target.deleteMany(filter, options),
  findOneAndUpdate: (target, { filter, update, ...options }) => target.findOneAndUpdate(filter, update, options),
  findOneAndReplace: (target, { filter, replacement, ...options }) =>
    target.findOneAndReplace(filter, replacement, options),
  findOneAndDelete: (target, { filter, ...options }) => target.findOneAndDelete(filter, options),
  bulkWrite: async (target, { requests, ...options }) =>
    bulkResult(await target.bulkWrite(requests as AnyBulkWriteOperation[], options)),
  createIndex: (target, { keys, ...options }) => target.createIndex(keys, options),
  dropIndex: (target, { name, ...options }) => target.dropIndex(name, options),
  dropIndexes: (target, options) => target.dropIndexes(options),
  listIndexes: (target, options) => target.listIndexes(options).toArray(),
  listIndexNames: async (target, options) => (await target.listIndexes(options).toArray()).map(({ name }) => name),
  rename: (target, { to, ...options }) => target.rename(to, options),
  createSearchIndex: (target, { model }) => target.createSearchIndex(model),
  createSearchIndexes: (target, { models }) => target.createSearchIndexes(models),
  dropSearchIndex: (target, { name }) => target.dropSearchIndex(name),
  updateSearchIndex: (target, { name, definition }) => target.updateSearchIndex(name, definition),
  listSearchIndexes: (target, { name, aggregationOptions }) =>
    target.listSearchIndexes(name, aggregationOptions).toArray(),
};

const onDatabase: Operations<Db> = {
  aggregate: (target, { pipeline, ...options }) => target.aggregate(pipeline, options).toArray(),
  runCommand: (target, { command, commandName: _, ...options }) => target.command(command, options),
  runCursorCommand: (target, { command, commandName: _, ...options }) =>
    target.runCursorCommand(command, options).toArray(),
  createCommandCursor: async (target, { command, commandName: _, ...options }) =>
    target.runCursorCommand(command, options),
  createCollection: async (target, { collection, ...options }) => {
    await target.createCollection(collection, options);
  },
  dropCollection: (target, { collection, ...options }) => target.dropCollection(collection, options),
  modifyCollection: (target, { collection, ...options }) => target.command({ collMod: collection, ...options }),
  listCollections: (target, { filter, ...options }) => target.listCollections(filter, options).toArray(),
  listCollectionNames: async (target, { filter, ...options }) =>
    (await target.listCollections(filter, { ...options, nameOnly: true }).toArray()).map(({ name }) => name),
};

const onClient: Operations<MongoClient> = {
  listDatabases: async (target, options) => (await target.db().admin().listDatabases(options)).databases,
  listDatabaseNames: async (target, options) =>
    (
      await target
        .db()
        .admin()
        .listDatabases({ ...options, nameOnly: true })
    ).databases.map(({ name }) => name),
  clientBulkWrite: (target, { models, ...options }) => target.bulkWrite(models, options),
};

const onSession: Operations<ClientSession> = {
  endSession: (target) => target.endSession(),
};

const onCursor: Operations<AbstractCursor> = {
  iterateUntilDocumentOrError: (target) => target.next(),
  iterateOnce: (target) => target.tryNext(),
  close: (target) => target.close(),
};

const onBucket: Operations<GridFSBucket> = {
  delete: (target, { id }) => target.delete(id as ObjectId),
  download: (target, { id }) => buffer(target.openDownloadStream(id as ObjectId)),
  downloadByName: (target, { filename, ...options }) => buffer(target.openDownloadStreamByName(filename, options)),
  rename: (target, { id, newFilename }) => target.rename(id as ObjectId, newFilename),
  drop: (target) => target.drop(),
  upload: async (target, { filename, source, disableMD5: _, ...options }) => {
    const stream = target.openUploadStream(filename, options);
    await new Promise<void>((resolve, reject) => {
      stream.once('error', reject).once('finish', () => resolve());
      stream.end(Buffer.from(String(source['$$hexBytes']), 'hex'));
    });
    return stream.id;
  },
};

function call<T>(operations: Operations<T>, target: T, name: string, given: Document): Promise<unknown> {
  const operation = operations[name];
  if (operation === undefined) throw new Skipped(`this runner has no operation ${name}`);
  return operation(target, given);
}

/** Does one operation of a test file through the driver. @throws Skipped for one that this runner does not have */
export async function operate(target: unknown, name: string, given: Document): Promise<unknown> {
  if (target instanceof Collection) return call(onCollection, target, name, given);
  if (target instanceof Db) return call(onDatabase, target, name, given);
  if (target instanceof MongoClient) return call(onClient, target, name, given);
  if (target instanceof ClientSession) return call(onSession, target, name, given);
  if (target instanceof AbstractCursor) return call(onCursor, target, name, given);
  if (target instanceof GridFSBucket) return call(onBucket, target, name, given);
  throw new Skipped(`this runner has no operation ${name} on this object`);
}
