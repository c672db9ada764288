import { EventStoreDBClient } from '@eventstore/db-client';
import { verifyDataDir } from '../../embedded/event-store-server/verify.js';
import { type Recorded, recordDigest } from './event-store-content.js';
import { type Append, openLedger } from './event-store-ledger.js';
import { openWatchers } from './event-store-watchers.js';
import { disposeOf, openWays, type Ways } from './event-store-writers.js';
import { isStore, type StartOptions, type Store, startStore, tellEnd } from './server-process.js';
import { demand, Violation } from './violation.js';

/** A server that is up on the life's data, with the clients of this process. */
export interface Running {
  readonly store: Store;
  readonly client: EventStoreDBClient;
  readonly ways: Ways;
}

/** One data directory through many starts and ends, with what was sent to it and who watches it. */
export interface Life {
  readonly dataDir: string;
  readonly ledger: ReturnType<typeof openLedger>;
  readonly watchers: ReturnType<typeof openWatchers>;
  running: Running | undefined;
}

export const openLife = (dataDir: string): Life => ({
  dataDir,
  ledger: openLedger(),
  watchers: openWatchers(),
  running: undefined,
});

/** Starts the server on a life's data and lets the watchers go on. @throws Violation when it does not start */
export async function begin(life: Life, options: StartOptions = {}): Promise<Running> {
  const store = await startStore('event-store', life.dataDir, options);
  if (!isStore(store)) throw new Violation(`the store does not start on data that nobody damaged: ${tellEnd(store)}`);
  const client = EventStoreDBClient.connectionString(store.connectionString);
  for (const watcher of life.watchers) watcher.enter(client);
  life.running = { store, client, ways: openWays(store.connectionString, client, store.ended) };
  return life.running;
}

/** Ends the server of a life, with notice or without. @throws Violation when it does not end in order on notice */
export async function end(life: Life, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (life.running === undefined) return;
  const { store, client, ways } = life.running;
  life.running = undefined;
  for (const watcher of life.watchers) watcher.mayEnd();
  const stopped = await store.stop(signal);
  await ways.close();
  await disposeOf(client);
  demand(signal === 'SIGKILL' || stopped.code === 0, () => `on SIGTERM the store ended with ${tellEnd(stopped)}`);
}

/**
 * Compares what the log has gained with what was sent, and waits for the watchers to have seen it.
 *
 * @returns the appends that had no outcome
 * @throws Violation
 */
export async function settle(life: Life): Promise<Append[]> {
  const { ledger, watchers, running } = life;
  if (running === undefined) throw new Error('The store of this life is not running.');
  const unknown = await ledger.settle(readAll(running.client, ledger.log.length + 1));
  for (const watcher of watchers) await watcher.compare(ledger.log);
  return unknown;
}

/** Reads the whole log again and compares it with what it was when it was first read. @throws Violation */
export async function compareWhole(life: Life): Promise<void> {
  const { ledger, running } = life;
  if (running === undefined) throw new Error('The store of this life is not running.');
  let position = 0;
  for await (const event of readAll(running.client, 1)) {
    demand(ledger.log[position]?.digest === recordDigest(event), () => `position ${position + 1} has changed`);
    position += 1;
  }
  demand(position === ledger.log.length, () => `$all ends at ${position}, it had ${ledger.log.length} events`);
}

/** Ends the server in order and checks the closed directory from end to end. @throws Violation */
export async function bury(life: Life): Promise<void> {
  await end(life, 'SIGTERM');
  const report = await verifyDataDir(life.dataDir);
  demand(report.intact, () => `--verify finds damage that nobody did: ${'message' in report ? report.message : ''}`);
  const { log } = life.ledger;
  const [events, streams] = [log.length, new Set(log.map(({ stream }) => stream)).size];
  demand(
    report.intact && report.events === events && report.streams === streams,
    () => `--verify counts ${JSON.stringify(report)} where there are ${events} events in ${streams} streams`,
  );
}

async function* readAll(client: EventStoreDBClient, from: number): AsyncGenerator<Recorded> {
  const at = BigInt(from);
  for await (const { event } of client.readAll({ fromPosition: { commit: at, prepare: at } })) {
    if (event !== undefined) yield event;
  }
}
