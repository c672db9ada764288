import { randomUUID } from 'node:crypto';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { Registry } from 'prom-client';
import { type Logger, silentLogger } from '../../runtime/logger.js';
import { eventually } from '../../test/support/eventually.js';
import { mountSmallDisk } from '../../test/support/small-disk.js';
import { type DiskRoom, NoRoomError, openDiskRoom } from '../disk-room.js';
import { CommitSignal } from './commit-signal.js';
import { dataFile, openStorage } from './data-directory.js';
import { CallError } from './errors.js';
import { storeMetrics } from './metrics.js';
import { readHead, readState, type Storage } from './storage.js';
import { makeDataDir, rejection } from './store-fixture.js';
import { verifyDataDir } from './verify.js';
import { Writer } from './writer.js';

const event = (bytes = 2, id: string = randomUUID()) => ({
  id,
  type: 't',
  isJson: false,
  data: Buffer.alloc(bytes, 'x'),
  customMetadata: Buffer.alloc(0),
});

const exhausted = status.RESOURCE_EXHAUSTED;

describe('room on the disk for the embedded event store', () => {
  let dataDir: string;
  let storage: Storage;
  let room: DiskRoom;
  let opened: DiskRoom[];
  let signal: CommitSignal;
  const file = () => join(dataDir, dataFile);
  const openRoom = (reserve = 0) => {
    const made = openDiskRoom(storage, file(), reserve);
    opened.push(made);
    return made;
  };
  const openWriter = (through: Partial<DiskRoom> = {}, log: Logger = silentLogger) =>
    new Writer({
      storage,
      room: { ...room, ...through },
      signal,
      metrics: storeMetrics(new Registry()),
      log,
      fatal: (err) => {
        throw err;
      },
      now: Date.now,
    });
  beforeEach(async () => {
    dataDir = makeDataDir();
    storage = await openStorage(dataDir);
    opened = [];
    signal = new CommitSignal();
    room = openRoom();
  });
  afterEach(async () => {
    await Promise.all(opened.map((one) => one.close()));
    await storage.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('is asked for in full before LMDB writes, whatever is written', async () => {
    const used = () => {
      const { lastPageNumber, pageSize } = storage.root.getStats() as { lastPageNumber: number; pageSize: number };
      return (lastPageNumber + 1) * pageSize;
    };
    let asked = Number.POSITIVE_INFINITY;
    const tooLittle: number[] = [];
    const look = () => {
      if (used() > asked) tooLittle.push(used() - asked);
    };
    const writer = openWriter({
      has(needed) {
        look();
        asked = used() + needed;
        return room.has(needed);
      },
    });
    const long = 'ö'.repeat(900);
    const loads: ((n: number) => Promise<unknown>)[] = [
      (n) => writer.append('one', 'any', [event(n % 3_000)]),
      (n) => writer.append(`small-${randomUUID()}`, 'any', [event(n % 40)]),
      (n) => writer.append(`big-${n % 7}`, 'any', [event(5_000 * (n % 20))]),
      (n) => writer.append(`${long}-${n}`, 'any', [event()]),
      (n) =>
        writer.append(
          `many-${n % 5}`,
          'any',
          Array.from({ length: n % 300 }, () => event(n % 500)),
        ),
      (n) => writer.delete(`small-${n}`, 'any', randomUUID()),
    ];
    for (let n = 0; n < 400; n += 1) {
      const load = loads[(n * 7919) % loads.length];
      if (load === undefined) continue;
      const atOnce = 1 + ((n * 53) % (n % 10 === 0 ? 200 : 12));
      await Promise.all(Array.from({ length: atOnce }, (_, k) => load(n * 31 + k)));
    }
    await writer.idle();
    look();
    expect(tooLittle).to.deep.equal([]);
    expect(statSync(file()).size).to.be.at.least(used());
    expect(readState(storage).head).to.be.greaterThan(2_000);
  }).timeout(60_000);

  it('is made for all that waits by then, and the stream is never ahead of its events', async () => {
    let made = false;
    const writer = openWriter({
      has: (needed) => made && room.has(needed),
      async secure(needed) {
        void writer.append('s', 0n, [event()]);
        await room.secure(needed);
        made = true;
      },
    });
    const seen: unknown[] = [];
    const first = writer.append('s', 'no_stream', [event()]);
    signal.onNext('s', () => seen.push([readState(storage).head, readHead(storage, 's')?.revision]));
    await first;
    await writer.idle();
    expect(seen).to.deep.equal([[2, 1]]);
  });

  it('is not given to a second one while it is booked', async () => {
    await room.secure(1_000_000);
    expect(room.has(1_000_000)).to.equal(true);
    const release = room.book(1_000_000);
    expect(room.has(1_000_000)).to.equal(false);
    await room.using(1_000_000, async () => {
      expect(room.has(1_000_000)).to.equal(false);
      expect(statSync(file()).size).to.be.at.least(2_000_000);
    });
    release();
    release();
    expect(room.has(1_000_000)).to.equal(true);
  });

  it('is taken in steps, and refused where it would touch the reserve', async () => {
    const before = statSync(file()).size;
    await room.secure(1);
    const grown = statSync(file()).size;
    expect(grown).to.equal(before + 256 * 1024);
    await room.secure(256 * 1024);
    expect(statSync(file()).size).to.equal(grown);
    const greedy = openRoom(Number.MAX_SAFE_INTEGER);
    await greedy.secure(1_000);
    expect(await rejection(greedy.secure(grown + 1))).to.be.instanceOf(NoRoomError);
    expect(statSync(file()).size).to.equal(grown);
  });

  describe('when it is refused', () => {
    let isFull: boolean;
    let lines: string[];
    let tries: number;
    let writer: Writer;
    const log: Logger = {
      ...silentLogger,
      info: () => lines.push('info'),
      error: () => lines.push('error'),
    };
    beforeEach(() => {
      isFull = false;
      lines = [];
      tries = 0;
      writer = openWriter(
        {
          has: (needed) => needed === 0 || (!isFull && room.has(needed)),
          async secure(needed) {
            tries += 1;
            // Lets what comes meanwhile be decided on top of what is refused.
            await new Promise((resolve) => setImmediate(resolve));
            if (isFull) throw new NoRoomError(needed);
            await room.secure(needed);
          },
        },
        log,
      );
    });
    const refusalOf = async (promise: Promise<unknown>) => codeOf(await rejection(promise));

    it('refuses all that waits and what rests on it, and knows no more than what is stored', async () => {
      const stored = event();
      await writer.append('s', 'no_stream', [stored]);
      isFull = true;
      const first = [
        writer.append('s', 0n, [event()]),
        writer.append('new', 'no_stream', [event(), event()]),
        writer.append('s', 'no_stream', [event()]),
        writer.append('s', 'no_stream', [stored]),
        writer.tombstone('s', 1n, randomUUID()),
      ].map((promise) => promise.then((outcome) => outcome.kind, codeOf));
      await new Promise((resolve) => setImmediate(resolve));
      const later = writer.append('new', 1n, [event()]);
      expect(await refusalOf(later)).to.equal(exhausted);
      // A repeat of what is stored is told, nothing else.
      expect(await Promise.all(first)).to.deep.equal([exhausted, exhausted, exhausted, 'appended', exhausted]);
      expect(readState(storage)).to.deep.equal({ head: 1, count: 1, nextStreamId: 2 });

      isFull = false;
      const tried = tries;
      // Refused without a look at the disk, but for what needs no room.
      expect(await refusalOf(writer.append('s', 0n, [event()]))).to.equal(exhausted);
      expect(await writer.append('s', 'no_stream', [stored])).to.include({
        kind: 'appended',
        revision: 0,
        position: 1,
      });
      expect(await writer.append('s', 5n, [event()])).to.include({ kind: 'wrong-expected-version', actual: 0 });
      expect(tries).to.equal(tried);
      expect(writer.isFull).to.equal(true);
    });

    it('takes appends again when there is room, at the next position, and says so once', async () => {
      await writer.append('s', 'no_stream', [event()]);
      isFull = true;
      const lost = event();
      for (let n = 0; n < 3; n += 1)
        expect(await refusalOf(writer.append('t', 'any', [lost, event()]))).to.equal(exhausted);
      expect(lines).to.deep.equal(['error']);
      isFull = false;
      const outcome = await eventually('room', () =>
        writer.append('t', 'no_stream', [lost]).catch(() => false as const),
      );
      expect(outcome).to.deep.equal({ kind: 'appended', revision: 0, position: 2 });
      expect(await writer.append('s', 0n, [event()])).to.include({ revision: 1, position: 3 });
      expect(lines).to.deep.equal(['error', 'info']);
      expect(writer.isFull).to.equal(false);
      await storage.close();
      expect(await verifyDataDir(dataDir)).to.deep.equal({ intact: true, events: 3, streams: 2 });
      storage = await openStorage(dataDir);
    }).timeout(10_000);

    it('stays a failure that ends the process when the disk fails otherwise', async () => {
      const faults: unknown[] = [];
      const broken = new Writer({
        storage,
        room: { ...room, secure: () => Promise.reject(Object.assign(new Error('i/o error'), { code: 'EIO' })) },
        signal,
        metrics: storeMetrics(new Registry()),
        log: silentLogger,
        fatal: (err) => faults.push(err),
        now: Date.now,
      });
      expect(await refusalOf(broken.append('s', 'any', [event()]))).to.equal(status.UNAVAILABLE);
      expect(await refusalOf(broken.append('s', 'any', [event()]))).to.equal(status.UNAVAILABLE);
      expect(faults).to.have.length(1);
    });
  });

  it('is given back when it cannot be had', async function () {
    const disk = mountSmallDisk();
    if (disk === undefined) this.skip();
    try {
      const small = await openStorage(join(disk.path, 'data'));
      const path = join(disk.path, 'data', dataFile);
      const tight = openDiskRoom(small, path, 0);
      await tight.secure(1024 * 1024);
      const before = statSync(path).size;
      writeFileSync(join(disk.path, 'fill'), Buffer.alloc(6 * 1024 * 1024));
      expect(await rejection(tight.secure(4 * 1024 * 1024))).to.be.instanceOf(NoRoomError);
      expect(statSync(path).size).to.equal(before);
      rmSync(join(disk.path, 'fill'));
      await tight.secure(4 * 1024 * 1024);
      expect(statSync(path).size).to.be.greaterThan(before);
      await tight.close();
      await small.close();
    } finally {
      disk.unmount();
    }
  });
});

const codeOf = (err: unknown): unknown => (err instanceof CallError ? err.code : err);
