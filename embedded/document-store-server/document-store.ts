import { existsSync } from 'node:fs';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { Registry } from 'prom-client';
import type { Logger } from '../../runtime/logger.js';
import { type MetricsPage, serveMetrics } from '../../runtime/metrics.js';
import { StartError } from './errors.js';
import { commandMetrics, watchServer } from './metrics.js';
import { serveConnection } from './server/connection.js';
import type { Server } from './server/context.js';
import { Cursors } from './server/cursors.js';
import { startExpiry } from './server/expiry.js';
import { Sessions } from './server/sessions.js';
import { dataFileOf } from './storage/data-directory.js';
import { Store } from './storage/store.js';
import { type Verification, verifyStore } from './storage/verify.js';
import { createClock } from './update/clock.js';

export interface DocumentStoreOptions {
  dataDir: string;
  /** 0 for any free port */
  port: number;
  /** 127.0.0.1 unless told otherwise */
  host?: string;
  log: Logger;
  /** milliseconds since 1970; the system's clock unless a test says otherwise */
  now?: () => number;
  /** between two passes over the TTL indexes, 60 s unless told otherwise */
  expireEveryMs?: number;
  /** bytes of the file system that are left free: writes that would need them are refused; 32 MiB unless told otherwise */
  diskReserve?: number;
  /** what a failed commit does; it ends the process unless a test says otherwise */
  onFatal?: (err: unknown) => void;
  /** where `/metrics` is served over HTTP; 0 asks the system for a free one, without it they are not */
  metricsPort?: number;
  /** milliseconds from which on a command is logged, 1000 unless told otherwise */
  slowMs?: number;
  /** milliseconds since any one moment, by which cursors are idle; the system's unless a test says otherwise */
  elapsed?: () => number;
}

export interface DocumentStore {
  port: number;
  connectionString: string;
  /** undefined where metrics are not served */
  metricsPort: number | undefined;
  /** Removes what has expired by now, without waiting for the next pass. @returns how many documents */
  expire(): Promise<number>;
  /** Finishes the writes that were taken in, ends open connections and gives the data directory back. */
  close(): Promise<void>;
}

const lingerMs = 500;
const slowMs = 1_000;
const expireEveryMs = 60_000;
const defaultDiskReserve = 32 * 1024 * 1024;

function listen(net: NetServer, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    net.once('error', (err: NodeJS.ErrnoException) => {
      const reason = err.code === 'EADDRINUSE' ? 'is in use' : `cannot be used: ${err.message}`;
      reject(new StartError(`the port ${port} of ${host} ${reason}`));
    });
    net.listen(port, host, () => {
      const address = net.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/**
 * Starts a document store in this process. Any official MongoDB driver connects to `connectionString`.
 *
 * @throws StartError, one sentence, when the port is in use or the data directory is locked, of another format or cut off
 */
export async function startDocumentStore(options: DocumentStoreOptions): Promise<DocumentStore> {
  const { dataDir, log, host = '127.0.0.1' } = options;
  const registry = new Registry();
  const metrics = commandMetrics(registry);
  const store = Store.open(dataDir, log, {
    committed({ documents, seconds }) {
      metrics.commitDocuments.observe(documents);
      metrics.commitSeconds.observe(seconds);
    },
    diskReserve: options.diskReserve ?? defaultDiskReserve,
    ...(options.onFatal === undefined ? {} : { fatal: options.onFatal }),
  });
  const cursors = new Cursors(options.elapsed);
  const expiry = startExpiry({
    store,
    log,
    now: options.now ?? Date.now,
    everyMs: options.expireEveryMs ?? expireEveryMs,
    removed: (documents) => metrics.expired.inc(documents),
  });
  const sockets = new Set<Socket>();
  const clock = createClock(options.now ?? Date.now);
  const sessions = new Sessions(clock.now);
  const server: Server = {
    store,
    cursors,
    sessions,
    clock,
    log,
    metrics,
    slowMs: options.slowMs ?? slowMs,
    startedAt: performance.now(),
    connections: () => sockets.size,
  };
  let metricsPage: MetricsPage | undefined;
  let connectionId = 0;
  const net = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveConnection(server, socket, ++connectionId);
  });
  try {
    if (options.metricsPort !== undefined) {
      watchServer(registry, server);
      metricsPage = await serveMetrics(registry, options.metricsPort, host);
    }
    const port = await listen(net, options.port, host);
    const shownHost = host.includes(':') ? `[${host}]` : host;
    let closing: Promise<void> | undefined;
    const close = async () => {
      expiry.close();
      const ended = new Promise<void>((resolve) => net.close(() => resolve()));
      await store.close();
      cursors.close();
      // what was just acknowledged still reaches those who read it
      for (const socket of sockets) socket.destroySoon();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, lingerMs);
      await ended;
      clearTimeout(timer);
      await metricsPage?.close();
    };
    return {
      port,
      connectionString: `mongodb://${shownHost}:${port}/?directConnection=true`,
      metricsPort: metricsPage?.port,
      expire: () => expiry.pass(),
      close: () => (closing ??= close()),
    };
  } catch (err) {
    expiry.close();
    cursors.close();
    await metricsPage?.close();
    await store.close();
    throw err instanceof StartError ? err : new StartError(err instanceof Error ? err.message : String(err));
  }
}

/**
 * Checks a data directory that no server uses: every document against every index, both ways.
 *
 * @param progress told now and then of how many documents were checked
 * @returns a sentence per fault; none when all is well
 * @throws StartError when the directory cannot be opened
 */
export async function verifyDataDir(
  dataDir: string,
  log: Logger,
  progress?: (documents: number) => void,
): Promise<Verification> {
  if (!existsSync(dataFileOf(dataDir))) throw new StartError(`the directory ${dataDir} holds no document store`);
  const store = Store.open(dataDir, log, { sweeps: false });
  try {
    return await verifyStore(store, progress);
  } finally {
    await store.close();
  }
}
