import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDocumentStore } from '../../embedded/document-store-server/document-store.js';
import { startEventStore } from '../../embedded/event-store-server/server.js';
import { type EventLog, openEventLog } from '../../runtime/event-store/event-log.js';
import { silentLogger } from '../../runtime/logger.js';

/** A folder of its own for a suite, gone with `remove`. */
export async function temporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'shopledger-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export interface TestLog {
  readonly url: string;
  readonly eventLog: EventLog;
  /** Ends the server and opens it again on the same data and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** An event store of a suite's own. */
export async function startTestLog(): Promise<TestLog> {
  const folder = await temporaryFolder();
  let server = await startEventStore({ dataDir: folder.path, port: 0, log: silentLogger });
  const { port, connectionString } = server;
  const eventLog = openEventLog(connectionString, silentLogger);
  return {
    url: connectionString,
    eventLog,
    async restart() {
      await server.close();
      server = await startEventStore({ dataDir: folder.path, port, log: silentLogger });
    },
    async close() {
      await eventLog.close();
      await server.close();
      await folder.remove();
    },
  };
}

/** A document store of a suite's own. */
export async function startTestDocuments(): Promise<{ url: string; close(): Promise<void> }> {
  const folder = await temporaryFolder();
  const server = await startDocumentStore({ dataDir: folder.path, port: 0, log: silentLogger });
  return {
    url: server.connectionString,
    async close() {
      await server.close();
      await folder.remove();
    },
  };
}
