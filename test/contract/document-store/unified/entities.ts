import {
  ClientSession,
  type CollectionOptions,
  type CommandFailedEvent,
  type CommandStartedEvent,
  type CommandSucceededEvent,
  type Db,
  type DbOptions,
  type Document,
  GridFSBucket,
  MongoClient,
  type MongoClientOptions,
} from 'mongodb';
import { Skipped } from './matching.js';

export type CommandEvent = CommandStartedEvent | CommandSucceededEvent | CommandFailedEvent;

const eventNames = {
  commandStartedEvent: 'commandStarted',
  commandSucceededEvent: 'commandSucceeded',
  commandFailedEvent: 'commandFailed',
} as const;

/** The named things of one test: clients, databases, collections, sessions, buckets and saved results. */
export class Entities {
  readonly events = new Map<string, { name: string; event: CommandEvent }[]>();
  private readonly byId = new Map<string, unknown>();

  constructor(private readonly url: string) {}

  readonly lookup = (id: string): unknown => {
    if (!this.byId.has(id)) throw new Skipped(`there is no entity ${id}`);
    return this.byId.get(id);
  };

  client(id: string): MongoClient {
    return this.lookup(id) as MongoClient;
  }

  save(id: string, value: unknown): void {
    this.byId.set(id, value);
  }

  /** @throws Skipped for kinds of entities that this runner does not have */
  async create(description: Document): Promise<void> {
    const [kind = '', spec] = Object.entries(description)[0] ?? [];
    const { id } = spec as { id: string };
    if (kind === 'client') this.save(id, await this.connect(spec as Document));
    else if (kind === 'database') {
      const { client, databaseName, databaseOptions } = spec as Document;
      this.save(id, this.client(String(client)).db(String(databaseName), databaseOptions as DbOptions | undefined));
    } else if (kind === 'collection') {
      const { database, collectionName, collectionOptions } = spec as Document;
      const db = this.lookup(String(database)) as Db;
      this.save(id, db.collection(String(collectionName), (collectionOptions ?? {}) as CollectionOptions));
    } else if (kind === 'session') {
      this.save(id, this.client(String(spec.client)).startSession(spec.sessionOptions ?? {}));
    } else if (kind === 'bucket') {
      this.save(id, new GridFSBucket(this.lookup(String(spec.database)) as Db, spec.bucketOptions ?? {}));
    } else {
      throw new Skipped(`this runner has no entity of kind ${kind}`);
    }
  }

  private async connect(spec: Document): Promise<MongoClient> {
    const { id, uriOptions = {}, observeEvents = [], ignoreCommandMonitoringEvents = [], serverApi } = spec;
    if (spec['storeEventsAsEntities'] !== undefined) throw new Skipped('this runner stores no events as entities');
    const url = new URL(this.url);
    for (const [name, value] of Object.entries(uriOptions)) url.searchParams.set(name, String(value));
    const options: MongoClientOptions = { monitorCommands: true, ...(serverApi === undefined ? {} : { serverApi }) };
    const client = new MongoClient(url.href, options);
    const ignored = new Set(['configureFailPoint', ...ignoreCommandMonitoringEvents]);
    const seen: { name: string; event: CommandEvent }[] = [];
    for (const name of Object.keys(eventNames) as (keyof typeof eventNames)[]) {
      if (!observeEvents.includes(name)) continue;
      client.on(eventNames[name], (event: CommandEvent) => {
        const content = (event as Document)['command'] ?? (event as Document)['reply'];
        const isRedacted = content !== undefined && Object.keys(content).length === 0;
        if (ignored.has(event.commandName) || (isRedacted && spec['observeSensitiveCommands'] !== true)) return;
        seen.push({ name, event });
      });
    }
    this.events.set(String(id), seen);
    return client.connect();
  }

  async close(): Promise<void> {
    for (const entity of this.byId.values()) if (entity instanceof ClientSession) await entity.endSession();
    for (const entity of this.byId.values()) if (entity instanceof MongoClient) await entity.close();
  }
}
