import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { openTestStore, type TestStore } from '../../../embedded/event-store-server/store-fixture.js';

/** A running event store that the contract is asked of. */
export interface Target {
  readonly isEmbedded: boolean;
  readonly connectionString: string;
  readonly client: EventStoreDBClient;
  /**
   * Another client, disposed of with the target.
   *
   * @param settings more of the connection string, as in `throwOnAppendFailure=false`
   */
  connect(settings?: string): EventStoreDBClient;
  /** A name that nobody else uses, on a store that others may share; it begins with `prefix`. */
  fresh(name: string): string;
  /** What all names of `fresh` begin with. */
  readonly prefix: string;
  /** Closes the store and starts it again on the same data, with a new client; only where the store is ours. */
  readonly restart?: () => Promise<void>;
}

interface Opened {
  target: Target;
  close(): Promise<void>;
}

const url = process.env['EVENTSTORE_TEST_URL'];
const kinds: { name: string; open: () => Promise<Opened> }[] = [
  { name: 'the embedded event store', open: openEmbedded },
  ...(url === undefined ? [] : [{ name: 'EventStoreDB', open: () => openReal(url) }]),
];
const run = new Set<string>();

/**
 * Describes what every event store has to do, once for each that is at hand: the embedded one on a directory of its own,
 * and the one that EVENTSTORE_TEST_URL names. Of the latter only what EventStoreDB 23.10, a single insecure node,
 * promises may be asked: others may write to it, `$all` is not empty, positions have gaps.
 */
export function describeTargets(title: string, define: (target: () => Target) => void): void {
  for (const { name, open } of kinds) {
    describe(`${title}: ${name}`, () => {
      let opened: Opened | undefined;
      before(async () => {
        opened = await open();
        // A fresh connection that is flooded at once can hang: the client's own fault.
        const { client, fresh } = opened.target;
        await client.appendToStream(fresh('warm-up'), jsonEvent({ type: 'warm-up', data: {} }));
        run.add(name);
      });
      after(() => opened?.close());
      define(() => {
        if (opened === undefined) throw new Error('The event store is not open yet.');
        return opened.target;
      });
    });
  }
}

// At the exit, because the last line is wanted and reporters have theirs.
process.once('exit', () => {
  const was = kinds.map(({ name }) => name).filter((name) => run.has(name));
  const not = ['the embedded event store', 'EventStoreDB'].filter((name) => !run.has(name));
  const why = (name: string) =>
    name === 'EventStoreDB' && url === undefined ? `${name} (EVENTSTORE_TEST_URL is not set)` : name;
  const parts = [
    ...(was.length > 0 ? [`run against ${was.join(' and ')}`] : []),
    ...(not.length > 0 ? [`not run against ${not.map(why).join(' nor ')}`] : []),
  ];
  writeSync(1, `contract: ${parts.join('; ')}\n`);
});

/** `host:port` of a connection string that names one node. */
export function addressOf(connectionString: string): string {
  const [, address] = /^esdb:\/\/(?:[^@/]*@)?([^,/?]+)/.exec(connectionString) ?? [];
  if (address === undefined) throw new Error(`No single node is named by ${connectionString}`);
  return address.includes(':') ? address : `${address}:2113`;
}

const naming = (): Pick<Target, 'fresh' | 'prefix'> => {
  const prefix = `run${randomUUID().slice(0, 8)}-`;
  let count = 0;
  return {
    prefix,
    fresh(name) {
      count += 1;
      return `${prefix}${count}-${name}`;
    },
  };
};

async function openEmbedded(): Promise<Opened> {
  const test: TestStore = await openTestStore();
  return {
    target: {
      ...naming(),
      isEmbedded: true,
      get connectionString() {
        return test.store.connectionString;
      },
      get client() {
        return test.client;
      },
      connect: (settings) => test.connect(settings),
      restart: () => test.restart(),
    },
    close: () => test.remove(),
  };
}

async function openReal(connectionString: string): Promise<Opened> {
  const clients: EventStoreDBClient[] = [];
  const connect = (settings?: string): EventStoreDBClient => {
    const separator = connectionString.includes('?') ? '&' : '?';
    const client = EventStoreDBClient.connectionString(
      settings === undefined ? connectionString : `${connectionString}${separator}${settings}`,
    );
    clients.push(client);
    return client;
  };
  return {
    target: { ...naming(), isEmbedded: false, connectionString, client: connect(), connect },
    async close() {
      for (const client of clients) await client.dispose();
    },
  };
}
