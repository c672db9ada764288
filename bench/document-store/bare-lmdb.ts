import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open } from 'lmdb';
import { seeded } from '../../test/support/seeded.js';
import type { Harness } from '../harness.js';
import type { Sample } from '../meter.js';
import { batchSize } from './store.js';

/** LMDB without a server: the least that the same puts cost. It works in this process, in one piece. */
export interface BareLmdb {
  /** Durable commits of a thousand new values with their index entries. */
  insert(commits: number): Sample;
  /** Durable commits that each look a thousand values up by their id and put them anew. */
  modify(commits: number): Sample;
  /** Durable commits of one value, for so many milliseconds. */
  single(ms: number): Sample;
}

type Table = Database<Buffer, Buffer>;

const valueBytes = 600;
const idBytes = 42;
/** One for the shop, one for category and price, about twelve for the terms. */
const entries = 14;
const entryBytes = 30;
const lastingAtOnce = 10_000;

/** A new file with the document store's tables, filled with so many values. It is closed with the question. */
export async function openBareLmdb(harness: Harness, values: number): Promise<BareLmdb> {
  const path = await harness.folder();
  const root = open<Buffer, Buffer>({ path, noSubdir: false, mapSize: 2 ** 35, overlappingSync: false });
  harness.atEnd(() => root.close());
  const table = (name: string): Table => root.openDB({ name, encoding: 'binary', keyEncoding: 'binary', cache: false });
  const [data, ids, index] = [table('data'), table('ids'), table('index')];
  const random = seeded(harness.seed, 'bare');
  const value = random.bytes(valueBytes);
  const none = Buffer.alloc(0);
  const known: Buffer[] = [];

  const insert = () => {
    const key = Buffer.alloc(12);
    key.writeUInt32BE(1);
    key.writeUInt32BE(known.length, 8);
    const id = random.bytes(idBytes);
    data.putSync(key, value);
    ids.putSync(id, key);
    for (let at = 0; at < entries; at++) index.putSync(random.bytes(entryBytes), none);
    known.push(id);
  };
  const modify = () => {
    const key = ids.get(random.pick(known));
    const before = key && data.get(key);
    if (key === undefined || before === undefined) throw new Error('A value that was put is not there.');
    data.putSync(key, before);
  };
  const committed = (commits: number, each: number, work: () => void): Sample => {
    const cpuBefore = process.cpuUsage();
    const started = performance.now();
    for (let commit = 0; commit < commits; commit++) {
      root.transactionSync(() => {
        for (let at = 0; at < each; at++) work();
      });
    }
    return sampleSince(started, cpuBefore, commits * each);
  };
  for (let filled = 0; filled < values; filled += lastingAtOnce) {
    committed(1, Math.min(lastingAtOnce, values - filled), insert);
  }
  return {
    insert: (commits) => committed(commits, batchSize, insert),
    modify: (commits) => committed(commits, batchSize, modify),
    single(ms) {
      const cpuBefore = process.cpuUsage();
      const started = performance.now();
      let commits = 0;
      do commits += committed(1, 1, modify).operations;
      while (performance.now() - started < ms);
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
