import { randomBytes } from 'node:crypto';
import { largestDocument } from '../bson/document-size.js';
import { BsonValue, bsonType } from '../bson/value.js';
import type { Context, Reply } from './context.js';
import { readSession } from './generic-fields.js';
import { sessionMinutes } from './sessions.js';

/** What 7.0 drivers go by: wire version 21 is that of MongoDB 7.0. */
export const version = '7.0.0';
const wireVersion = 21;

/** A standalone server: no replica set name, so drivers send no transaction numbers; no topology version, so they poll. */
export function hello({ args, connectionId }: Context): Reply {
  const wantsHelloOk = args.flag('helloOk');
  // as in MongoDB, fields that say something of the client are no options and may be of any kind
  args.allowRest();
  const isLegacy = args.name !== 'hello';
  return {
    helloOk: wantsHelloOk ? true : undefined,
    [isLegacy ? 'ismaster' : 'isWritablePrimary']: true,
    maxBsonObjectSize: largestDocument,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: sessionMinutes,
    connectionId,
    minWireVersion: 0,
    maxWireVersion: wireVersion,
    readOnly: false,
  };
}

export function ping({ args }: Context): Reply {
  args.finish();
  return {};
}

export function buildInfo({ args }: Context): Reply {
  args.finish();
  return {
    version,
    versionArray: [7, 0, 0, 0],
    gitVersion: 'shopledger-document-store',
    modules: [],
    allocator: 'system',
    javascriptEngine: 'none',
    bits: 64,
    debug: false,
    maxBsonObjectSize: largestDocument,
    storageEngines: ['lmdb'],
  };
}

export function startSession({ args, server }: Context): Reply {
  args.finish();
  const uuid = Buffer.concat([Buffer.of(16, 0, 0, 0, 4), randomBytes(16)]);
  uuid[11] = ((uuid[11] ?? 0) & 0x0f) | 0x40;
  uuid[13] = ((uuid[13] ?? 0) & 0x3f) | 0x80;
  server.sessions.touch(uuid);
  return { id: { id: new BsonValue(bsonType.binary, uuid, 0, uuid.length) }, timeoutMinutes: sessionMinutes };
}

export function refreshSessions({ args, server }: Context): Reply {
  const ids = args.items('refreshSessions').map(readSession);
  args.finish();
  for (const id of ids) server.sessions.touch(id);
  return {};
}

export function endSessions({ args, server }: Context): Reply {
  const ids = args.items('endSessions').map(readSession);
  args.finish();
  for (const id of ids) server.sessions.end(id);
  return {};
}
