import { toDouble } from '../bson/numbers.js';
import { type BsonValue, bsonType, checkDocument, documentValue, fieldsOf } from '../bson/value.js';
import { Double, writeDocument } from '../bson/write.js';
import { CommandError, code, codeName } from '../errors.js';
import { Arguments } from './arguments.js';
import { collMod } from './coll-mod.js';
import { create, drop, dropDatabase, listCollections, listDatabases } from './collections.js';
import type { Context, Handler, Reply, Server } from './context.js';
import { explain } from './explain.js';
import { findAndModify } from './find-and-modify.js';
import { buildInfo, endSessions, hello, ping, serverStatus } from './handshake.js';
import { createIndexes, dropIndexes, listIndexes } from './indexes.js';
import { aggregate, count, distinct, find, getMore, killCursors } from './reads.js';
import { insert, remove, update } from './writes.js';

const handlers = new Map<string, Handler>(
  Object.entries({
    hello,
    ismaster: hello,
    isMaster: hello,
    ping,
    buildInfo,
    buildinfo: buildInfo,
    endSessions,
    serverStatus,
    find,
    getMore,
    killCursors,
    count,
    distinct,
    aggregate,
    explain,
    insert,
    update,
    delete: remove,
    findAndModify,
    findandmodify: findAndModify,
    createIndexes,
    listIndexes,
    dropIndexes,
    collMod,
    create,
    drop,
    dropDatabase,
    listCollections,
    listDatabases,
  }),
);

/** A command as it came: its document, and the document sequences sent beside it. */
export interface Request {
  document: Buffer;
  sequences: Map<string, Buffer[]>;
}

function checkReadConcern(value: BsonValue | undefined): void {
  if (value === undefined || value.type !== bsonType.document) return;
  for (const [name, field] of fieldsOf(value)) {
    const level = field.type === bsonType.string ? field.text : '';
    if (name === 'level' && ['local', 'available', 'majority'].includes(level)) continue;
    throw new CommandError(code.invalidOptions, `readConcern ${name} ${level} is not supported`.replace('  ', ' '));
  }
}

function checkWriteConcern(value: BsonValue | undefined): void {
  if (value === undefined || value.type !== bsonType.document) return;
  for (const [name, field] of fieldsOf(value)) {
    const isFit =
      (name === 'w' &&
        (field.isNumber ? toDouble(field) <= 1 : field.type === bsonType.string && field.text === 'majority')) ||
      // every answered write is on disk and there is nobody to wait for, so these are met as they are
      ['j', 'fsync', 'wtimeout', 'provenance'].includes(name);
    if (!isFit)
      throw new CommandError(code.badValue, `the write concern '${name}' asks for more than a standalone server has`);
  }
}

function checkGeneric(args: Arguments): void {
  for (const field of ['txnNumber', 'autocommit', 'startTransaction']) {
    if (args.value(field) !== undefined) {
      throw new CommandError(
        code.illegalOperation,
        'Transaction numbers are only allowed on a replica set member or mongos',
      );
    }
  }
  checkReadConcern(args.value('readConcern'));
  checkWriteConcern(args.value('writeConcern'));
  if (args.flag('apiStrict')) throw new CommandError(code.invalidOptions, 'apiStrict is not supported');
}

function failure(err: CommandError): Buffer {
  const { code: number, message, extra } = err;
  return writeDocument({ ok: new Double(0), errmsg: message, code: number, codeName: codeName(number), ...extra });
}

/**
 * Answers one command. Never throws: a refusal or fault is a reply with `ok: 0`.
 *
 * @param database the namespace of an OP_QUERY; OP_MSG carries `$db`
 */
export async function dispatch(
  server: Server,
  request: Request,
  connectionId: number,
  database?: string,
): Promise<Buffer> {
  let name = '';
  try {
    const document = documentValue(request.document);
    checkDocument(document);
    for (const sequence of request.sequences.values()) for (const part of sequence) checkDocument(documentValue(part));
    name = fieldsOf(document)[0]?.[0] ?? '';
    const handler = handlers.get(name);
    if (handler === undefined) throw new CommandError(code.commandNotFound, `no such command: '${name}'`);
    const args = new Arguments(name, document, request.sequences);
    checkGeneric(args);
    const limit = args.count('maxTimeMS');
    const context: Context = {
      server,
      database: database ?? args.required('$db', args.text('$db')),
      args,
      deadline: limit === undefined || limit === 0 ? Number.POSITIVE_INFINITY : performance.now() + limit,
      examined: { keys: 0, documents: 0 },
      connectionId,
    };
    const reply: Reply = await handler(context);
    // a cursor's later batches have their own time
    context.deadline = Number.POSITIVE_INFINITY;
    return writeDocument({ ...reply, ok: new Double(1) });
  } catch (err) {
    if (err instanceof CommandError) return failure(err);
    server.log.error('a command failed', { err, command: name });
    return failure(new CommandError(code.internal, 'the command failed inside the server'));
  }
}
