import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { open } from 'lmdb';
import type { Document, IndexSpecification } from 'mongodb';
import { inParallel } from '../../../runtime/in-parallel.js';
import { silentLogger } from '../../../runtime/logger.js';
import { eventually } from '../../../test/support/eventually.js';
import { verifyDataDir } from '../document-store.js';
import { failure, startTestServer, type TestServer } from '../test-server.js';

const refusals = 500;

/** How many entries every table of a closed data directory has. */
async function entriesOf(dataDir: string): Promise<Record<string, number>> {
  const root = open<Buffer, Buffer>({
    path: dataDir,
    noSubdir: false,
    maxDbs: 8,
    overlappingSync: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  });
  try {
    return Object.fromEntries(
      ['data', 'ids', 'index', 'catalogue'].map((name) => {
        const table = root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
        return [name, table.getKeysCount({})];
      }),
    );
  } finally {
    await root.close();
  }
}

describe('indexes that are refused', function () {
  this.timeout(120_000);
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });
  afterEach(() => server.stop());
  const docs = () => server.db.collection<{ _id: number; n: number; tags: number[] }>('docs');

  /** Has a server refuse again and again, and compares what the directory holds before and after. */
  const leavesNothing = async (code: number, attempt: (n: number) => Promise<unknown>): Promise<void> => {
    await server.restart();
    const indexes = (await docs().indexes()).map(({ name }) => name);
    await server.restart();
    await server.client.close();
    await server.store.close();
    const before = await entriesOf(server.dataDir);
    await server.restart();
    const attempts = Array.from({ length: refusals }, (_, n) => n);
    await inParallel(attempts, 5, async (n) => {
      expect((await failure(attempt(n))).code).to.equal(code);
    });
    expect((await docs().indexes()).map(({ name }) => name)).to.deep.equal(indexes);
    await eventually(
      'what was begun to be swept away',
      async () => {
        await server.restart();
        await server.client.close();
        await server.store.close();
        return isDeepStrictEqual(await entriesOf(server.dataDir), before);
      },
      60_000,
    );
    expect((await verifyDataDir(server.dataDir, silentLogger)).faults).to.deep.equal([]);
    await server.restart();
    await docs().insertOne({ _id: 1_000_000, n: 1_000_000, tags: [] });
    expect(await docs().countDocuments({ n: 1_000_000 })).to.equal(1);
  };

  it(`as the 65th, ${refusals} times, leave nothing behind`, async () => {
    await docs().insertMany(Array.from({ length: 20 }, (_, n) => ({ _id: n, n, tags: [n, n + 1] })));
    await docs().createIndexes(Array.from({ length: 63 }, (_, n) => ({ key: { [`f${n}`]: 1 } })));
    await leavesNothing(67, (n) =>
      n % 2 === 0
        ? docs().createIndex({ n: 1 })
        : docs().createIndexes([{ key: { f1: 1 } }, { key: { tags: 1 } }, { key: { n: -1 } }]),
    );
  });

  it(`over duplicates, ${refusals} times, leave nothing behind`, async () => {
    const documents = Array.from({ length: 60 }, (_, n) => ({ _id: n, n, tags: [n, n + 1] }));
    await docs().insertMany([...documents, { _id: 500, n: 59, tags: [] }]);
    await leavesNothing(11000, (n) => {
      const other = { [`x${n % 50}`]: 1 } as const;
      const patterns: IndexSpecification[] = [
        { n: 1, ...other },
        { tags: 1, ...other },
        { n: -1, ...other },
      ];
      if (n % 4 === 3) {
        return docs().createIndexes([
          { key: { whole: 1, ...other, _id: 1 }, unique: true },
          { key: { ...other, n: 1 }, unique: true },
        ]);
      }
      return docs().createIndex(patterns[n % 3] ?? {}, { unique: true });
    });
  });

  it('for their names, fields and options are refused before anything is done', async () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, 1] as const));
    await docs().insertOne({ _id: 1, n: 1, tags: [] });
    await docs().createIndex(many(32));
    const wrong: [Document, Document, number][] = [
      [many(33), {}, 13103],
      [{}, {}, 67],
      [{ n: 0 }, {}, 67],
      [{ n: 1 }, { name: '' }, 67],
      [{ n: 1 }, { name: '*' }, 2],
      [{ 'a..b': 1 }, {}, 67],
      [{ '': 1 }, {}, 67],
      [{ 'a.': 1 }, {}, 67],
    ];
    for (const [key, options, code] of wrong) {
      const name = Object.hasOwn(options, 'name') ? options['name'] : 'wrong';
      const command = server.db.command({ createIndexes: 'docs', indexes: [{ key, name }] });
      expect((await failure(command)).code, JSON.stringify([key, options])).to.equal(code);
    }
    // names have had no limit of their own since MongoDB 4.2
    await docs().createIndex({ n: 1 }, { name: 'n'.repeat(3_000) });
    await server.restart();
    expect((await docs().indexes()).map(({ name }) => name?.length)).to.include(3_000);
    await docs().dropIndex('n'.repeat(3_000));
    expect(await docs().indexes()).to.have.length(2);
  });
});
