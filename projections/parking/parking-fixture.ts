import { eventCatalog } from '../../domain/event-catalog.js';
import type { DocumentStore } from '../../runtime/document-store/connect.js';
import type { StoredEvent } from '../../runtime/event-store/event-log.js';
import { silentLogger } from '../../runtime/logger.js';
import { type Act, type Asked, openActs } from '../acts.js';
import { decoder } from '../decode-batch.js';
import { foldingOf } from '../fold-log.js';
import type { Projection } from '../projection.js';
import { type RunningProjections, startProjections } from '../projector.js';
import { picky } from '../spec-poison.js';
import { startServers, until } from '../spec-servers.js';

/** A log, a database and a projector of the model `seen` for each test, so that what is parked in one is not met in the next. */
export class ParkingFixture {
  servers!: Awaited<ReturnType<typeof startServers>>;
  store!: DocumentStore;
  running: RunningProjections | undefined;

  async open(): Promise<void> {
    this.servers = await startServers();
    this.store = await this.servers.freshDatabase();
  }

  async close(): Promise<void> {
    await this.running?.close();
    this.running = undefined;
    await this.store.close();
    await this.servers.close();
  }

  /** Starts the projector with this projection, in place of the one that runs. */
  async start(projection: Projection, maxBatch = 15): Promise<RunningProjections> {
    await this.running?.close();
    this.running = await startProjections({
      eventLog: this.servers.eventLog,
      db: this.store.db,
      log: silentLogger,
      projections: [projection],
      maxBatch,
      lookEveryMs: 10,
    });
    return this.running;
  }

  caughtUp(position: bigint): Promise<void> {
    const isThere = () => this.running?.states().every((state) => (state.position ?? -1n) >= position) === true;
    return until(isThere, `${position}`);
  }

  stored() {
    return this.store.db.collection('seen-v1').find().sort({ _id: 1 }).toArray();
  }

  async whole(): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    for await (const event of this.servers.eventLog.readAll()) events.push(event);
    return events;
  }

  /** What the log without some of its events folds to. */
  async folded(without: (event: StoredEvent) => boolean = () => false) {
    const folding = foldingOf(picky(), decoder(eventCatalog));
    folding.add((await this.whole()).filter((event) => !without(event)));
    return [...folding.documents.values()].sort((a, b) => (a._id < b._id ? -1 : 1));
  }

  /** Asks for an act and waits until it is done or refused. */
  async act(asked: Asked): Promise<Act> {
    const acts = openActs(this.store.db);
    const id = await acts.ask('seen-v1', asked, { by: 'ada', why: 'a test' }, new Date());
    await until(async () => (await acts.read(id))?.state !== 'asked', asked.act);
    const done = await acts.read(id);
    if (done === undefined) throw new Error('the act is gone');
    return done;
  }
}
