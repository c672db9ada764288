import { type Db, MongoClient } from 'mongodb';

export interface DocumentStore {
  readonly db: Db;
  /** Whether the store answers; never throws. */
  ping(): Promise<boolean>;
  close(): Promise<void>;
}

export interface DocumentStoreOptions {
  /** `mongodb://…` */
  readonly url: string;
  readonly database: string;
  /** Shown in the server's log and in `currentOp`. */
  readonly appName: string;
  readonly maxPoolSize?: number;
  /** How long to look for a server that answers; 5,000 unless told otherwise. */
  readonly selectionTimeoutMs?: number;
  /** How long one operation may take in all; without it an operation may wait for a server that hangs. */
  readonly operationTimeoutMs?: number;
}

/**
 * Connects to the document store. Pool and time-outs are bounded, so that a store that is gone fails requests instead of
 * collecting them. 64-bit integers are read and written as `bigint`: a position must not lose its last digits.
 *
 * @throws Error a sentence, when the store cannot be reached in that time
 */
export async function connectDocumentStore(options: DocumentStoreOptions): Promise<DocumentStore> {
  const client = new MongoClient(options.url, {
    appName: options.appName,
    maxPoolSize: options.maxPoolSize ?? 20,
    waitQueueTimeoutMS: 5_000,
    ...(options.operationTimeoutMs === undefined ? {} : { timeoutMS: options.operationTimeoutMs }),
    serverSelectionTimeoutMS: options.selectionTimeoutMs ?? 5_000,
    connectTimeoutMS: 5_000,
    socketTimeoutMS: 30_000,
    useBigInt64: true,
    // A checkpoint must never outlive the documents it stands for, not even through a failover.
    writeConcern: { w: 'majority', journal: true },
  });
  const db = client.db(options.database);
  try {
    await client.connect();
    await db.command({ ping: 1 });
  } catch (cause) {
    await client.close();
    const hosts = client.options.hosts.map(String).join(', ');
    throw new Error(`the document store at ${hosts} cannot be reached`, { cause });
  }
  return {
    db,
    async ping() {
      try {
        await db.command({ ping: 1 });
        return true;
      } catch {
        return false;
      }
    },
    close: () => client.close(),
  };
}
