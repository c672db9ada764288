import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { openTestStore, type TestStore } from '../../../embedded/event-store-server/store-fixture.js';
import { contractOf, type FreshNames, freshNames, type Opened } from '../targets.js';

/** A running event store that the contract is asked of. */
export interface Target extends FreshNames {
  readonly isEmbedded: boolean;
  readonly connectionString: string;
  readonly client: EventStoreDBClient;
  /**
   * Another client, disposed of with the target.
   *
   * @param settings more of the connection string, as in `throwOnAppendFailure=false`
   */
  connect(settings?: string): EventStoreDBClient;
  /** Closes the store and starts it again on the same data, with a new client; only where the store is ours. */
  readonly restart?: () => Promise<void>;
}

const describeStores = contractOf<Target>({
  embedded: { name: 'the embedded event store', open: openEmbedded },
  real: { name: 'EventStoreDB', variable: 'EVENTSTORE_TEST_URL', open: openReal },
});

/**
 * Describes what every event store has to do, once for each that is at hand: the embedded one on a directory of its own,
 * and the one that EVENTSTORE_TEST_URL names. Of the latter only what EventStoreDB 23.10, a single insecure node,
 * promises may be asked: others may write to it, `$all` is not empty, positions have gaps.
 */
export function describeTargets(title: string, define: (target: () => Target) => void): void {
  describeStores(title, (target) => {
    // A fresh connection that is flooded at once can hang: the client's own fault.
    before(async () => {
      const { client, fresh } = target();
      await client.appendToStream(fresh('warm-up'), jsonEvent({ type: 'warm-up', data: {} }));
    });
    define(target);
  });
}

/** `host:port` of a connection string that names one node. */
export function addressOf(connectionString: string): string {
  const [, address] = /^esdb:\/\/(?:[^@/]*@)?([^,/?]+)/.exec(connectionString) ?? [];
  if (address === undefined) throw new Error(`No single node is named by ${connectionString}`);
  return address.includes(':') ? address : `${address}:2113`;
}

async function openEmbedded(): Promise<Opened<Target>> {
  const test: TestStore = await openTestStore();
  return {
    target: {
      ...freshNames(),
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

async function openReal(connectionString: string): Promise<Opened<Target>> {
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
    target: { ...freshNames(), isEmbedded: false, connectionString, client: connect(), connect },
    async close() {
      for (const client of clients) await client.dispose();
    },
  };
}
