import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EventStoreDBClient, jsonEvent, UnknownError } from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { LogUnavailable, openEventLog } from '../../runtime/event-store/event-log.js';
import { silentLogger } from '../../runtime/logger.js';
import { eventually } from '../../test/support/eventually.js';
import { mountSmallDisk } from '../../test/support/small-disk.js';
import { dataFile } from './data-directory.js';
import {
  collect,
  connect,
  makeDataDir,
  openTestStore,
  rejection,
  runMain,
  spawnStore,
  type TestStore,
} from './store-fixture.js';
import { verifyDataDir } from './verify.js';

const big = (bytes = 50_000) => jsonEvent({ type: 'big', data: { fill: 'x'.repeat(bytes) } });
const exhausted = (err: unknown) => {
  expect(err).to.be.instanceOf(UnknownError);
  return err instanceof UnknownError && /full/.test(err.message);
};

/** Appends to a stream until it is refused. @returns how many were stored, and the refusal */
async function fill(client: EventStoreDBClient, stream: string): Promise<{ stored: number; refusal: unknown }> {
  let stored = 0;
  const refusal = await rejection(
    (async () => {
      for (;;) {
        await client.appendToStream(stream, big());
        stored += 1;
      }
    })(),
  );
  return { stored, refusal };
}

describe('the embedded event store on a full disk', () => {
  describe('of 8 MiB', () => {
    let disk: { path: string; unmount: () => void } | undefined;
    let test: TestStore;
    const ballast = () => join(disk?.path ?? '', 'ballast');
    beforeEach(async function () {
      disk = mountSmallDisk();
      if (disk === undefined) this.skip();
      writeFileSync(ballast(), Buffer.alloc(2 * 1024 * 1024));
      test = await openTestStore({ dataDir: join(disk.path, 'data'), diskReserve: 64 * 1024 });
    });
    afterEach(async () => {
      if (disk === undefined) return;
      await test.remove();
      disk.unmount();
      disk = undefined;
    });

    it('refuses every kind of append, and goes on reading and with subscriptions', async () => {
      await test.client.appendToStream('other', jsonEvent({ type: 'small', data: {} }));
      const positions: bigint[] = [];
      const subscription = test.connect().subscribeToAll();
      subscription.on('data', ({ event }) => positions.push(event?.position.commit ?? -1n));
      const { stored, refusal } = await fill(test.client, 's');
      expect(stored).to.be.greaterThan(5);
      expect(exhausted(refusal)).to.equal(true);
      const client = test.client;
      const credentials = { username: 'admin', password: 'x' };
      const classic = await rejection(client.appendToStream('s', big(), { credentials }));
      const deletion = await rejection(client.deleteStream('s'));
      const tombstone = await rejection(client.tombstoneStream('s'));
      for (const err of [classic, deletion, tombstone]) expect(err).to.include({ code: status.RESOURCE_EXHAUSTED });
      expect(await collect(client.readStream('s'))).to.have.length(stored);
      expect(await collect(client.readAll())).to.have.length(stored + 1);

      rmSync(ballast());
      const next = await eventually('room', () =>
        client.appendToStream('s', big(), { expectedRevision: BigInt(stored - 1) }).catch(() => false as const),
      );
      expect(next.position?.commit).to.equal(BigInt(stored + 2));
      await eventually('the subscriber', () => positions.length === stored + 2);
      expect(positions).to.deep.equal(Array.from({ length: stored + 2 }, (_, n) => BigInt(n + 1)));
      await subscription.unsubscribe();
    }).timeout(30_000);

    it('is a refusal to our own log, which need not look whether something was written', async () => {
      await fill(test.client, 's');
      const log = openEventLog(test.store.connectionString, silentLogger);
      const event = { id: randomUUID(), type: 't', data: { fill: 'x'.repeat(50_000) }, metadata: {} };
      expect(await rejection(log.append('t', [event], 'no-stream'))).to.be.instanceOf(LogUnavailable);
      await log.close();
    }).timeout(30_000);

    it('refuses what other clients have in flight, and never breaks their calls', async () => {
      const clients = [test.client, test.connect()];
      const filled = fill(test.client, 's');
      const ends = await Promise.all(
        clients.map((client, n) =>
          Promise.all(Array.from({ length: 20 }, (_, k) => fill(client, `s-${n}-${k}`))).then((all) => all.flat()),
        ),
      );
      const all = [...ends.flat(), await filled];
      for (const { refusal } of all) expect(exhausted(refusal)).to.equal(true);
      const stored = all.reduce((sum, end) => sum + end.stored, 0);
      expect(await collect(test.client.readAll())).to.have.length(stored);
      rmSync(ballast());
      for (const client of clients) {
        await eventually('room', () => client.appendToStream('after', big()).catch(() => false as const));
      }
    }).timeout(30_000);

    it('is the same after a restart: nothing that was refused is stored, reads go on, appends wait for room', async () => {
      const { stored } = await fill(test.client, 's');
      await test.restart();
      expect(await collect(test.client.readAll())).to.have.length(stored);
      expect(exhausted((await fill(test.client, 's')).refusal)).to.equal(true);
      const before = (await collect(test.client.readAll())).length;
      rmSync(ballast());
      const next = await eventually('room', () => test.client.appendToStream('s', big()).catch(() => false as const));
      expect(next.position?.commit).to.equal(BigInt(before + 1));
      await test.stop();
      expect(await verifyDataDir(test.dataDir)).to.deep.equal({ intact: true, events: before + 1, streams: 1 });
    }).timeout(30_000);
  });

  it('refuses to make a store there, in one sentence', async function () {
    const disk = mountSmallDisk();
    if (disk === undefined) this.skip();
    try {
      const { bavail, bsize } = statfsSync(disk.path);
      writeFileSync(join(disk.path, 'ballast'), Buffer.alloc((bavail - 5) * bsize));
      const { code, stderr } = await runMain(['--data', join(disk.path, 'data'), '--port', '0']);
      expect(code).to.equal(1);
      expect(stderr.trim().split('\n')).to.have.length(1);
      expect(stderr).to.contain(disk.path);
    } finally {
      disk.unmount();
    }
  }).timeout(10_000);

  describe('of a process', () => {
    before(function () {
      if (process.platform === 'win32') this.skip();
    });

    it('refuses appends where its file may not grow, and goes on reading', async () => {
      const dataDir = makeDataDir();
      const { child, connectionString, exited } = await spawnStore(dataDir, { fileBlocks: 4_000 });
      const client = connect(connectionString);
      const { stored, refusal } = await fill(client, 's');
      expect(exhausted(refusal)).to.equal(true);
      expect(stored).to.be.greaterThan(5);
      expect(await collect(client.readStream('s'))).to.have.length(stored);
      child.kill('SIGTERM');
      expect(await exited).to.equal(0);
      await client.dispose();
      expect(await verifyDataDir(dataDir)).to.deep.equal({ intact: true, events: stored, streams: 1 });
      rmSync(dataDir, { recursive: true });
    }).timeout(30_000);

    it('ends when a commit fails all the same, and keeps what was acknowledged', async function () {
      const dataDir = makeDataDir();
      const { child, connectionString, exited } = await spawnStore(dataDir);
      const client = connect(connectionString);
      for (let n = 0; n < 10; n += 1) await client.appendToStream('s', big());
      // Room that had been there is taken away.
      const limit = Math.floor(statSync(join(dataDir, dataFile)).size / 2);
      try {
        execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${limit}`], { stdio: 'ignore' });
      } catch {
        child.kill('SIGKILL');
        await exited;
        await client.dispose();
        rmSync(dataDir, { recursive: true });
        this.skip();
      }
      expect(await rejection(client.appendToStream('s', big()))).to.be.instanceOf(Error);
      expect(await exited).to.not.equal(0);
      await client.dispose();
      expect(await verifyDataDir(dataDir)).to.deep.equal({ intact: true, events: 10, streams: 1 });
      rmSync(dataDir, { recursive: true });
    }).timeout(30_000);
  });
});
