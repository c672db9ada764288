import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AppendExpectedRevision,
  EventStoreDBClient,
  jsonEvent,
  NO_STREAM,
  type ReadPosition,
  START,
} from '@eventstore/db-client';
import type { Harness } from '../harness.js';
import { type Service, startService } from '../server-process.js';
import { payload } from './data.js';

/** A server in a process of its own, and the official client in this one. */
export interface Store {
  readonly server: Service;
  readonly client: EventStoreDBClient;
  /** Says good-bye and ends the server. */
  close(): Promise<void>;
}

const disposeLimitMs = 1_000;
let appended = 0;

/** An event for the official client, another at each call. */
export const nextEvent = (seed: number) => {
  appended += 1;
  return jsonEvent({ type: 'order.paid', data: payload(seed, appended) });
};

/** A stream name that no other call of this process was given. */
export const freshStream = (prefix: string): string => {
  appended += 1;
  return `${prefix}-${process.pid}-${appended}`;
};

/**
 * Starts a server on a data directory, connects, and has one event appended: over a hundred appends in the first moment
 * of a connection may never be answered.
 */
export async function openStore(harness: Harness, dataDir: string): Promise<Store> {
  const server = await startService(harness, 'embedded/event-store-server/main', ['--data', dataDir, '--port', '0']);
  const client = EventStoreDBClient.connectionString(String(server.facts['connectionString']));
  let closed: Promise<void> | undefined;
  const close = async () => {
    // It waits for its streams, and one that somebody still reads from may never end.
    await Promise.race([client.dispose(), sleep(disposeLimitMs)]);
    await server.stop();
  };
  const closeOnce = () => {
    closed ??= close();
    return closed;
  };
  harness.atEnd(closeOnce);
  const expectedRevision: AppendExpectedRevision = NO_STREAM;
  await client.appendToStream(freshStream('first'), nextEvent(harness.seed), { expectedRevision });
  return { server, client, close: closeOnce };
}

/**
 * Follows `$all` until so many events have come. It waits for ever when the log holds fewer.
 *
 * @param from the position before the first of them; the start of the log unless told otherwise
 * @returns how many came, which is how many were asked for
 * @throws Error when the subscription ends before
 */
export async function catchUp(client: EventStoreDBClient, events: number, from?: number): Promise<number> {
  const position = from === undefined || from === 0 ? undefined : BigInt(from);
  const fromPosition: ReadPosition | typeof START =
    position === undefined ? START : { commit: position, prepare: position };
  const subscription = client.subscribeToAll({ fromPosition });
  let seen = 0;
  for await (const { event } of subscription) {
    if (event === undefined) continue;
    seen += 1;
    if (seen === events) return seen;
  }
  throw new Error(`The subscription ended after ${seen} events of ${events}.`);
}
