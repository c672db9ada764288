import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { silentLogger } from '../../../runtime/logger.js';
import { seeded } from '../../../test/support/seeded.js';
import { writeDocument } from '../bson/write.js';
import { type Collection, indexFields } from './catalogue.js';
import { beginBuild, buildPiece } from './index-build.js';
import { getRecord, insertRecord, removeRecord, replaceRecord } from './records.js';
import { Store } from './store.js';
import type { Commit } from './write-queue.js';

describe('room for what the document store writes', function () {
  this.timeout(120_000);
  let dataDir: string;
  let store: Store;
  let commits: { added: number; asked: number; length: number; used: number }[];
  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'document-store-room-'));
    commits = [];
  });
  afterEach(async () => {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const open = (options: { mapSize?: number } = {}) => {
    store = Store.open(dataDir, silentLogger, {
      ...options,
      committed: ({ addedBytes, askedBytes }: Commit) => {
        commits.push({
          added: addedBytes,
          asked: askedBytes(),
          length: statSync(store.path).size,
          used: store.usedBytes,
        });
      },
    });
  };
  const index = (pattern: Record<string, number>) => {
    const key = writeDocument(pattern);
    return {
      name: JSON.stringify(pattern),
      pattern: key,
      fields: indexFields(key),
      isIdIndex: false,
      unique: false,
      sparse: false,
      partial: undefined,
      expireAfterSeconds: undefined,
      multikey: false,
      inexact: false,
    };
  };
  const withIndexes = (name: string, patterns: Record<string, number>[]) =>
    store.write(() => {
      const collection = store.catalogue.create('shop', name);
      if (patterns.length > 0) buildPiece(store, collection, beginBuild(store, collection, patterns.map(index)));
      return collection;
    });

  it('is asked for in full before LMDB writes, whatever is written', async () => {
    open();
    const random = seeded('room of the document store');
    const collections: Collection[] = [
      await withIndexes('plain', []),
      await withIndexes('indexed', [{ a: 1 }, { tags: 1 }, { b: -1, a: 1 }]),
      await withIndexes('long', [{ text: 1 }]),
    ];
    const records = new Map(collections.map((collection) => [collection, [] as number[]]));
    let id = 0;
    const make = (_id: number, size: number) =>
      writeDocument({
        _id: random.chance(0.1) ? `${'k'.repeat(random.between(1, 2_500))}${_id}` : _id,
        a: random.next(),
        b: random.between(0, 1_000),
        tags: Array.from({ length: random.between(0, 30) }, () => random.between(0, 100_000)),
        text: 'x'.repeat(random.between(0, 2_500)) + random.next(),
        fill: 'y'.repeat(size),
      });
    for (let n = 0; n < 300; n++) {
      const collection = random.pick(collections);
      const known = records.get(collection) ?? [];
      const changes = random.pick([1, 1, 3, 20, 150]);
      const size = random.pick([0, 50, 500, 1_500, 3_000, 9_000, random.chance(0.1) ? 400_000 : 100]);
      let done = 0;
      const work = () => {
        for (; done < changes; done++) {
          const choice = random.between(0, 3);
          const record = known.length === 0 || choice === 0 ? undefined : random.pick(known);
          const before = record === undefined ? undefined : getRecord(store, collection, record);
          if (record === undefined || before === undefined) {
            const next = collection.nextRecord;
            insertRecord(store, collection, make(id++, size));
            known.push(next);
          } else if (choice === 1) {
            removeRecord(store, collection, record, before);
            known.splice(known.indexOf(record), 1);
          } else {
            replaceRecord(store, collection, record, before, grow(before, size));
          }
        }
      };
      await Promise.all([store.write(work), store.write(() => store.catalogue.touch(random.pick(collections)))]);
    }
    const dropped = collections[2] as Collection;
    await store.write(() => store.catalogue.drop(dropped));
    while (store.catalogue.garbage.size > 0) await store.write(() => undefined);
    expect(commits.length).to.be.above(300);
    expect(commits.filter(({ added, asked }) => added > asked)).to.deep.equal([]);
    expect(commits.filter(({ length, used }) => used > length)).to.deep.equal([]);
  });

  it('is not bounded by the address space that LMDB begins with', async () => {
    open({ mapSize: 4 * 1024 * 1024 });
    const collection = await withIndexes('wide', [{ n: 1 }]);
    for (let n = 0; n < 30; n++) {
      let at = 0;
      await store.write(() => {
        for (; at < 10; at++) {
          insertRecord(store, collection, writeDocument({ _id: 10 * n + at, n, fill: 'z'.repeat(100_000) }));
        }
      });
    }
    expect(store.usedBytes).to.be.above(20 * 1024 * 1024);
    expect([...store.data.getKeys()]).to.have.length(300);
  });
});

/** The document with another filling of the given length at its end. */
function grow(document: Buffer, size: number): Buffer {
  const fill = Buffer.alloc(size, 'w');
  const at = document.length - 1;
  const field = Buffer.concat([Buffer.from([2]), Buffer.from(`f${size}\0`), Buffer.alloc(4), fill, Buffer.of(0)]);
  field.writeInt32LE(size + 1, field.length - size - 5);
  const grown = Buffer.concat([document.subarray(0, at), field, Buffer.of(0)]);
  grown.writeInt32LE(grown.length);
  return grown.length > 200_000 ? document : grown;
}
