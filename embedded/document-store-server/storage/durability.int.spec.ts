import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { silentLogger } from '../../../runtime/logger.js';
import { promisedLength } from '../../lmdb-file.js';
import { startDocumentStore, verifyDataDir } from '../document-store.js';
import { failure, runMain, spawnStore, startTestServer, type TestServer } from '../test-server.js';

interface Doc {
  _id: string;
  n?: number;
  tags?: string[];
}

describe('what is stored', function () {
  this.timeout(60_000);
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'document-store-durable-'));
  });
  const servers: TestServer[] = [];
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const server of servers.splice(0)) await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const serve = async () => {
    const server = await spawnStore(dataDir);
    children.push(server.child);
    return server;
  };

  const fill = async (documents: number) => {
    const store = await startDocumentStore({ dataDir, port: 0, log: silentLogger });
    const client = new MongoClient(store.connectionString);
    const items = client.db('shop').collection<Doc>('items');
    await items.createIndex({ tags: 1 });
    await items.insertMany(
      Array.from({ length: documents }, (_, n) => ({ _id: `i${n}`, n, tags: [`t${n % 5}`, 'all'] })),
    );
    await client.close();
    await store.close();
  };

  it('is there after a restart, with its indexes, counts and dropped things gone', async () => {
    const server = await startTestServer();
    servers.push(server);
    const items = () => server.db.collection<Doc>('items');
    await items().createIndex({ tags: 1 }, { unique: false });
    await items().insertMany(Array.from({ length: 5000 }, (_, n) => ({ _id: `i${n}`, n, tags: [`t${n % 50}`] })));
    await server.db.collection('gone').insertMany(Array.from({ length: 5000 }, (_, n) => ({ n })));
    await server.db.collection('gone').drop();
    await items().deleteMany({ n: { $lt: 10 } });
    await server.restart();
    expect(await items().estimatedDocumentCount()).to.equal(4990);
    expect(await items().countDocuments({ tags: 't20' })).to.equal(100);
    expect((await items().indexes()).map(({ name }) => name)).to.deep.equal(['_id_', 'tags_1']);
    expect((await server.db.listCollections().toArray()).map(({ name }) => name)).to.deep.equal(['items']);
    await items().insertOne({ _id: 'new' });
    expect(await items().findOne({ _id: 'new' })).to.deep.equal({ _id: 'new' });
  });

  it('survives kill -9: nothing acknowledged is lost, every index agrees', async () => {
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < 3; round++) {
      const { child, connectionString } = await serve();
      const client = new MongoClient(connectionString, { serverSelectionTimeoutMS: 2000 });
      const items = client.db('shop').collection<Doc>('items');
      await items.createIndex({ tags: 1, n: 1 });
      for (const [_id, n] of acknowledged) expect((await items.findOne({ _id }))?.n, _id).to.be.at.least(n);
      let writing = true;
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let n = 1; writing; n++) {
          const ids = Array.from({ length: 5 }, (__, i) => `r${round}-w${writer}-${(n + i) % 40}`);
          try {
            await items.bulkWrite(
              ids.map((_id) => ({
                updateOne: { filter: { _id }, update: { $set: { n, tags: [`t${n % 7}`, 'all'] } }, upsert: true },
              })),
              { ordered: false },
            );
            for (const _id of ids) acknowledged.set(_id, n);
          } catch {
            return;
          }
        }
      });
      const before = acknowledged.size;
      while (acknowledged.size < before + 150) await new Promise((resolve) => setImmediate(resolve));
      child.kill('SIGKILL');
      await once(child, 'close');
      writing = false;
      await Promise.all(writers);
      await client.close();
    }
    expect(acknowledged.size).to.be.at.least(450);
    const { documents, faults } = await verifyDataDir(dataDir, silentLogger);
    expect(faults).to.deep.equal([]);
    expect(documents).to.be.at.least(acknowledged.size);
  });

  it('belongs to one server at a time; a dead server no longer holds it', async () => {
    const { child } = await serve();
    const taken = await failure(startDocumentStore({ dataDir, port: 0, log: silentLogger }));
    expect(taken.name).to.equal('StartError');
    expect(taken.message).to.contain(`in use by process ${child.pid}`);
    const second = await runMain(['--port', '0', '--data', dataDir]);
    expect(second.code).to.equal(1);
    expect(second.stderr).to.match(/^document-store: .* in use by process \d+.*\n$/);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(existsSync(path.join(dataDir, 'server.lock'))).to.equal(true);
    const store = await startDocumentStore({ dataDir, port: 0, log: silentLogger });
    expect((await failure(startDocumentStore({ dataDir, port: 0, log: silentLogger }))).name).to.equal('StartError');
    await store.close();
    expect(existsSync(path.join(dataDir, 'server.lock'))).to.equal(false);
  });

  it('is refused in another format, in a foreign directory and where its end is missing', async () => {
    await fill(3000);
    const refusal = async (change: (copy: string) => void): Promise<string> => {
      const copy = `${dataDir}-copy`;
      cpSync(dataDir, copy, { recursive: true });
      change(copy);
      const err = await failure(startDocumentStore({ dataDir: copy, port: 0, log: silentLogger }));
      rmSync(copy, { recursive: true });
      expect(err.name).to.equal('StartError');
      return err.message;
    };
    const format = (copy: string) => path.join(copy, 'FORMAT');
    expect(await refusal((copy) => writeFileSync(format(copy), 'shopledger document store, format 99\n'))).to.contain(
      'another format',
    );
    expect(await refusal((copy) => rmSync(format(copy)))).to.contain('holds no document store');
    const data = (copy: string) => path.join(copy, 'data.mdb');
    for (const share of [0.2, 0.5, 0.99]) {
      const cut = (copy: string) => {
        const fd = openSync(data(copy), 'r');
        const used = promisedLength(fd) ?? 0;
        closeSync(fd);
        truncateSync(data(copy), Math.floor(used * share));
      };
      expect(await refusal(cut)).to.contain('was cut');
    }
    expect(readFileSync(format(dataDir), 'utf8')).to.equal('shopledger document store, format 2\n');
  });

  it('is checked by --verify, which finds an index that lost an entry', async () => {
    await fill(200);
    const sound = await runMain(['--data', dataDir, '--verify']);
    expect([sound.code, sound.stdout]).to.deep.equal([0, '200 documents, 0 faults\n']);
    const { open } = await import('lmdb');
    const root = open<Buffer, Buffer>({
      path: dataDir,
      noSubdir: false,
      maxDbs: 8,
      overlappingSync: false,
      encoding: 'binary',
      keyEncoding: 'binary',
    });
    const index = root.openDB<Buffer, Buffer>({ name: 'index', encoding: 'binary', keyEncoding: 'binary' });
    const [entry] = [...index.getKeys({ limit: 1 })];
    if (entry !== undefined) index.removeSync(entry);
    await root.close();
    const faulty = await runMain(['--data', dataDir, '--verify']);
    expect(faulty.code).to.equal(1);
    expect(faulty.stdout).to.equal('200 documents, 1 faults\n');
    expect(faulty.stderr).to.contain('missing in index tags_1');
  });

  it('cannot be served on a used port or with unknown flags: one sentence, exit 1', async () => {
    const store = await startDocumentStore({ dataDir, port: 0, log: silentLogger });
    const other = `${dataDir}-second`;
    const used = await runMain(['--port', String(store.port), '--data', other]);
    await store.close();
    rmSync(other, { recursive: true, force: true });
    expect(used.code).to.equal(1);
    expect(used.stderr).to.equal(`document-store: the port ${store.port} of 127.0.0.1 is in use\n`);
    const flags = await runMain(['--strange']);
    expect(flags.code).to.equal(1);
    expect(flags.stderr.trim().split('\n')).to.have.length(1);
  });
});
