import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open } from 'lmdb';
import { seeded } from '../../test/support/seeded.js';
import type { Harness } from '../harness.js';
import type { Sample } from '../meter.js';
import { product } from './data.js';
import { batchSize } from './store.js';

/** LMDB without a server: the least that the same puts cost. It works in this process, in one piece. */
export interface BareLmdb {
  /** Durable commits of a thousand new values with their index entries; they are removed again afterwards. */
  insert(commits: number): Sample;
  /** Durable commits that each look a thousand values up by their id and put them anew. */
  modify(commits: number): Sample;
  /** Durable commits of one value, for so many milliseconds. */
  single(ms: number): Sample;
}

type Table = Database<Buffer, Buffer>;

const valueBytes = 600;
const filledAtOnce = 10_000;

/** What one product puts: its value, its id, and an index entry for the shop, for category and price, and for each term. */
interface Puts {
  readonly key: Buffer;
  readonly id: Buffer;
  readonly entries: readonly Buffer[];
}

function putsOf(seed: number, n: number, values: number): Puts {
  const { _id, shop, created, category, price, terms } = product(seed, n, values);
  const key = Buffer.alloc(12);
  key.writeUInt32BE(1);
  key.writeUInt32BE(n, 8);
  const entry = (index: number, ...parts: string[]) =>
    Buffer.concat([Buffer.of(0, 0, 0, index), Buffer.from(parts.join('\0')), key.subarray(4)]);
  return {
    key,
    id: Buffer.concat([key.subarray(0, 4), Buffer.from(_id)]),
    entries: [
      entry(2, shop, created.toISOString()),
      entry(3, category, String(price).padStart(9)),
      ...terms.map((term) => entry(4, term)),
    ],
  };
}

/**
 * A new file with the document store's tables, filled with so many values and entries as products have. It is closed
 * with the question.
 */
export async function openBareLmdb(harness: Harness, values: number): Promise<BareLmdb> {
  const path = await harness.folder();
  const root = open<Buffer, Buffer>({ path, noSubdir: false, mapSize: 2 ** 35, overlappingSync: false });
  harness.atEnd(() => root.close());
  const table = (name: string): Table => root.openDB({ name, encoding: 'binary', keyEncoding: 'binary', cache: false });
  const [data, ids, index] = [table('data'), table('ids'), table('index')];
  const random = seeded(harness.seed, 'bare');
  const value = random.bytes(valueBytes);
  const none = Buffer.alloc(0);
  let count = 0;

  const next = (length: number) => Array.from({ length }, () => putsOf(harness.seed, count++, values));
  const some = (length: number) =>
    Array.from({ length }, () => putsOf(harness.seed, random.between(0, values - 1), values));
  const insert = ({ key, id, entries }: Puts) => {
    data.putSync(key, value);
    ids.putSync(id, key);
    for (const entry of entries) index.putSync(entry, none);
  };
  const remove = ({ key, id, entries }: Puts) => {
    data.removeSync(key);
    ids.removeSync(id);
    for (const entry of entries) index.removeSync(entry);
  };
  const modify = ({ id }: Puts) => {
    const key = ids.get(id);
    const before = key && data.get(key);
    if (key === undefined || before === undefined) throw new Error('A value that was put is not there.');
    data.putSync(key, before);
  };
  const commit = (puts: readonly Puts[], work: (puts: Puts) => void) =>
    root.transactionSync(() => {
      for (const one of puts) work(one);
    });
  const measured = (commits: readonly (readonly Puts[])[], work: (puts: Puts) => void): Sample => {
    const cpuBefore = process.cpuUsage();
    const started = performance.now();
    for (const puts of commits) commit(puts, work);
    return sampleSince(started, cpuBefore, commits.flat().length);
  };
  const batches = (commits: number, make: (length: number) => Puts[]) =>
    Array.from({ length: commits }, () => make(batchSize));

  while (count < values) commit(next(Math.min(filledAtOnce, values - count)), insert);
  return {
    insert(commits) {
      const puts = batches(commits, next);
      const sample = measured(puts, insert);
      for (const batch of puts) commit(batch, remove);
      count = values;
      return sample;
    },
    modify: (commits) => measured(batches(commits, some), modify),
    single(ms) {
      const cpuBefore = process.cpuUsage();
      const started = performance.now();
      let commits = 0;
      do {
        commit(some(1), modify);
        commits++;
      } while (performance.now() - started < ms);
      return sampleSince(started, cpuBefore, commits);
    },
  };
}

/** Writes of a page that are each followed by an fsync, for so many milliseconds. */
export async function fsyncLoop(harness: Harness): Promise<(ms: number) => Sample> {
  const file = openSync(join(await harness.folder(), 'pages'), 'w');
  harness.atEnd(async () => closeSync(file));
  const page = Buffer.alloc(4_096, 1);
  return (ms) => {
    const cpuBefore = process.cpuUsage();
    const started = performance.now();
    let syncs = 0;
    do {
      writeSync(file, page, 0, page.length, (syncs++ % 1_000) * page.length);
      fsyncSync(file);
    } while (performance.now() - started < ms);
    return sampleSince(started, cpuBefore, syncs);
  };
}

/** What was done in this process alone: no server had a part in it. */
function sampleSince(started: number, cpuBefore: NodeJS.CpuUsage, operations: number): Sample {
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    operations,
    seconds,
    perSecond: operations / seconds,
    cpu: { client: (user + system) / operations, server: 0 },
  };
}
