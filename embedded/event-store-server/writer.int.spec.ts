import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { expect } from 'chai';
import { anyStream } from './commit-signal.js';
import { readAllPage } from './reader.js';
import { readState, type Storage } from './storage.js';
import { makeDataDir, openParts, type Parts } from './store-fixture.js';

const event = (id: string = randomUUID()) => ({
  id,
  type: 't',
  isJson: true,
  data: Buffer.from('{}'),
  customMetadata: Buffer.alloc(0),
});

describe('the writer of the embedded event store', () => {
  let dataDir: string;
  let parts: Parts;
  let storage: Storage;
  let signal: Parts['signal'];
  let writer: Parts['writer'];
  beforeEach(async () => {
    dataDir = makeDataDir();
    parts = await openParts(dataDir);
    ({ storage, signal, writer } = parts);
  });
  afterEach(async () => {
    await parts.close();
    rmSync(dataDir, { recursive: true });
  });

  it('knows what it accepted and has not stored yet, for more streams than it remembers', async () => {
    const streams = Array.from({ length: 20_500 }, (_, n) => `s-${n}`);
    const first = streams.map((stream) => writer.append(stream, 'no_stream', [event()]));
    const second = streams.slice(0, 100).map((stream) => writer.append(stream, 0n, [event()]));
    const repeated = event();
    const third = [0, 1].map(() => writer.append('s-0', 1n, [repeated]));
    expect(readState(storage).head).to.equal(0);
    const revisions = async (outcomes: Promise<unknown>[]) => new Set((await Promise.all(outcomes)).map(revisionOf));
    expect(await revisions(first)).to.deep.equal(new Set([0]));
    expect(await revisions(second)).to.deep.equal(new Set([1]));
    expect(await revisions(third)).to.deep.equal(new Set([2]));
    expect(readState(storage)).to.include({ head: 20_601, count: 20_601 });
  }).timeout(20_000);

  it('decides on what came before in the same moment, refusals included', async () => {
    const outcomes = await Promise.all([
      writer.append('s', 'no_stream', [event(), event()]),
      writer.append('s', 'no_stream', [event()]),
      writer.append('s', 1n, [event()]),
      writer.delete('s', 2n, randomUUID()),
      writer.append('s', 'stream_exists', [event()]),
      writer.append('s', 'no_stream', [event()]),
      writer.tombstone('s', 3n, randomUUID()),
      writer.append('s', 'any', [event()]),
    ]);
    expect(outcomes.map(({ kind }) => kind)).to.deep.equal([
      'appended',
      'wrong-expected-version',
      'appended',
      'appended',
      'stream-deleted',
      'appended',
      'appended',
      'stream-deleted',
    ]);
  });

  it('is done with a commit before it wakes readers, and they find all of it', async () => {
    let woken = 0;
    const follow = () =>
      signal.onNext(anyStream, () => {
        woken += 1;
        const page = readAllPage(storage, 1, 'forwards', Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
        expect(page.events.length).to.equal(readState(storage).head);
        follow();
      });
    follow();
    for (let round = 1; round <= 5; round += 1) {
      await Promise.all(Array.from({ length: 10 }, (_, n) => writer.append(`s-${n}`, 'any', [event()])));
      expect(readState(storage).head).to.equal(10 * round);
    }
    await writer.idle();
    expect(woken).to.be.at.least(5);
  });

  it('asks its callers to wait when too much is waiting', async () => {
    expect(writer.room()).to.equal(undefined);
    const big = () => ({ ...event(), data: Buffer.alloc(1024 * 1024) });
    const accepted = Array.from({ length: 33 }, () => writer.append('big', 'any', [big()]));
    const room = writer.room();
    expect(room).to.be.instanceOf(Promise);
    await room;
    await Promise.all(accepted);
    expect(writer.room()).to.equal(undefined);
  });
});

const revisionOf = (outcome: unknown): unknown =>
  typeof outcome === 'object' && outcome !== null && 'revision' in outcome ? outcome.revision : outcome;
