import { parseArgs } from 'node:util';
import type { Db } from 'mongodb';
import { reportText } from '../../../cli/audit/report-text.js';
import { openDocuments } from '../../../cli/open-stores.js';
import { generousLimits } from '../../support/generous-limits.js';
import { startDrillSystem } from '../drill-system.js';
import { type Documents, differences, modelIds, readModelsOf, withDatabase, withLog } from './read-models.js';
import { shopledger } from './shopledger.js';
import { placeOrders } from './traffic.js';

const say = (text: string) => void process.stdout.write(`${text}\n`);

const setCheckpoint = (db: Db, model: string, position: bigint) =>
  db.collection<{ _id: string }>('checkpoints').updateOne({ _id: model }, { $set: { position } });
const dropCheckpoint = (db: Db, model: string) =>
  db.collection<{ _id: string }>('checkpoints').deleteOne({ _id: model });

/** What is done to a read model while the projector is stopped. */
const treatments: readonly (readonly [string, (db: Db, model: string, last: bigint) => Promise<unknown>])[] = [
  ['checkpoint back to the start', (db, model) => setCheckpoint(db, model, 0n)],
  ['checkpoint back to the middle', (db, model, last) => setCheckpoint(db, model, last / 2n)],
  ['collection dropped', (db, model) => db.collection(model).drop()],
  [
    'collection and checkpoint dropped',
    (db, model) => Promise.all([db.collection(model).drop(), dropCheckpoint(db, model)]),
  ],
];

/**
 * `npm run drill -- rewind [--orders 100]`: orders through the whole system, every part a process of its own; then every
 * read model is rewound and dropped in every way, while the system is stopped and while it runs, and must come back equal
 * document by document, positions included; else exit 1.
 */
export async function runRewind(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { orders: { type: 'string', default: '100' } } });
  const count = Number(values.orders);
  say('starting the system');
  const drill = await startDrillSystem({ RATE_LIMITS: JSON.stringify(generousLimits) });
  const faults: string[] = [];
  try {
    say(`${count} orders`);
    await withLog(drill, (eventLog) => placeOrders(drill, eventLog, count));
    const before = await readModelsOf(drill);

    const compare = async (what: (model: string) => string, after: ReadonlyMap<string, Documents>) => {
      for (const [model, documents] of before.models) {
        const found = differences(documents, after.get(model) ?? new Map());
        faults.push(...found.map((line) => `${model}: ${line}`));
        const verdict = found.length === 0 ? 'equal' : `${found.length} DIFFER`;
        say(
          `  ${model.padEnd(24)}${what(model).padEnd(36)}${String(documents.size).padStart(5)} documents  ${verdict}`,
        );
      }
    };

    for (const round of treatments.keys()) {
      const of = (model: string) => treatments[(modelIds.indexOf(model) + round) % treatments.length];
      say(`stopped and started again, ${round + 1} of ${treatments.length}`);
      await drill.restart(async () => {
        const stopped = await openDocuments(undefined, drill.data);
        await withDatabase(stopped.url, (db) =>
          Promise.all(modelIds.map(async (model) => of(model)?.[1](db, model, before.last))),
        );
        await stopped.close();
      });
      await compare((model) => of(model)?.[0] ?? '', (await readModelsOf(drill)).models);
    }

    say('while the system runs');
    await withDatabase(drill.system.facts.documentStoreUrl, async (db) => {
      for (const model of modelIds) await db.collection(model).drop();
    });
    await compare(() => 'collection dropped', (await readModelsOf(drill, before.models)).models);
    for (const model of modelIds) say(`  ${(await shopledger(drill, 'rebuild', model, '--why', 'a drill')).said}`);
    await compare(() => 'shopledger rebuild', (await readModelsOf(drill, before.models)).models);

    say(`shopledger rebuild while ${count} more orders come in`);
    await withLog(drill, async (eventLog) => {
      const orders = placeOrders(drill, eventLog, count);
      for (const model of modelIds) say(`  ${(await shopledger(drill, 'rebuild', model, '--why', 'a drill')).said}`);
      await orders;
    });
    await readModelsOf(drill);
    const report = await drill.audit({ waitMs: 60_000 });
    say(reportText(report));
    if (!report.clean) faults.push('the audit is not clean');
  } finally {
    await drill.close();
  }
  for (const fault of faults.slice(0, 20)) say(`  MISMATCH: ${fault}`);
  say(faults.length === 0 ? 'rewind: every read model came back, document by document' : 'rewind: FAILED');
  process.exitCode = faults.length === 0 ? 0 : 1;
}
