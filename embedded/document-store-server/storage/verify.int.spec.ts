import { expect } from 'chai';
import { open } from 'lmdb';
import { silentLogger } from '../../../runtime/logger.js';
import { verifyDataDir } from '../document-store.js';
import { startTestServer, type TestServer } from '../test-server.js';

interface StoredCollection {
  nextRecord: number;
  count: number;
  indexes: { id: number; name: string; unique: boolean; multikey: boolean; inexact: boolean }[];
}

describe('what --verify finds', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
    const items = server.db.collection<{ _id: number; n: number; tags: string[]; text: string }>('items');
    await items.createIndexes([
      { key: { n: 1 }, name: 'n' },
      { key: { tags: 1 }, name: 'tags' },
      { key: { text: 1 }, name: 'text' },
    ]);
    await items.insertMany([1, 2, 3].map((_id) => ({ _id, n: 7, tags: ['a', 'b'], text: 'x'.repeat(_id * 1_000) })));
    await server.client.close();
    await server.store.close();
  });
  afterEach(() => server.stop());

  type Tables = Record<'data' | 'ids' | 'index' | 'catalogue', ReturnType<typeof openTable>>;
  const openTable = (root: ReturnType<typeof openRoot>, name: string) =>
    root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
  const openRoot = () =>
    open<Buffer, Buffer>({
      path: server.dataDir,
      noSubdir: false,
      maxDbs: 8,
      overlappingSync: false,
      encoding: 'binary',
      keyEncoding: 'binary',
    });
  /** Changes the tables behind the server's back. @returns the faults that are found then */
  const after = async (damage: (tables: Tables) => void): Promise<string[]> => {
    const root = openRoot();
    const names = ['data', 'ids', 'index', 'catalogue'] as const;
    damage(Object.fromEntries(names.map((name) => [name, openTable(root, name)])) as Tables);
    await root.close();
    return (await verifyDataDir(server.dataDir, silentLogger)).faults;
  };
  /** Changes the catalogue's entry of the one collection. */
  const edit =
    (change: (stored: StoredCollection) => void) =>
    ({ catalogue }: Tables) => {
      for (const { key, value } of catalogue.getRange({})) {
        if (!key.subarray(0, 2).equals(Buffer.from('c:'))) continue;
        const stored = JSON.parse(value.toString()) as StoredCollection;
        change(stored);
        catalogue.putSync(key, Buffer.from(JSON.stringify(stored)));
      }
    };
  const index = (stored: StoredCollection, name: string) => {
    const found = stored.indexes.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no index ${name}`);
    return found;
  };
  const first = (table: Tables['data']) =>
    [...table.getRange({ limit: 1 })][0] ?? { key: Buffer.alloc(0), value: Buffer.alloc(0) };
  const elsewhere = (key: Buffer) => {
    const copy = Buffer.from(key);
    copy.writeUInt32BE(77_777);
    return copy;
  };

  const damages: Record<string, [damage: (tables: Tables) => void, faults: number]> = {
    'nothing in sound data': [() => {}, 0],
    'a document that is gone': [({ data }) => void data.removeSync(first(data).key), 6],
    'an index entry that is gone': [({ index: table }) => void table.removeSync(first(table).key), 2],
    'a wrong count': [edit((stored) => Object.assign(stored, { count: 4 })), 1],
    'a record number that will be given again': [edit((stored) => Object.assign(stored, { nextRecord: 3 })), 1],
    'a unique index over what is not': [edit((stored) => Object.assign(index(stored, 'n'), { unique: true })), 3],
    'an index that does not know of its arrays': [
      edit((stored) => Object.assign(index(stored, 'tags'), { multikey: false })),
      3,
    ],
    'an index that does not know of its long keys': [
      edit((stored) => Object.assign(index(stored, 'text'), { inexact: false })),
      2,
    ],
    'documents that belong to nothing': [
      ({ data }) => void data.putSync(elsewhere(first(data).key), first(data).value),
      1,
    ],
    'entries that belong to no index': [
      ({ index: table }) => void table.putSync(elsewhere(first(table).key), Buffer.alloc(0)),
      1,
    ],
    'an index whose entries are to be removed': [
      ({ catalogue, index: table }) => {
        const id = first(table).key.subarray(0, 4);
        catalogue.putSync(Buffer.concat([Buffer.from('g:'), id]), Buffer.alloc(0));
      },
      1,
    ],
  };
  for (const [what, [damage, faults]] of Object.entries(damages)) {
    it(`is ${what}`, async () => {
      const found = await after(damage);
      expect(found, found.join('\n')).to.have.length(faults);
    });
  }
});
