import { hostname } from 'node:os';
import type { Context, Reply } from './context.js';

const version = '7.0.0';

/** A standalone server of wire version 21: no replica set name, so drivers send no transaction numbers. */
export function hello({ connectionId }: Context): Reply {
  return {
    helloOk: true,
    ismaster: true,
    isWritablePrimary: true,
    maxBsonObjectSize: 16 * 1024 * 1024,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    connectionId,
    minWireVersion: 0,
    maxWireVersion: 21,
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
    bits: 64,
    debug: false,
    maxBsonObjectSize: 16 * 1024 * 1024,
  };
}

/** Sessions carry no state here, so ending them is done once it is asked. */
export function endSessions({ args }: Context): Reply {
  args.value('endSessions');
  args.finish();
  return {};
}

export function serverStatus({ server }: Context): Reply {
  const uptime = (performance.now() - server.startedAt) / 1000;
  return {
    host: hostname(),
    version,
    process: 'shopledger-document-store',
    pid: BigInt(process.pid),
    uptime: Math.round(uptime),
    localTime: new Date(),
    connections: { current: server.connections() },
    metrics: { cursor: { open: { total: BigInt(server.cursors.size) } } },
    storageEngine: { name: 'lmdb' },
  };
}
