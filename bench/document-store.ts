import { measureBulks } from './document-store/bulks.js';
import { measureReads } from './document-store/reads.js';
import { measureSingleWrites } from './document-store/single-writes.js';
import { openStore, type Store } from './document-store/store.js';
import type { Stores } from './document-store/timed.js';
import type { Question } from './harness.js';
import { canMeter, memoryOf } from './meter.js';
import { type Row, row } from './rows.js';

type SizeName = 'small' | 'medium' | 'large' | 'arm-ms' | 'bulks';

export const documentStore: Question<SizeName> = {
  name: 'document-store',
  about: 'the embedded document store, in a process of its own, under the official driver',
  sizes: {
    small: { default: 10_000, about: 'documents of the small collection' },
    medium: { default: 100_000, about: 'documents of the collection that goals are set for' },
    large: { default: 1_000_000, about: 'documents of the large collection' },
    'arm-ms': { default: 300, about: 'milliseconds that an arm reads, or writes singly, in each round' },
    bulks: { default: 5, about: 'bulks of a thousand documents that an arm writes in each round' },
  },
  async run(harness) {
    if (!canMeter) throw new Error("The server's CPU and memory are read from /proc, which only Linux has.");
    const { small, medium, large } = harness.sizes;
    if (small >= medium || medium >= large) throw new Error('The three sizes are to grow.');
    const stores: Stores = [
      await openStore(harness, small),
      await openStore(harness, medium),
      await openStore(harness, large),
    ];
    const loads = stores.flatMap(loadRows);
    const reads = await measureReads(harness, stores);
    const bulks = await measureBulks(harness, stores);
    const writes = await measureSingleWrites(harness, stores[1]);
    const memory = await Promise.all(stores.map(memoryRow));
    return [...reads, ...bulks, ...writes, ...loads, ...memory];
  },
};

function loadRows({ documents, loading, diskBytes }: Store): Row[] {
  return [
    row(`documents loaded by insertMany, 0 to ${documents}`, '1/s', [loading.perSecond], { cpu: [loading.cpu] }),
    row(`disk of a document with its index entries, ${documents} documents`, 'bytes', [diskBytes]),
  ];
}

async function memoryRow({ server, documents }: Store): Promise<Row> {
  const { anonymous } = await memoryOf(server.pid);
  return row(`own memory of the server after all of it, ${documents} documents`, 'MiB', [anonymous / 2 ** 20]);
}
