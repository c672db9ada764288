import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { eventually } from '../../../test/support/eventually.js';
import { parseMetadata } from '../head.js';
import { messages } from '../protocol.js';
import { readStreamPage } from '../reader.js';
import { recordMessage } from '../record.js';
import { linkType } from '../source.js';
import { makeDataDir, openParts, type Parts } from '../store-fixture.js';
import type { Group } from './group.js';
import { append, damage, listening, newGroup, numbered } from './group-fixture.js';
import { parkedStream } from './stored-group.js';

const parkedIn = parkedStream({ stream: 's', group: 'g' });

describe('a persistent subscription whose events are parked, gone or damaged', () => {
  let dataDir: string;
  let deps: Parts;
  let group: Group;
  beforeEach(async () => {
    dataDir = makeDataDir();
    deps = await openParts(dataDir);
  });
  afterEach(async () => {
    await group.close();
    await deps.close();
    rmSync(dataDir, { recursive: true });
  });
  /** A consumer that has parked all there is. */
  const parkAll = async (count: number) => {
    await append(deps, numbered(count));
    group = newGroup(deps);
    const one = listening(100);
    group.connect(one.consumer);
    group.park(one.consumer, one.ids(), 'because');
    await eventually('all to be parked', () => group.parked.count() === count && group.waiting.outstanding === 0);
    one.sent.length = 0;
    return one;
  };
  const parkedCount = (count: number) => eventually(`${count} to be parked`, () => group.parked.count() === count);

  it('replays nothing twice, however soon it is asked to again', async () => {
    const one = await parkAll(3);
    group.replayParked(undefined);
    group.acknowledge(one.consumer, one.held());
    group.replayParked(undefined);
    expect(one.types()).to.deep.equal(numbered(3));
    await parkedCount(0);
    group.replayParked(undefined);
    expect(one.types()).to.deep.equal(numbered(3));
  });

  it('replays again what was handled and could not be taken out', async () => {
    const one = await parkAll(2);
    await deps.writer.tombstone(`$$${parkedIn}`, 'any', randomUUID());
    group.replayParked(undefined);
    group.acknowledge(one.consumer, one.held());
    await eventually('the attempt', () => {
      group.replayParked(undefined);
      return one.sent.length === 4;
    });
    expect(one.types()).to.deep.equal(['0', '1', '0', '1']);
    expect(group.parked.count()).to.equal(2);
  });

  it('keeps parked what a replay gave out and nobody handled, with what comes after that', async () => {
    const one = await parkAll(4);
    group.replayParked(3);
    const [first = '', , third = ''] = one.held();
    group.acknowledge(one.consumer, [third]);
    await group.parked.settled();
    expect(group.parked.count()).to.equal(4);
    group.acknowledge(one.consumer, [first]);
    await parkedCount(3);
    await group.close();
    group = newGroup(deps);
    const two = listening(100);
    group.connect(two.consumer);
    two.sent.length = 0;
    group.replayParked(undefined);
    expect(two.types()).to.deep.equal(['1', '2', '3']);
  });

  it('ends a replay before a damaged event, which stays parked with those behind it, and serves what is new', async () => {
    const one = await parkAll(4);
    damage(deps, 3);
    for (let round = 0; round < 2; round += 1) {
      group.replayParked(undefined);
      group.acknowledge(one.consumer, one.held());
    }
    expect(one.types()).to.deep.equal(['0', '1']);
    await parkedCount(2);
    group.replayParked(undefined);
    await append(deps, ['new']);
    await eventually('the new one', () => one.sent.length === 3);
    expect(one.types()).to.deep.equal(['0', '1', 'new']);
    expect(one.ended).to.deep.equal([]);
  });

  for (const [where, position, resolveLinks] of [
    ['in its source', 3, false],
    ['behind a link of its source', 7, true],
  ] as const) {
    it(`gives what precedes damage ${where}, and ends its consumers with DATA_LOSS once that is handled`, async () => {
      await append(deps, numbered(5));
      await append(deps, numbered(5), 't');
      await append(
        deps,
        [0, 1, 2].map((revision) => `${revision}@t`),
        'links',
        '',
        linkType,
      );
      damage(deps, position);
      group = newGroup(deps, { resolveLinks }, { stream: resolveLinks ? 'links' : 's' });
      const before = position === 3 ? ['0', '1'] : ['0'];
      const one = listening(100);
      group.connect(one.consumer);
      expect([one.types(), one.ended.length]).to.deep.equal([before, 0]);
      group.disconnect(one.consumer);
      const two = listening(100);
      group.connect(two.consumer);
      expect([two.types(), two.ended.length]).to.deep.equal([before, 0]);
      group.acknowledge(two.consumer, two.held());
      expect(two.ended.map((err) => err?.code)).to.deep.equal([status.DATA_LOSS]);
      const three = listening(100);
      group.connect(three.consumer);
      expect([three.types(), three.ended.map((err) => err?.code)]).to.deep.equal([[], [status.DATA_LOSS]]);
      await group.close();
      expect(group.stored.next).to.equal(before.length);
    });
  }

  it('does not bring a parked stream back that is deleted in the middle of a replay', async () => {
    const one = await parkAll(6);
    group.replayParked(3);
    const deleting = deps.writer.delete(parkedIn, 'any', randomUUID());
    // Accepted and not stored yet: only the writer knows of the deletion.
    group.acknowledge(one.consumer, one.held());
    await deleting;
    await group.parked.settled();
    expect(group.parked.count()).to.equal(0);
    group.replayParked(undefined);
    expect(one.types()).to.deep.equal(numbered(3));
    await append(deps, ['new']);
    await eventually('the new one', () => one.sent.length === 4);
    group.park(one.consumer, one.held(), 'because');
    await parkedCount(1);
  });

  it('counts and replays nothing of a parked stream that is tombstoned, and gives what it cannot park later again', async () => {
    const one = await parkAll(2);
    group.replayParked(1);
    await deps.writer.tombstone(parkedIn, 'any', randomUUID());
    group.replayParked(undefined);
    expect([group.parked.count(), one.types()]).to.deep.equal([0, ['0']]);
    group.acknowledge(one.consumer, one.held());
    await append(deps, ['new']);
    await eventually('the new one', () => one.sent.length === 2);
    group.park(one.consumer, one.held(), 'because');
    for (let n = 0; n < 5; n += 1) await append(deps, ['x'], 'elsewhere');
    expect(one.sent).to.have.length(2);
    expect(group.waiting).to.include({ retry: 0, inFlight: 0, outstanding: 1 });
    await eventually('it to come again', () => one.sent.length === 3);
    expect(one.types()).to.deep.equal(['0', 'new', 'new']);
    group.acknowledge(one.consumer, one.held());
    expect(group.waiting.outstanding).to.equal(0);
  });

  it('keeps a thousand characters of what a consumer says of an event', async () => {
    await append(deps, numbered(1));
    group = newGroup(deps);
    const one = listening(1);
    group.connect(one.consumer);
    group.park(one.consumer, one.held(), 'why'.repeat(100_000));
    await parkedCount(1);
    const [link] = readStreamPage(deps.storage, parkedIn, Date.now(), 0, 'forwards', 1, 1).events;
    const event = messages.streams.ReadResp.ReadEvent.RecordedEvent.deserializeBinary(
      recordMessage(link?.record ?? Buffer.alloc(0)),
    );
    expect(parseMetadata(event.getCustomMetadata_asU8())['reason']).to.equal('why'.repeat(100_000).slice(0, 1_000));
  });
});
