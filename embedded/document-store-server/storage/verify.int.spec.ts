import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { silentLogger } from '../../../runtime/logger.js';
import { documentValue } from '../bson/value.js';
import { writeDocument } from '../bson/write.js';
import { verifyDataDir } from '../document-store.js';
import { runMain, startTestServer } from '../test-server.js';
import type { Collection, Index } from './catalogue.js';
import { entryPrefix, idKey, insertRecord } from './records.js';
import { dataKey, idBytes, recordBytes, Store } from './store.js';

interface Doc {
  _id: number;
  n: number;
  tags: string[];
  email: string;
}

const documents = 2_500;

describe('the check of a data directory', function () {
  this.timeout(30_000);
  let dataDir: string;
  beforeEach(async () => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'document-store-verify-'));
    const server = await startTestServer({ dataDir });
    const items = server.db.collection<Doc>('items');
    await items.createIndexes([{ key: { tags: 1 } }, { key: { n: -1, tags: 1 } }, { key: { email: 1 }, unique: true }]);
    await items.insertMany(
      Array.from({ length: documents }, (_, _id) => ({
        _id,
        n: _id % 10,
        tags: ['all', `t${_id % 3}`],
        email: `e${_id}`,
      })),
    );
    await server.db.collection('other').insertOne({ n: 1 });
    await server.client.close();
    await server.store.close();
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  interface Damage {
    store: Store;
    items: Collection;
    index(name: string): Index;
  }
  /** Changes the data behind the server's back, and checks. */
  const faultsAfter = async (damage: (at: Damage) => void) => {
    const store = Store.open(dataDir, silentLogger, { sweeps: false });
    const items = store.catalogue.find('shop', 'items') as Collection;
    const index = (name: string) => items.indexes.find((one) => one.name === name) as Index;
    await store.write(() => damage({ store, items, index }));
    await store.close();
    const found = await verifyDataDir(dataDir, silentLogger);
    return found.faults;
  };
  const keysUnder = (store: Store, id: number) => [
    ...store.index.getKeys({ start: idBytes(id), end: idBytes(id + 1) }),
  ];

  it('finds nothing in a sound one, and leaves what was dropped to who serves', async () => {
    expect(await faultsAfter(({ store, items }) => store.catalogue.drop(items))).to.deep.equal([]);
    const store = Store.open(dataDir, silentLogger, { sweeps: false });
    expect([...store.data.getKeys()].length).to.equal(documents + 1);
    await store.close();
  });

  it('names an entry of an index that is missing', async () => {
    const faults = await faultsAfter(({ store, index }) => {
      const [, entry] = keysUnder(store, index('tags_1').id);
      store.index.removeSync(entry as Buffer);
    });
    expect(faults).to.have.length(1);
    expect(faults[0]).to.match(/^shop\.items: record \d+ is missing in index tags_1$/);
  });

  it('names an entry of an index that nothing has, and one whose document is not there', async () => {
    const faults = await faultsAfter(({ store, index }) => {
      const [entry] = keysUnder(store, index('n_-1_tags_1').id);
      const key = (entry as Buffer).subarray(0, -8);
      store.index.putSync(Buffer.concat([key, recordBytes(3)]), Buffer.alloc(0));
      store.index.putSync(Buffer.concat([key, recordBytes(77_777)]), Buffer.alloc(0));
    });
    expect(faults).to.deep.equal([
      'shop.items: index n_-1_tags_1 has 5002 entries instead of 5000',
      'shop.items: index n_-1_tags_1 holds record 3 under a key that it does not have',
      'shop.items: index n_-1_tags_1 leads to record 77777, which is not there',
    ]);
  });

  it('names a document that was changed behind the back of the indexes', async () => {
    const faults = await faultsAfter(({ store, items }) => {
      const key = dataKey(items.id, 5);
      const document = Buffer.from(store.data.get(key) as Buffer);
      document.writeInt32LE(77, document.indexOf('n\0') + 2);
      store.data.putSync(key, document);
    });
    expect(faults).to.deep.equal([
      'shop.items: record 5 is missing in index n_-1_tags_1',
      'shop.items: index n_-1_tags_1 holds record 5 under a key that it does not have',
      'shop.items: index n_-1_tags_1 holds record 5 under a key that it does not have',
    ]);
  });

  it('names documents that are damaged, not under their _id, or gone', async () => {
    const faults = await faultsAfter(({ store, items }) => {
      const cut = dataKey(items.id, 7);
      store.data.putSync(cut, (store.data.get(cut) as Buffer).subarray(0, 20));
      store.data.removeSync(dataKey(items.id, 9));
    });
    expect(faults.filter((fault) => /record 7 is damaged/.test(fault))).to.have.length(1);
    expect(faults).to.include(`shop.items: ${documents - 1} documents, ${documents} counted`);
    expect(faults).to.include('shop.items: an _id leads to record 9, which is not there');
    expect(faults).to.include('shop.items: index email_1 leads to record 9, which is not there');
  });

  it('names an _id that leads elsewhere, and one too many', async () => {
    const faults = await faultsAfter(({ store, items }) => {
      const ids = [...store.ids.getRange({ start: idBytes(items.id), end: idBytes(items.id + 1), limit: 2 })];
      const [first, second] = ids;
      if (first !== undefined && second !== undefined) store.ids.putSync(first.key, second.value);
    });
    expect(faults).to.deep.equal([
      'shop.items: record 1 is not under its _id',
      'shop.items: an _id leads to record 2, which has another one',
    ]);
  });

  it('names a count that is off by one', async () => {
    const faults = await faultsAfter(({ store, items }) => {
      items.count++;
      store.catalogue.touch(items);
    });
    expect(faults).to.deep.equal([`shop.items: ${documents} documents, ${documents + 1} counted`]);
  });

  it('names a key that a unique index holds twice', async () => {
    const faults = await faultsAfter(({ store, items, index }) => {
      // e10 and e11: the second document is given the key of the first, in the index as well
      const changed = Buffer.from(store.data.get(dataKey(items.id, 12)) as Buffer);
      changed.write('e10', changed.indexOf('e11'));
      store.data.putSync(dataKey(items.id, 12), changed);
      const entries = keysUnder(store, index('email_1').id);
      const of = (record: number) => entries.find((entry) => entry.subarray(-8).equals(recordBytes(record))) as Buffer;
      store.index.removeSync(of(12));
      store.index.putSync(Buffer.concat([of(11).subarray(0, -8), recordBytes(12)]), Buffer.alloc(0));
    });
    expect(faults).to.deep.equal(['shop.items: index email_1 is unique and holds a key of record 12 twice']);
  });

  it('names entries of collections and indexes that the catalogue does not know', async () => {
    const faults = await faultsAfter(({ store, items, index }) => {
      const id = documentValue(writeDocument({ any: 1 }));
      store.data.putSync(dataKey(900, 1), Buffer.alloc(5));
      store.ids.putSync(idKey({ ...items, id: 900 }, id), recordBytes(1));
      store.index.putSync(
        Buffer.concat([entryPrefix({ ...index('tags_1'), id: 901 }, Buffer.of(1)), recordBytes(1)]),
        Buffer.alloc(0),
      );
    });
    expect(faults).to.deep.equal([
      'the table of documents holds entries under the number 900, which nothing has',
      'the table of _ids holds entries under the number 900, which nothing has',
      'the table of indexes holds entries under the number 901, which nothing has',
    ]);
  });

  it('names what the catalogue says wrongly of an index, and of what comes next', async () => {
    const faults = await faultsAfter(({ store, items, index }) => {
      index('tags_1').multikey = false;
      items.nextRecord = documents;
      store.catalogue.touch(items);
    });
    expect(faults).to.have.length(100);
    expect(new Set(faults)).to.include('shop.items: index tags_1 does not know of arrays');
    await faultsAfter(({ store, items, index }) => {
      index('tags_1').multikey = true;
      items.nextRecord = documents + 1;
      store.catalogue.touch(items);
    });
    const long = await faultsAfter(({ store, items }) => {
      const document = writeDocument({ _id: 'long', n: 1, tags: 'x', email: 'e'.repeat(3_000) });
      insertRecord(store, items, document);
      for (const one of items.indexes) one.inexact = false;
      store.catalogue.touch(items);
    });
    expect(long).to.deep.equal(['shop.items: index email_1 does not know of its long keys']);
  });

  it('names what is in use and is to be removed', async () => {
    const faults = await faultsAfter(({ store, index }) => store.catalogue.discard(index('tags_1').id));
    expect(faults).to.have.length(1);
    expect(faults[0]).to.match(/in use/);
  });

  it('ends the command with 1 and says how many faults there are', async () => {
    const sound = await runMain(['--data', dataDir, '--verify']);
    expect(sound).to.deep.equal({ code: 0, stdout: `${documents + 1} documents, 0 faults\n`, stderr: '' });
    await faultsAfter(({ store, items }) => {
      items.count--;
      store.catalogue.touch(items);
    });
    const faulty = await runMain(['--data', dataDir, '--verify']);
    expect([faulty.code, faulty.stdout]).to.deep.equal([1, `${documents + 1} documents, 1 faults\n`]);
    expect(faulty.stderr).to.equal(`shop.items: ${documents} documents, ${documents - 1} counted\n`);
  });
});
