import { type Collection, type Db, type Document, MongoClient, type MongoClientOptions } from 'mongodb';
import { startTestServer } from '../../../embedded/document-store-server/test-server.js';
import { contractOf, type FreshNames, freshNames, type Opened } from '../targets.js';

/** Documents of any shape. */
export interface Doc extends Document {
  _id: string | number;
}

/** A running document store that the contract is asked of, reached by the official driver alone. */
export interface Target extends FreshNames {
  readonly isEmbedded: boolean;
  readonly connectionString: string;
  readonly client: MongoClient;
  /** A database of this run. */
  readonly db: Db;
  /** A collection that nobody else uses. */
  collection(name: string): Collection<Doc>;
  /** A database of its own, dropped with the target. */
  database(name: string): Db;
  /** Another client, closed with the target. */
  connect(options?: MongoClientOptions): MongoClient;
}

/**
 * Describes what every document store has to do, once for each that is at hand: the embedded one on a directory of its
 * own, and the one that MONGODB_TEST_URL names. Of both only what the manual of MongoDB 7.0 promises of a standalone
 * server may be asked; others may use the server, so nothing outside the databases of this run is counted on.
 */
export const describeTargets = contractOf<Target>({
  embedded: { name: 'the embedded document store', open: openEmbedded },
  real: { name: 'MongoDB', variable: 'MONGODB_TEST_URL', open: (url) => openTarget(url, false) },
});

async function openEmbedded(): Promise<Opened<Target>> {
  const server = await startTestServer();
  const { target, close } = await openTarget(server.store.connectionString, true);
  return {
    target,
    async close() {
      await close();
      await server.stop();
    },
  };
}

async function openTarget(connectionString: string, isEmbedded: boolean): Promise<Opened<Target>> {
  const names = freshNames();
  const clients: MongoClient[] = [];
  const databases: Db[] = [];
  const connect = (options: MongoClientOptions = {}) => {
    const client = new MongoClient(connectionString, { serverSelectionTimeoutMS: 5000, ...options });
    clients.push(client);
    return client;
  };
  const client = await connect().connect();
  const database = (name: string) => {
    const db = client.db(names.fresh(name));
    databases.push(db);
    return db;
  };
  const db = database('shop');
  return {
    target: {
      ...names,
      isEmbedded,
      connectionString,
      client,
      db,
      database,
      connect,
      collection: (name) => db.collection<Doc>(names.fresh(name)),
    },
    async close() {
      for (const used of databases) await used.dropDatabase();
      for (const open of clients) await open.close();
    },
  };
}
