import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { startDocumentStore } from '../../embedded/document-store-server/document-store.js';
import { silentLogger } from '../logger.js';
import { type Checkpoints, openCheckpoints } from './checkpoints.js';
import { connectDocumentStore, type DocumentStore } from './connect.js';
import { bulkWriteGuarded } from './duplicate-key.js';
import { isOutage } from './outage.js';
import { type Positioned, positionedDocuments } from './positioned.js';
import { ensureIndexes } from './read-model.js';

const beyondDoubles = 2n ** 60n + 1n;

describe('the document store', () => {
  let dataDir: string;
  let server: Awaited<ReturnType<typeof startDocumentStore>>;
  let store: DocumentStore;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'shopledger-documents-'));
    server = await startDocumentStore({ dataDir, port: 0, log: silentLogger });
    store = await connectDocumentStore({ url: server.connectionString, database: 'specs', appName: 'specs' });
  });

  after(async () => {
    await store.close();
    await server.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('answers pings', async () => {
    expect(await store.ping()).to.equal(true);
  });

  it('is refused in a sentence where nothing listens', async () => {
    const refused = await connectDocumentStore({
      url: 'mongodb://127.0.0.1:1',
      database: 'specs',
      appName: 'specs',
      selectionTimeoutMs: 200,
    }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).to.be.instanceOf(Error);
    expect((refused as Error).message).to.equal('the document store at 127.0.0.1:1 cannot be reached');
    expect(isOutage((refused as Error).cause)).to.equal(true);
  });

  describe('checkpoints', () => {
    let checkpoints: Checkpoints;
    before(() => {
      checkpoints = openCheckpoints(store.db);
    });

    it('are there only once something was stored', async () => {
      expect(await checkpoints.read(['orders-v1'])).to.deep.equal(new Map());
    });

    it('keep positions exactly, many in one write', async () => {
      const positions = new Map([
        ['orders-v1', beyondDoubles],
        ['product-search-v1', 0n],
      ]);
      await checkpoints.advance(positions);
      expect(await checkpoints.read([...positions.keys()])).to.deep.equal(positions);
    });

    it('never go back', async () => {
      await checkpoints.advance(new Map([['orders-v1', beyondDoubles - 1n]]));
      expect(await checkpoints.read(['orders-v1'])).to.deep.equal(new Map([['orders-v1', beyondDoubles]]));
    });

    it('end at the highest, whoever of many writers comes first', async () => {
      const positions = Array.from({ length: 20 }, (_, index) => BigInt((index * 7) % 20));
      await Promise.all(positions.map((position) => checkpoints.advance(new Map([['contested', position]]))));
      expect(await checkpoints.read(['contested'])).to.deep.equal(new Map([['contested', 19n]]));
    });
  });

  describe('positioned documents', () => {
    const at = (id: string, position: bigint, word = 'x'): Positioned<{ word: string }> => ({
      _id: id,
      position,
      word,
    });

    it('are written and read in one go', async () => {
      const documents = positionedDocuments(store.db, 'words');
      expect(await documents.replace([at('a', 1n), at('b', beyondDoubles)])).to.deep.equal({
        refused: [],
        unstorable: [],
      });
      expect(await documents.read(['a', 'b', 'c'])).to.deep.equal(
        new Map([
          ['a', at('a', 1n)],
          ['b', at('b', beyondDoubles)],
        ]),
      );
    });

    it('refuse what is not further on, and say which', async () => {
      const documents = positionedDocuments(store.db, 'words');
      const refused = await documents.replace([at('a', 2n, 'new'), at('b', beyondDoubles, 'same'), at('d', 1n)]);
      expect(refused).to.deep.equal({ refused: ['b'], unstorable: [] });
      const found = await documents.read(['a', 'b', 'd']);
      expect([...found.values()]).to.deep.include.members([at('a', 2n, 'new'), at('b', beyondDoubles), at('d', 1n)]);
    });
  });

  it('creates indexes that are missing, again and again', async () => {
    const model = { name: 'indexed', version: 3, indexes: [{ key: { word: 1 as const, _id: -1 as const } }] };
    await ensureIndexes(store.db, model);
    await ensureIndexes(store.db, model);
    const indexes = await store.db.collection('indexed-v3').indexes();
    expect(indexes.map(({ key }) => key)).to.deep.equal([{ _id: 1 }, { word: 1, _id: -1 }]);
  });

  it('does not take another fault of a bulk for a duplicate', async () => {
    const collection = store.db.collection<{ _id: string; count: string }>('faults');
    await collection.insertOne({ _id: 'a', count: 'text' });
    const update = { $inc: { count: 1 } } as never;
    const failed = await bulkWriteGuarded(collection, [{ updateOne: { filter: { _id: 'a' }, update } }]).then(
      () => false,
      () => true,
    );
    expect(failed).to.equal(true);
  });
});
