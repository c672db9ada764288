import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { serialize } from 'bson';
import { expect } from 'chai';
import type { Document, IndexDescription } from 'mongodb';
import { silentLogger } from '../../../runtime/logger.js';
import { verifyDataDir } from '../document-store.js';
import { startTestServer, type TestServer } from '../test-server.js';
import { goldenCollections } from './golden-contents.js';

/** The source folder's golden files, also when the compiled copy runs. */
function golden(name: string): Buffer {
  let root = import.meta.dirname;
  while (!existsSync(path.join(root, 'package.json'))) root = path.dirname(root);
  return gunzipSync(readFileSync(path.join(root, 'embedded/document-store-server/storage/golden', name)));
}

function dataDirOf(format: number): string {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'document-store-golden-'));
  writeFileSync(path.join(dataDir, 'data.mdb'), golden(`format-${format}.mdb.gz`));
  writeFileSync(path.join(dataDir, 'FORMAT'), `shopledger document store, format ${format}\n`);
  return dataDir;
}

const bytesOf = (documents: Document[]) =>
  documents.map((document) => Buffer.from(serialize(document)).toString('hex'));

const formats: Record<number, string[]> = {
  1: ['values', 'ids', 'orders', 'empty'],
  2: ['values', 'ids', 'orders', 'sessions', 'empty'],
};

for (const [format, names] of Object.entries(formats)) {
  describe(`a data directory of format ${format}`, () => {
    let server: TestServer;
    let now: number;
    beforeEach(async () => {
      // before anything in the golden files expires
      now = Date.UTC(2026, 9, 1);
      server = await startTestServer({ dataDir: dataDirOf(Number(format)), now: () => now });
    });
    afterEach(() => server.stop());
    const database = () => server.client.db('golden');
    const indexesOf = async (name: string) => (await database().collection(name).indexes()).slice(1);

    it('says the newest format from then on, and passes --verify before and after', async () => {
      const { dataDir } = server;
      await server.client.close();
      await server.store.close();
      expect(readFileSync(path.join(dataDir, 'FORMAT'), 'utf8')).to.equal('shopledger document store, format 2\n');
      expect((await verifyDataDir(dataDir, silentLogger)).faults).to.deep.equal([]);
    });

    it('gives back every document byte by byte, and counts them', async () => {
      const found = await database().listCollections({}, { nameOnly: true }).toArray();
      expect(found.map(({ name }) => name).sort()).to.deep.equal([...names].sort());
      for (const name of names) {
        const wanted = goldenCollections[name]?.documents ?? [];
        const raw = await database().collection(name, { raw: true }).find().toArray();
        expect(
          raw.map((bytes) => Buffer.from(bytes as unknown as Uint8Array).toString('hex')),
          name,
        ).to.deep.equal(bytesOf(wanted));
        expect(await database().collection(name).estimatedDocumentCount()).to.equal(wanted.length);
      }
    });

    it('finds each of them by its _id, and keeps every index with its options', async () => {
      for (const name of names) {
        const { documents, indexes } = goldenCollections[name] as {
          documents: Document[];
          indexes: IndexDescription[];
        };
        for (const { _id } of documents) expect(await database().collection(name).countDocuments({ _id })).to.equal(1);
        expect(await indexesOf(name)).to.deep.equal(indexes.map((index) => ({ v: 2, ...index })));
      }
      const orders = database().collection('orders');
      const explained = await orders.find({ terms: 'seven' }).explain();
      expect(explained['executionStats'].totalKeysExamined).to.equal(9);
      expect(await orders.countDocuments({ status: 'open', total: { $gt: 600 } })).to.equal(9);
    });

    it('removes what expires, where the format has TTL indexes', async () => {
      now = Date.UTC(2026, 10, 8);
      const expired = names.includes('sessions') ? 5 : 0;
      expect(await server.store.expire()).to.equal(expired);
      const left = (await database().collection('sessions').find().toArray()).map(({ _id }) => Number(_id));
      expect(left).to.deep.equal(names.includes('sessions') ? [1, 5, 7, 8, 9, 10, 11] : []);
    });

    it('goes on: unique indexes refuse, new documents stand in all indexes', async () => {
      const orders = database().collection<{ _id: string }>('orders');
      const again = { _id: 'again', email: 'e2@shop.test' };
      expect(await orders.insertOne(again).catch((err: { code: number }) => err.code)).to.equal(11000);
      await orders.insertOne({
        _id: 'again',
        email: 'new@shop.test',
        status: 'open',
        total: 900,
        terms: ['x', 'y'],
      } as {
        _id: string;
      });
      expect(await orders.countDocuments({ terms: 'y' })).to.equal(1);
      const { dataDir } = server;
      await server.client.close();
      await server.store.close();
      expect((await verifyDataDir(dataDir, silentLogger)).faults).to.deep.equal([]);
    });
  });
}
