import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { BACKWARDS, END, jsonEvent, UnavailableError, WrongExpectedVersionError } from '@eventstore/db-client';
import { expect } from 'chai';
import { silentLogger } from '../../runtime/logger.js';
import { DataDirError, promisedLength } from '../lmdb-file.js';
import { startEventStore } from './server.js';
import {
  collect,
  connect,
  makeDataDir,
  openTestStore,
  rejection,
  runMain,
  spawnStore,
  type TestStore,
  typesOf,
} from './store-fixture.js';
import { tamper } from './tamper.js';
import { verifyDataDir } from './verify.js';

const event = (type: string, id?: string) => jsonEvent({ type, data: { city: 'Delft', n: 1 }, ...(id && { id }) });
const start = (dataDir: string, port = 0) => startEventStore({ dataDir, port, log: silentLogger });
const failure = async (promise: Promise<unknown>) => {
  const err = await rejection(promise);
  return err instanceof Error ? err : new Error(String(err));
};

describe('the data of the embedded event store', () => {
  let test: TestStore;
  beforeEach(async () => {
    test = await openTestStore();
  });
  afterEach(() => test.remove());

  describe('after a restart', () => {
    it('are all there, and revisions and positions go on', async () => {
      await test.client.appendToStream('s', [event('a'), event('b')]);
      await test.restart();
      const next = await test.client.appendToStream('s', event('c'), { expectedRevision: 1n });
      expect(next.nextExpectedRevision).to.equal(2n);
      expect(next.position?.commit).to.equal(3n);
      expect(typesOf(await collect(test.client.readAll()))).to.deep.equal(['a', 'b', 'c']);
    });

    it('still tell a repeat, at an exact revision and with "any"', async () => {
      const [first, second] = [event('a'), event('b')];
      const one = await test.client.appendToStream('s', first, { expectedRevision: 'any' });
      const two = await test.client.appendToStream('s', second, { expectedRevision: 0n });
      await test.restart();
      expect(await test.client.appendToStream('s', second, { expectedRevision: 0n })).to.deep.equal(two);
      expect(await test.client.appendToStream('s', first, { expectedRevision: 'any' })).to.deep.equal(one);
      const err = await failure(test.client.appendToStream('s', event('x'), { expectedRevision: 0n }));
      expect(err).to.be.instanceOf(WrongExpectedVersionError);
      expect(await collect(test.client.readStream('s'))).to.have.length(2);
    });
  });

  it('hold every acknowledged event after kill -9 under load', async function () {
    this.timeout(60_000);
    const dataDir = makeDataDir();
    const acknowledged: { stream: string; revision: bigint; position: bigint; id: string }[] = [];
    for (let round = 0; round < 3; round += 1) {
      const { child, connectionString, exited } = await spawnStore(dataDir);
      const client = connect(connectionString);
      const enough = acknowledged.length + 300;
      const writers = Array.from({ length: 16 }, async (_, writer) => {
        const stream = `round-${round}-${writer}`;
        for (;;) {
          const sent = event('load');
          const { nextExpectedRevision, position } = await client.appendToStream(stream, sent);
          acknowledged.push({ stream, revision: nextExpectedRevision, position: position?.commit ?? -1n, id: sent.id });
          if (acknowledged.length === enough) child.kill('SIGKILL');
        }
      });
      await Promise.allSettled(writers);
      await exited;
      await client.dispose();
    }
    expect(acknowledged.length).to.be.at.least(900);
    const report = await verifyDataDir(dataDir);
    expect(report.intact).to.equal(true);
    const again = await openTestStore({ dataDir });
    const stored = await collect(again.client.readAll());
    const at = new Map(stored.map(({ event: got }) => [got?.position.commit, got]));
    for (const { stream, revision, position, id } of acknowledged) {
      expect(at.get(position)).to.include({ streamId: stream, revision, id });
    }
    await again.remove();
  });

  describe('that are damaged', () => {
    beforeEach(async () => {
      for (const name of ['s', 't']) {
        await test.client.appendToStream(name, [event(`${name}-0`), event(`${name}-1`), event(`${name}-2`)]);
      }
      await test.stop();
    });
    const reopen = async () => {
      test = await openTestStore({ dataDir: test.dataDir });
    };

    it('pass --verify as long as they are not', async () => {
      expect(await verifyDataDir(test.dataDir)).to.deep.equal({ intact: true, events: 6, streams: 2 });
    });

    it('are found by --verify at their position', async () => {
      expect(await tamper(test.dataDir, 2, { fixChecksum: false })).to.deep.equal({ stream: 's', revision: 1 });
      const report = await verifyDataDir(test.dataDir);
      expect(report).to.include({ intact: false, position: 2, stream: 's', revision: 1 });
    });

    it('are never served: the read names stream, revision and position, and gives what lies before', async () => {
      await tamper(test.dataDir, 2, { fixChecksum: false });
      await reopen();
      for (const read of [() => test.client.readStream('s'), () => test.client.readAll()]) {
        const seen: string[] = [];
        const err = await failure(
          (async () => {
            for await (const { event: got } of read()) seen.push(got?.type ?? '');
          })(),
        );
        expect(err.message).to.match(/DATA_LOSS.*stream "s", revision 1, position 2/);
        expect(seen).to.deep.equal(['s-0']);
      }
      expect(await collect(test.client.readStream('t'))).to.have.length(3);
      const backwards = test.client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 4 });
      expect(typesOf(await collect(backwards))).to.deep.equal(['t-2', 't-1', 't-0', 's-2']);
    });

    it('go unnoticed by the store when the checksum is forged too, and differ', async () => {
      await tamper(test.dataDir, 2, { fixChecksum: true });
      expect(await verifyDataDir(test.dataDir)).to.include({ intact: true });
      await reopen();
      const [, changed] = await collect(test.client.readStream('s'));
      expect(changed?.event?.data).to.deep.equal({ city: 'Eelft', n: 1 });
    });

    it('are refused at the start when the last record is', async () => {
      await tamper(test.dataDir, 6, { fixChecksum: false });
      expect((await failure(start(test.dataDir))).message).to.match(/position 6/);
    });

    it('are refused at the start when the file was cut', async () => {
      const file = join(test.dataDir, 'events.mdb');
      const fd = openSync(file, 'r');
      const used = promisedLength(fd) ?? 0;
      closeSync(fd);
      // What lies behind was made ready for LMDB and is not in use yet.
      expect(statSync(file).size).to.be.greaterThan(used);
      truncateSync(file, used);
      await reopen();
      await test.stop();
      truncateSync(file, used - 4096);
      const err = await failure(start(test.dataDir));
      expect(err).to.be.instanceOf(DataDirError);
      expect(err.message).to.match(/was cut/);
      truncateSync(file, 0);
      expect(await failure(start(test.dataDir))).to.be.instanceOf(DataDirError);
    });

    it('are refused at the start when the file is gone, instead of an empty store', async () => {
      rmSync(join(test.dataDir, 'events.mdb'));
      expect((await failure(start(test.dataDir))).message).to.match(/has lost its file/);
    });
  });

  describe('in use', () => {
    const lockFile = () => join(test.dataDir, 'server.lock');

    it('are refused to a second server, in this process and in another', async () => {
      expect((await failure(start(test.dataDir))).message).to.contain(`process ${process.pid}`);
      const { code, stderr } = await runMain(['--data', test.dataDir, '--port', '0']);
      expect(code).to.equal(1);
      expect(stderr.trim().split('\n')).to.have.length(1);
      expect(stderr).to.contain(`process ${process.pid}`);
      await test.client.appendToStream('s', event('still served'));
    });

    it('are free again after a close, with no lock left behind', async () => {
      await test.stop();
      expect(existsSync(lockFile())).to.equal(false);
      expect(readdirSync(test.dataDir).filter((name) => name.startsWith('server.lock'))).to.have.length(0);
    });

    const stale = [
      { what: 'a dead process', owner: { pid: 2 ** 22 + 1, born: 'boot/1', token: 't' } },
      { what: 'a process whose pid another one has now', owner: { pid: process.pid, born: 'boot/1', token: 't' } },
    ];
    for (const { what, owner } of stale) {
      it(`are taken over from ${what}`, async () => {
        await test.stop();
        writeFileSync(lockFile(), JSON.stringify(owner));
        const store = await start(test.dataDir);
        expect(JSON.parse(readFileSync(lockFile(), 'utf8'))).to.include({ pid: process.pid });
        await store.close();
      });
    }
  });

  it('take no append once the store closes: a busy client is told, and what it was told is stored', async () => {
    let acknowledged = 0;
    const writers = Array.from({ length: 16 }, async (_, writer) => {
      for (;;) {
        await test.client.appendToStream(`busy-${writer}`, event('a'));
        acknowledged += 1;
        if (acknowledged === 100) void test.store.close();
      }
    });
    const ends = await Promise.all(writers.map(rejection));
    expect(ends.every((err) => err instanceof UnavailableError)).to.equal(true);
    await test.restart();
    expect((await collect(test.client.readAll())).length).to.be.at.least(acknowledged);
  });

  it('of another format are refused with a sentence', async () => {
    await test.stop();
    const { openStorage } = await import('./data-directory.js');
    const storage = await openStorage(test.dataDir);
    storage.system.putSync(Buffer.from('format'), Buffer.from('99'));
    await storage.close();
    expect((await failure(start(test.dataDir))).message).to.match(/have format 99/);
  });
});
