import { setTimeout as sleep } from 'node:timers/promises';
import { allProjections } from '../projections/all-projections.js';
import type { Projection } from '../projections/projection.js';
import { startProjections } from '../projections/projector.js';
import { connectDocumentStore } from '../runtime/document-store/connect.js';
import { readModelId } from '../runtime/document-store/read-model.js';
import type { EventLog } from '../runtime/event-store/event-log.js';
import { silentLogger } from '../runtime/logger.js';
import { catchUp } from './event-store/store.js';
import { compared, rates } from './figures.js';
import type { Question } from './harness.js';
import { canMeter } from './meter.js';
import { writeShopLog } from './projections/shop-log.js';
import { pairedRatios } from './rounds.js';
import { row } from './rows.js';
import { startService } from './server-process.js';
import { openServedLog } from './shop/served-log.js';

const bare = 'bare subscription';
const together = 'all projections together';
const lookMs = 2;

interface Projecting {
  readonly eventLog: EventLog;
  readonly documentsUrl: string;
  readonly head: bigint;
}

/** Follows the whole log into a new database. @throws Error when a projection stops or leaves something out */
async function project({ eventLog, documentsUrl, head }: Projecting, database: string, projections: Projection[]) {
  const store = await connectDocumentStore({ url: documentsUrl, database, appName: 'bench' });
  const running = await startProjections({ eventLog, db: store.db, log: silentLogger, projections });
  try {
    for (;;) {
      const states = running.states();
      const stuck = states.find(({ fault, parked }) => fault !== undefined || parked.events > 0);
      if (stuck !== undefined)
        throw new Error(`${stuck.id} cannot read this log: ${JSON.stringify(stuck.fault ?? stuck.parked)}`);
      if (states.every(({ position = -1n }) => position >= head)) return;
      await sleep(lookMs);
    }
  } finally {
    await running.close();
    await store.db.dropDatabase();
    await store.close();
  }
}

export const projecting: Question<'orders'> = {
  name: 'projections',
  about: 'read models that catch up with a log of orders, beside a subscription that does nothing with it',
  sizes: {
    orders: { default: 1_000, about: 'orders in the log, eleven events each and more where a card is declined' },
  },
  async run(harness) {
    if (!canMeter) throw new Error("The servers' CPU is read from /proc, which only Linux has.");
    const { dataDir, events } = await writeShopLog(harness, harness.sizes.orders);
    const { server, eventLog } = await openServedLog(harness, dataDir);
    const data = await harness.folder();
    const documents = await startService(harness, 'embedded/document-store-server/main', [
      '--data',
      data,
      '--port',
      '0',
    ]);
    const at = { eventLog, documentsUrl: String(documents.facts['connectionString']), head: await eventLog.head() };
    let runs = 0;
    const arm = (projections: readonly Projection[]) => async () => {
      runs += 1;
      await project(at, `bench_${runs}`, [...projections]);
      return events;
    };
    const alone = allProjections.map((projection) => [readModelId(projection.model), arm([projection])] as const);
    const rounds = await compared(harness, `${events} events`, [server.pid, documents.pid], {
      [bare]: () => catchUp(eventLog.client(), events),
      ...Object.fromEntries(alone),
      [together]: arm(allProjections),
    });
    const ratio = (name: string) => pairedRatios(rounds, name, bare, ({ perSecond }) => perSecond);
    const names = alone.map(([name]) => name);
    return [
      ...names.map((name) => row(`${name} / ${bare}`, 'x', ratio(name), { id: 'P6', goal: { atLeast: 0.7 } })),
      row(`${together} / ${bare}`, 'x', ratio(together)),
      ...rates(rounds, [bare, ...names, together], 'events caught up with'),
    ];
  },
};
