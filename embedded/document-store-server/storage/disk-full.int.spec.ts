import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { type Collection, type Document, MongoClient } from 'mongodb';
import { silentLogger } from '../../../runtime/logger.js';
import { eventually } from '../../../test/support/eventually.js';
import { mountSmallDisk } from '../../../test/support/small-disk.js';
import { verifyDataDir } from '../document-store.js';
import { failure, runMain, spawnStore, startTestServer, type TestServer } from '../test-server.js';

interface Doc extends Document {
  _id: string | number;
}

const outOfDiskSpace = 14_031;
const fillOf = (bytes = 30_000) => 'x'.repeat(bytes);

/** Inserts until it is refused. @returns how many were stored */
async function fill(items: Collection<Doc>, prefix: string): Promise<number> {
  for (let stored = 0; ; stored++) {
    try {
      await items.insertOne({ _id: `${prefix}${stored}`, n: stored, tags: ['all', `t${stored % 5}`], fill: fillOf() });
    } catch (err) {
      expect(err).to.include({ code: outOfDiskSpace });
      return stored;
    }
  }
}

const hasRoom = (items: Collection<Doc>, _id: string) =>
  eventually('room', () =>
    items.insertOne({ _id, fill: fillOf() }).then(
      () => true,
      (err: { code: number }) => {
        expect(err.code).to.equal(outOfDiskSpace);
        return false;
      },
    ),
  );

describe('the document store on a full disk', function () {
  this.timeout(60_000);

  describe('of 8 MiB', () => {
    let disk: { path: string; unmount: () => void } | undefined;
    let server: TestServer;
    const ballast = () => path.join(disk?.path ?? '', 'ballast');
    const items = () => server.db.collection<Doc>('items');
    beforeEach(async function () {
      disk = mountSmallDisk();
      if (disk === undefined) this.skip();
      writeFileSync(ballast(), Buffer.alloc(2 * 1024 * 1024));
      server = await startTestServer({ dataDir: path.join(disk.path, 'data'), diskReserve: 64 * 1024 });
      await items().createIndex({ tags: 1 });
    });
    afterEach(async () => {
      if (disk === undefined) return;
      await server.stop();
      disk.unmount();
      disk = undefined;
    });
    const faults = async () => {
      const { dataDir } = server;
      await server.client.close();
      await server.store.close();
      return (await verifyDataDir(dataDir, silentLogger)).faults;
    };

    it('refuses every kind of write that needs room, and goes on reading', async () => {
      const stored = await fill(items(), 'a');
      expect(stored).to.be.above(5);
      const fillNow = fillOf();
      const writes = [
        () => items().insertMany([{ _id: 'm1', fill: fillNow }, { _id: 'm2' }]),
        () => items().updateOne({ _id: 'a0' }, { $set: { more: fillNow } }),
        () => items().updateMany({}, { $set: { more: fillNow } }),
        () => items().updateOne({ _id: 'new' }, { $set: { fillNow } }, { upsert: true }),
        () => items().replaceOne({ n: 3 }, { fillNow, more: fillNow }),
        () => items().findOneAndUpdate({ n: 3 }, { $set: { more: fillNow } }),
        () => items().bulkWrite([{ insertOne: { document: { _id: 'b', fillNow } } }], { ordered: false }),
        () => server.db.collection('other').insertOne({ fillNow }),
        () => items().createIndex({ fill: 1 }),
      ];
      for (const write of writes) expect(await failure(write())).to.include({ code: outOfDiskSpace });
      const named = { code: outOfDiskSpace, codeName: 'OutOfDiskSpace' };
      expect(await failure(items().findOneAndUpdate({ n: 3 }, { $set: { more: fillNow } }))).to.include(named);
      expect(await items().countDocuments({ more: { $exists: true } })).to.equal(0);
      expect(await items().countDocuments({ tags: 'all' })).to.equal(stored);
      expect(await items().find({}).toArray()).to.have.length(stored);
      expect((await items().indexes()).length).to.equal(2);
      expect(await faults()).to.deep.equal([]);
    });

    it('says of a bulk what was stored before the room ended', async () => {
      for (const ordered of [true, false]) {
        const documents = Array.from({ length: 400 }, (_, n) => ({ _id: `${ordered}${n}`, fill: fillOf() }));
        const err = await failure(items().insertMany(documents, { ordered }));
        expect(err.code).to.equal(outOfDiskSpace);
        const stored = await items().countDocuments({ _id: { $regex: `^${ordered}` } });
        expect(err['result']).to.include({ insertedCount: stored });
      }
      expect(await items().countDocuments()).to.be.within(5, 400);
    });

    it('goes on removing, and takes writes again when there is room, without a restart', async () => {
      const stored = await fill(items(), 'a');
      expect((await items().deleteMany({ tags: 't1' })).deletedCount).to.be.above(0);
      expect((await items().deleteOne({ _id: 'a0' })).deletedCount).to.equal(1);
      expect(await items().findOneAndDelete({ _id: 'a2' })).to.include({ _id: 'a2' });
      await items().dropIndex('tags_1');
      const left = await items().countDocuments();
      expect(left).to.be.below(stored - 2);
      rmSync(ballast());
      await hasRoom(items(), 'after');
      expect(await fill(items(), 'b')).to.be.above(5);
      expect(await faults()).to.deep.equal([]);
    });

    it('refuses what many clients have in flight, and stores what it acknowledges', async () => {
      const names = Array.from({ length: 20 }, (_, n) => `c${n}-`);
      const counts = await Promise.all(names.map((name) => fill(items(), name)));
      const stored = counts.reduce((sum, count) => sum + count, 0);
      expect(await items().countDocuments()).to.equal(stored);
      await server.restart();
      expect(await items().countDocuments({ tags: 'all' })).to.equal(stored);
      await fill(items(), 'again');
      rmSync(ballast());
      await hasRoom(items(), 'after');
      expect(await faults()).to.deep.equal([]);
    });

    it('leaves nothing of an index that there was no room for', async () => {
      const documents = (await fill(items(), 'a')) * 30;
      rmSync(ballast());
      await hasRoom(items(), 'x');
      writeFileSync(ballast(), Buffer.alloc(1024 * 1024));
      await items().insertMany(Array.from({ length: documents }, (_, n) => ({ _id: n, n })));
      await fill(items(), 'c');
      const names = Array.from({ length: 10 }, (_, n) => ({
        key: { [`n${n}`]: 1 as const, n: 1 as const, fill: -1 as const },
      }));
      expect(await failure(items().createIndexes(names))).to.include({ code: outOfDiskSpace });
      expect(await items().indexes()).to.have.length(2);
      await server.restart();
      expect(await faults()).to.deep.equal([]);
    });
  });

  it('refuses to make a store there, in one sentence', async function () {
    const disk = mountSmallDisk();
    if (disk === undefined) this.skip();
    try {
      const { bavail, bsize } = statfsSync(disk.path);
      writeFileSync(path.join(disk.path, 'ballast'), Buffer.alloc((bavail - 5) * bsize));
      const { code, stderr } = await runMain(['--data', path.join(disk.path, 'data'), '--port', '0']);
      expect(code).to.equal(1);
      expect(stderr.trim().split('\n')).to.have.length(1);
      expect(stderr).to.contain(disk.path);
    } finally {
      disk.unmount();
    }
  });

  describe('of a process', () => {
    let dataDir: string;
    beforeEach(function () {
      if (process.platform === 'win32') this.skip();
      dataDir = mkdtempSync(path.join(tmpdir(), 'document-store-limit-'));
    });
    afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

    it('refuses writes where its file may not grow, and goes on reading', async () => {
      const { child, connectionString, exited } = await spawnStore(dataDir, { fileBlocks: 10_000 });
      const client = new MongoClient(connectionString);
      const items = client.db('shop').collection<Doc>('items');
      const stored = await fill(items, 'a');
      expect(stored).to.be.above(5);
      expect(await items.countDocuments()).to.equal(stored);
      await client.close();
      child.kill('SIGTERM');
      expect(await exited).to.equal(0);
      expect(await verifyDataDir(dataDir, silentLogger)).to.deep.equal({ documents: stored, faults: [] });
    });

    it('ends when a commit fails all the same, and keeps what was acknowledged', async function () {
      const { child, connectionString, exited } = await spawnStore(dataDir);
      const client = new MongoClient(connectionString);
      const items = client.db('shop').collection<Doc>('items');
      for (let n = 0; n < 10; n++) await items.insertOne({ _id: n, fill: fillOf() });
      // room that had been there is taken away
      const limit = Math.floor(statSync(path.join(dataDir, 'data.mdb')).size / 8);
      try {
        execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${limit}`], { stdio: 'ignore' });
      } catch {
        child.kill('SIGKILL');
        await exited;
        await client.close();
        this.skip();
      }
      expect(await failure(items.insertOne({ _id: 'late', fill: fillOf() }))).to.be.instanceOf(Error);
      expect(await exited).to.not.equal(0);
      await client.close();
      expect(await verifyDataDir(dataDir, silentLogger)).to.deep.equal({ documents: 10, faults: [] });
    });
  });
});
