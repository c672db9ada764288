import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { Registry } from 'prom-client';
import type { Logger } from '../../runtime/logger.js';
import { type MetricsPage, serveMetrics } from '../../runtime/metrics.js';
import { openDiskRoom } from '../disk-room.js';
import { appendCall, deleteCall } from './append-calls.js';
import { requirePassword } from './authentication.js';
import { batchAppendCall } from './batch-append-call.js';
import { CommitSignal } from './commit-signal.js';
import { dataFile, openStorage } from './data-directory.js';
import { storeMetrics, watchStore } from './metrics.js';
import { gossipCall, refusals, supportedMethodsCall } from './node-calls.js';
import { OpenCalls } from './open-calls.js';
import { operationsCalls } from './operations-calls.js';
import { persistentCalls } from './persistent/group-calls.js';
import { openGroups } from './persistent/groups.js';
import {
  featuresDefinition,
  gossipDefinition,
  operationsDefinition,
  persistentDefinition,
  refusedServices,
  streamsDefinition,
} from './protocol.js';
import { readCall } from './read-calls.js';
import { createScavenger } from './scavenge.js';
import { sendWindow } from './send-window.js';
import { Writer } from './writer.js';

export interface EventStoreOptions {
  /** made when it does not exist; one process at a time */
  dataDir: string;
  /** 0 asks the system for a free one */
  port: number;
  host?: string | undefined;
  /** `host:port` that gossip names, when clients reach the server under another address */
  advertise?: string | undefined;
  /** bytes of data and metadata in one append, 1 MiB unless told otherwise */
  maxAppendSize?: number | undefined;
  /** bytes of the file system that are left free: appends that would need them are refused; 32 MiB unless told otherwise */
  diskReserve?: number | undefined;
  /** calls have to bring it, with the user `admin`; without one, everybody is served */
  password?: string | undefined;
  /** a certificate and its key, PEM; without them the port speaks plain HTTP/2 */
  tls?: { cert: Buffer; key: Buffer } | undefined;
  /** where `/metrics` is served over HTTP; 0 asks the system for a free one, without it they are not */
  metricsPort?: number | undefined;
  log: Logger;
  /** what a failed commit does; it ends the process unless a test says otherwise */
  onFatal?: ((err: unknown) => void) | undefined;
  /** milliseconds since 1970; the system's clock unless a test says otherwise */
  now?: (() => number) | undefined;
}

export interface RunningEventStore {
  port: number;
  /** without credentials */
  connectionString: string;
  /** undefined where metrics are not served */
  metricsPort: number | undefined;
  /** Answers what was accepted, ends open subscriptions, releases the data directory. Safe to call twice. */
  close(): Promise<void>;
}

const defaultMaxAppendSize = 1024 * 1024;
const defaultDiskReserve = 32 * 1024 * 1024;
const receiveLimit = 17 * 1024 * 1024;
const goodbyeMs = 1_000;

/**
 * Starts an event store that speaks the EventStoreDB protocol to the official clients.
 *
 * @throws LockedError, DataDirError, DamageError when the data cannot be served; Error when the port is in use
 */
export async function startEventStore(options: EventStoreOptions): Promise<RunningEventStore> {
  const { log, host = '127.0.0.1', maxAppendSize = defaultMaxAppendSize } = options;
  const fatal = options.onFatal ?? (() => process.exit(1));
  const now = options.now ?? Date.now;
  const storage = await openStorage(options.dataDir);
  const path = join(options.dataDir, dataFile);
  const room = openDiskRoom(storage, path, options.diskReserve ?? defaultDiskReserve);
  let metricsPage: MetricsPage | undefined;
  const release = async (): Promise<void> => {
    await metricsPage?.close();
    await room.close();
    await storage.close();
  };
  try {
    const signal = new CommitSignal();
    const calls = new OpenCalls();
    const registry = new Registry();
    const metrics = storeMetrics(registry);
    const writer = new Writer({ storage, room, signal, metrics, log, fatal, now });
    if (options.metricsPort !== undefined) {
      watchStore(registry, path, storage, writer, calls);
      metricsPage = await serveMetrics(registry, options.metricsPort, host);
    }
    const groups = openGroups({ storage, room, signal, writer, log, now });
    const scavenger = createScavenger({ storage, room, log, now });
    const server = new Server({
      'grpc.max_receive_message_length': receiveLimit,
      'grpc.max_send_message_length': -1,
      interceptors: [sendWindow, ...(options.password === undefined ? [] : [requirePassword(options.password)])],
    });
    let endpoint = { host, port: options.port };
    const appending = { writer, calls, log, maxAppendSize };
    server.addService(streamsDefinition, {
      read: readCall({ storage, signal, calls, metrics, log, now }),
      append: appendCall(appending),
      batchAppend: batchAppendCall(appending),
      delete: deleteCall(appending, 'delete'),
      tombstone: deleteCall(appending, 'tombstone'),
    });
    server.addService(persistentDefinition, persistentCalls({ groups, calls, metrics, log, now }));
    server.addService(operationsDefinition, operationsCalls({ scavenger, groups, calls, log }));
    server.addService(featuresDefinition, { getSupportedMethods: supportedMethodsCall() });
    server.addService(gossipDefinition, { read: gossipCall(() => endpoint, now) });
    for (const { definition, sentence } of refusedServices)
      server.addService(definition, refusals(definition, sentence));

    const port = await listen(server, host, options.port, credentialsOf(options.tls));
    endpoint = options.advertise === undefined ? { host, port } : parseEndpoint(options.advertise);
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      await calls.close();
      await groups.close();
      await scavenger.close();
      await shutDown(server);
      await writer.idle();
      await release();
    };
    return {
      port,
      metricsPort: metricsPage?.port,
      connectionString: `esdb://${host}:${port}?tls=${options.tls !== undefined}`,
      close() {
        closing ??= close();
        return closing;
      },
    };
  } catch (err) {
    await release();
    throw err;
  }
}

function credentialsOf(tls: EventStoreOptions['tls']): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }]);
}

function listen(server: Server, host: string, port: number, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, credentials, (err, bound) => {
      if (err === null) resolve(bound);
      else {
        const what = err.message.includes('EADDRINUSE') ? 'is in use already' : `cannot be used: ${err.message}`;
        reject(new Error(`Port ${port} on ${host} ${what}.`, { cause: err }));
      }
    });
  });
}

/** @throws Error when it is not `host:port` */
export function parseEndpoint(text: string): { host: string; port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || port === undefined) throw new Error(`"${text}" is not a host:port to advertise.`);
  return { host, port: Number(port) };
}

/** Lets goodbyes leave; a client that does not hang up is cut off. */
async function shutDown(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, goodbyeMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
  server.forceShutdown();
}
