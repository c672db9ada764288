import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventCatalog } from '../domain/event-catalog.js';
import { startDocumentStore } from '../embedded/document-store-server/document-store.js';
import { startEventStore } from '../embedded/event-store-server/server.js';
import { connectDocumentStore } from '../runtime/document-store/connect.js';
import { type EventLog, openEventLog, type ProposedEvent } from '../runtime/event-store/event-log.js';
import { chainStart, encodeEvent } from '../runtime/event-store/hash-chain.js';
import { inParallel } from '../runtime/in-parallel.js';
import { silentLogger } from '../runtime/logger.js';
import { type AnyEvent, idFor, streamOf } from './spec-histories.js';

/** Both stores in this process, on directories of their own. */
export async function startServers() {
  const directory = await mkdtemp(join(tmpdir(), 'shopledger-projections-'));
  const events = await startEventStore({ dataDir: join(directory, 'events'), port: 0, log: silentLogger });
  const startDocuments = (port: number) =>
    startDocumentStore({ dataDir: join(directory, 'documents'), port, log: silentLogger });
  let documents = await startDocuments(0);
  const eventLog = openEventLog(events.connectionString, silentLogger);
  const url = documents.connectionString;
  return {
    eventLog,
    /** A database that nobody else uses. */
    async freshDatabase() {
      const database = `specs_${randomBytes(6).toString('hex')}`;
      return connectDocumentStore({ url, database, appName: 'specs', selectionTimeoutMs: 1_000 });
    },
    stopDocuments: () => documents.close(),
    async restartDocuments() {
      documents = await startDocuments(documents.port);
    },
    async close() {
      await eventLog.close();
      await events.close();
      await documents.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Appends events to their streams as a command would, one append an event. @returns the last position */
export async function appendAll(eventLog: EventLog, events: readonly AnyEvent[]): Promise<bigint> {
  let position = 0n;
  for (const event of events) {
    const stream = streamOf(event);
    const last = await eventLog.readLast(stream);
    const revision = last === undefined ? 0n : last.revision + 1n;
    const previous = last === undefined ? chainStart : String(last.metadata['hash']);
    const cause = idFor('cause', stream, String(revision));
    const encoded = encodeEvent(eventCatalog, stream, revision, previous, event, {
      source_service: 'specs',
      $correlationId: cause,
      $causationId: cause,
      occurred_at: '2026-01-05T09:00:00.000Z',
    });
    ({ position } = await eventLog.append(stream, [encoded], last === undefined ? 'no-stream' : last.revision));
  }
  return position;
}

/** Appends histories that share no stream side by side, each in its order. @returns the last position */
export async function appendHistories(
  eventLog: EventLog,
  histories: readonly (readonly AnyEvent[])[],
): Promise<bigint> {
  let last = 0n;
  await inParallel(histories, 25, async (events) => {
    const position = await appendAll(eventLog, events);
    if (position > last) last = position;
  });
  return last;
}

/** Appends something that no command would write. */
export async function appendRaw(eventLog: EventLog, stream: string, event: ProposedEvent): Promise<bigint> {
  const last = await eventLog.readLast(stream);
  return (await eventLog.append(stream, [event], last === undefined ? 'no-stream' : last.revision)).position;
}

/** Resolves once the condition holds. @throws Error when it does not within the time */
export async function until(condition: () => boolean | Promise<boolean>, what: string, withinMs = 10_000) {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
