import { checkDocument, documentValue, fieldsOf } from '../bson/value.js';
import { Double, writeDocument } from '../bson/write.js';
import { CommandError, code, codeName } from '../errors.js';
import { Turns } from '../query/pipeline.js';
import { Arguments } from './arguments.js';
import { collMod } from './coll-mod.js';
import { create, drop, dropDatabase, listCollections, renameCollection } from './collections.js';
import type { Context, Handler, Reply, Server } from './context.js';
import { connectionStatus, getParameter, hostInfo, serverStatus } from './diagnostics.js';
import { aggregateOrExplain, explain } from './explain.js';
import { findAndModify } from './find-and-modify.js';
import { readGeneric } from './generic-fields.js';
import { buildInfo, endSessions, hello, ping, refreshSessions, startSession } from './handshake.js';
import { createIndexes, dropIndexes, listIndexes } from './indexes.js';
import { count, distinct, find, getMore, killCursors } from './reads.js';
import { collStats, dbStats, listDatabases } from './sizes.js';
import { logSlow } from './slow-log.js';
import { insert, remove, update } from './writes.js';

const handlers = new Map<string, Handler>(
  Object.entries({
    hello,
    ismaster: hello,
    isMaster: hello,
    ping,
    buildInfo,
    buildinfo: buildInfo,
    startSession,
    refreshSessions,
    endSessions,
    serverStatus,
    connectionStatus,
    hostInfo,
    getParameter,
    collStats,
    collstats: collStats,
    dbStats,
    dbstats: dbStats,
    find,
    getMore,
    killCursors,
    count,
    distinct,
    aggregate: aggregateOrExplain,
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
    renameCollection,
    listCollections,
    listDatabases,
  }),
);

/** The commands that are answered, by every name they have. */
export const commandNames = [...handlers.keys()];

/** A command as it came: its document, and the document sequences sent beside it. */
export interface Request {
  document: Buffer;
  sequences: Map<string, Buffer[]>;
  /** what is wrong with the message that carried it */
  fault?: CommandError | undefined;
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
  let context: Context | undefined;
  const began = performance.now();
  const finished = (outcome: string) => {
    const tookMs = performance.now() - began;
    const command = handlers.has(name) ? name : 'unknown';
    server.metrics.commands.inc({ command, outcome });
    server.metrics.commandSeconds.observe({ command }, tookMs / 1000);
    if (context !== undefined && tookMs >= server.slowMs) logSlow(context, name, request.document, tookMs);
  };
  try {
    if (request.fault !== undefined) throw request.fault;
    const document = documentValue(request.document);
    checkDocument(document);
    const turns = new Turns(() => Number.POSITIVE_INFINITY);
    for (const sequence of request.sequences.values()) {
      for (const part of sequence) {
        checkDocument(documentValue(part));
        if (turns.isOver()) await turns.next();
      }
    }
    name = fieldsOf(document)[0]?.[0] ?? '';
    const handler = handlers.get(name);
    if (database !== undefined && handler !== hello) {
      throw new CommandError(
        code.unsupportedQuery,
        `Unsupported OP_QUERY command: ${name}; supported: hello, isMaster`,
      );
    }
    if (handler === undefined) {
      const known = [...handlers.keys()].sort().join(', ');
      throw new CommandError(code.commandNotFound, `no such command: '${name}'; supported: ${known}`);
    }
    const args = new Arguments(name, document, request.sequences);
    const generic = readGeneric(args, database);
    if (generic.session !== undefined) server.sessions.touch(generic.session);
    context = {
      server,
      database: generic.database,
      args,
      deadline: generic.maxTimeMs === 0 ? Number.POSITIVE_INFINITY : performance.now() + generic.maxTimeMs,
      plans: new Set(),
      running: [],
      examined: { keys: 0, documents: 0 },
      held: { bytes: 0 },
      connectionId,
      session: generic.session,
    };
    server.store.checkOpen();
    const reply: Reply = await handler(context);
    finished(reply['writeErrors'] === undefined ? 'ok' : 'write-errors');
    return writeDocument({ ...reply, ok: new Double(1) });
  } catch (err) {
    finished(codeName(err instanceof CommandError ? err.code : code.internal));
    if (err instanceof CommandError) return failure(err);
    server.log.error('a command failed', { err, command: name });
    return failure(new CommandError(code.internal, 'the command failed inside the server'));
  }
}
